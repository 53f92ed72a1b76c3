// Text that comes from files made safe to show: on a terminal, in a sentence, in a table, as a file name.

/**
 * Text with everything that could drive a terminal, break a line or turn the direction of reading written out, such as
 * `\u001b` or `\n`. Letters of every script stay, and so do the joiners that some scripts and emoji need.
 */
export function safeText(text: string): string {
  return text.replace(unsafe, writtenOut);
}

/** As {@link safeText}, for text of several lines, whose line breaks stay. */
export function safeLines(text: string): string {
  return text.replace(unsafe, (character) => (character === "\n" ? character : writtenOut(character)));
}

/** JSON whose text is safe to show: what {@link safeText} writes out stands as the escape that JSON has for it. */
export function safeJson(value: unknown): string {
  // Line breaks and controls within texts are escapes already; those left are layout.
  return safeLines(JSON.stringify(value, null, 2));
}

/**
 * A value from a file as a sentence may quote it: safe, and shortened in the middle. Never throws, whatever the value is.
 *
 * @param limit The most characters; 80 by default.
 */
export function shown(value: unknown, limit = 80): string {
  const text = described(value, 2);
  // What is far beyond the limit is cut first, so that a long value costs no time.
  return shortened(safeText(text.length > 8 * limit ? shortened(text, 4 * limit) : text), limit);
}

/** Text of at most `limit` characters; of longer text the beginning and the end are kept. */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const end = Math.floor((limit - 1) * 0.4);
  const start = limit - 1 - end;
  return `${text.slice(0, start - (isLowSurrogate(text, start) ? 1 : 0))}…${text.slice(text.length - end + (isLowSurrogate(text, text.length - end) ? 1 : 0))}`;
}

/** "1 node", "2 nodes": a number with its noun. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

/**
 * A file name made from text: letters, digits, `.`, `_` and `-` alone, no dot or hyphen first, nothing that Windows
 * reserves, at most 120 bytes. Different texts may give one name.
 *
 * @param fallback The name where nothing of the text is left.
 */
export function safeFileName(text: string, fallback = "unnamed"): string {
  const plain = text
    .normalize("NFC")
    .replace(/[^\p{L}\p{M}\p{N}._-]+/gu, "_")
    .replace(/^[._-]+/, "");
  let name = "";
  let bytes = 0;
  for (const character of plain) {
    bytes += bytesInUtf8(character.codePointAt(0) ?? 0);
    if (bytes > 120) break;
    name += character;
  }
  // A dot last is dropped by Windows. Bounded by the length above, so that looking from the end costs nothing.
  while (name.endsWith(".") || name.endsWith("_")) name = name.slice(0, -1);
  if (name === "") return fallback;
  return /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(name) ? `_${name}` : name;
}

/** What two names have in common that some disks take for one: they differ in capitals or in Unicode's forms alone. */
export function foldedName(name: string): string {
  return name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
}

/** Controls (the escape character among them), marks of direction and other invisible characters, line separators, halves of surrogate pairs. */
const unsafe = /(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const shortForms: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function writtenOut(character: string): string {
  return (
    shortForms[character] ??
    Array.from(
      { length: character.length },
      (_, n) => `\\u${character.charCodeAt(n).toString(16).padStart(4, "0")}`,
    ).join("")
  );
}

function described(value: unknown, depth: number): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return String(value);
  if (!Array.isArray(value)) return "an object";
  if (depth === 0) return "[…]";
  const items = value.slice(0, 16).map((item: unknown) => described(item, depth - 1));
  return `[${items.join(", ")}${value.length > items.length ? ", …" : ""}]`;
}

function isLowSurrogate(text: string, at: number): boolean {
  return /[\uDC00-\uDFFF]/.test(text.charAt(at));
}

function bytesInUtf8(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
