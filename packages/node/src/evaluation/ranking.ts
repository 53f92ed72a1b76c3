// Selects the best, the median and the worst of many cases.

export const ranks = ["best", "median", "worst"] as const;

/** By falling DSC, equal ones by id; fewer than three stand for several ranks, and of none there is none. */
export function bestMedianWorst<Case extends { readonly id: string; readonly dsc: number }>(
  cases: readonly Case[],
): (Case & { readonly rank: (typeof ranks)[number] })[] {
  const ranked = [...cases].sort((a, b) => b.dsc - a.dsc || (a.id < b.id ? -1 : 1));
  if (ranked.length === 0) return [];
  const places = { best: 0, median: Math.floor((ranked.length - 1) / 2), worst: ranked.length - 1 };
  return ranks.map((rank) => ({ ...ranked[places[rank]], rank }));
}
