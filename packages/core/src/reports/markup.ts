// Escapes text for HTML and SVG, and encodes bytes as base64 for data URIs.

/**
 * Text escaped for HTML or XML, in an element or in a quoted attribute. Characters that XML 1.0 forbids even when escaped
 * (most controls, lone surrogates) become U+FFFD, so that an SVG stays well-formed whatever a file is called; so do
 * characters that change the direction of reading.
 */
export function escapeMarkup(text: string): string {
  return text
    .replace(forbiddenInXml, "\uFFFD")
    .replace(/[&<>"']/g, (character) => entities[character] as string);
}

/** Bytes as base64 (RFC 4648, section 4, padded). Implemented here because the library may use neither Node's Buffer nor the browser's btoa. */
export function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += 3) {
    const count = Math.min(3, bytes.length - start);
    const word = (bytes[start] << 16) | ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0);
    parts.push(
      alphabet[word >> 18] +
        alphabet[(word >> 12) & 63] +
        (count > 1 ? alphabet[(word >> 6) & 63] : "=") +
        (count > 2 ? alphabet[word & 63] : "="),
    );
  }
  return parts.join("");
}

/** The bytes of base64 as {@link base64} writes it. */
export function fromBase64(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.replace(/=+$/, "").length * 3) / 4));
  for (let at = 0, n = 0; n < bytes.length; at += 4) {
    const word = [0, 1, 2, 3].reduce(
      (bits, k) => (bits << 6) | Math.max(0, alphabet.indexOf(text.charAt(at + k))),
      0,
    );
    for (const shift of [16, 8, 0]) if (n < bytes.length) bytes[n++] = (word >> shift) & 255;
  }
  return bytes;
}

/** Text in lines of at most `width` characters, broken at spaces, or within a word that is longer than a line. */
export function wrapText(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    let rest = [...word];
    if (line !== "" && [...line].length + 1 + rest.length <= width) {
      line += ` ${word}`;
      continue;
    }
    if (line !== "") lines.push(line);
    while (rest.length > width) {
      lines.push(rest.slice(0, width).join(""));
      rest = rest.slice(width);
    }
    line = rest.join("");
  }
  if (line !== "") lines.push(line);
  return lines;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const forbiddenInXml = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\uFFFE\uFFFF]|\p{Bidi_Control}/gu;

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
