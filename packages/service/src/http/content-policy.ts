// What a page of the service may load, by its Content-Security-Policy: nothing from another origin.

/**
 * @param sources directives beside those that every page has
 * @param base where a page may set the base of its addresses
 */
export const contentPolicy = (sources: string, base: "'none'" | "'self'" = "'none'"): string =>
  `default-src 'self'; ${sources}; object-src 'none'; frame-ancestors 'none'; base-uri ${base}; form-action 'self'`;
