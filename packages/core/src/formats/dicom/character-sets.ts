// Decodes DICOM text by its Specific Character Set, with the escape sequences of ISO 2022 (PS3.5, 6.1.2.5).

/** Decodes a text value. In a person's name `^` and `=` also end the character set that an escape sequence chose. */
export type TextDecoding = (bytes: Uint8Array, isPersonName: boolean) => string;

/**
 * The decoding for the values of Specific Character Set. An escape sequence chooses another character set up to the next
 * delimiter of values, lines or parts of a name. If the first value is empty, text without escape sequences is decoded
 * by the last value, because some writers omit the escape sequences.
 */
export function textDecodingOf(terms: readonly string[]): TextDecoding {
  const initial = encodingOf(terms[0] || (terms.at(-1) ?? ""));
  return (bytes, isPersonName) =>
    bytes.includes(escapeByte) ? decodedParts(bytes, initial, isPersonName) : decoded(bytes, initial);
}

/** Each byte as the character with that code, which is right for ASCII. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The decoder of the Encoding Standard: every JavaScript host has it, but it is not part of the language. */
declare class TextDecoder {
  constructor(label: string);
  decode(bytes: Uint8Array): string;
}

/** Labels of the Encoding Standard for the defined terms of Specific Character Set (PS3.3, C.12.1.1.2). */
const encodings: Readonly<Record<string, string>> = {
  "100": "latin1",
  "101": "iso-8859-2",
  "109": "iso-8859-3",
  "110": "iso-8859-4",
  "144": "iso-8859-5",
  "127": "iso-8859-6",
  "126": "iso-8859-7",
  "138": "iso-8859-8",
  "148": "iso-8859-9",
  "203": "iso-8859-15",
  "166": "windows-874",
  "13": "shift_jis",
  "87": "euc-jp",
  "159": "euc-jp",
  "149": "euc-kr",
  "58": "gb18030",
  "192": "utf-8",
};

function encodingOf(term: string): string {
  if (/^GB(18030|K)$/.test(term)) return "gb18030";
  return encodings[/^ISO(?:_| 2022 )IR (\d+)$/.exec(term)?.[1] ?? ""] ?? "latin1";
}

/** How bytes below 128 are read: as ASCII, or in pairs as a Japanese character set. */
type LowerHalf = "ascii" | "jis-x-0208" | "jis-x-0212";

interface Chosen {
  readonly lower?: LowerHalf;
  /** The encoding label for bytes from 128 on. */
  readonly upper?: string;
}

const escapeByte = 0x1b;

/** The character set that the bytes after an escape byte choose (PS3.3, tables C.12-3 and C.12-4). */
const escapes: Readonly<Record<string, Chosen>> = {
  "(B": { lower: "ascii" },
  "(J": { lower: "ascii" },
  "$@": { lower: "jis-x-0208" },
  $B: { lower: "jis-x-0208" },
  "$(D": { lower: "jis-x-0212" },
  "-A": { upper: "latin1" },
  "-B": { upper: "iso-8859-2" },
  "-C": { upper: "iso-8859-3" },
  "-D": { upper: "iso-8859-4" },
  "-L": { upper: "iso-8859-5" },
  "-G": { upper: "iso-8859-6" },
  "-F": { upper: "iso-8859-7" },
  "-H": { upper: "iso-8859-8" },
  "-M": { upper: "iso-8859-9" },
  "-b": { upper: "iso-8859-15" },
  "-T": { upper: "windows-874" },
  ")I": { upper: "shift_jis" },
  "$)A": { upper: "gb18030" },
  "$)C": { upper: "euc-kr" },
};

const lineDelimiters: ReadonlySet<string> = new Set(["\t", "\n", "\f", "\r"]);
const valueDelimiters: ReadonlySet<string> = new Set([...lineDelimiters, "\\"]);
const nameDelimiters: ReadonlySet<string> = new Set([...valueDelimiters, "^", "="]);

/** Decodes text with parts in several character sets. An unknown escape sequence stays in the text. */
function decodedParts(bytes: Uint8Array, initialUpper: string, isPersonName: boolean): string {
  let lower: LowerHalf = "ascii";
  let upper = initialUpper;
  let start = 0;
  let text = "";
  const takeUntil = (end: number) => {
    text += decoded(
      lower === "ascii" ? bytes.subarray(start, end) : asEucJp(bytes, start, end, lower),
      lower === "ascii" ? upper : "euc-jp",
    );
    start = end;
  };
  for (let at = 0; at < bytes.length; at++) {
    const sequence = bytes[at] === escapeByte ? escapeAt(bytes, at + 1) : null;
    if (sequence !== null) {
      takeUntil(at);
      ({ lower = lower, upper = upper } = escapes[sequence]);
      at += sequence.length;
      start = at + 1;
    } else if (delimitersOf(lower, isPersonName).has(String.fromCharCode(bytes[at]))) {
      takeUntil(at + 1);
      [lower, upper] = ["ascii", initialUpper];
    }
  }
  takeUntil(bytes.length);
  return text;
}

/** In a set of two-byte characters a backslash is half of a character, not a delimiter. */
function delimitersOf(lower: LowerHalf, isPersonName: boolean): ReadonlySet<string> {
  if (lower !== "ascii") return lineDelimiters;
  return isPersonName ? nameDelimiters : valueDelimiters;
}

function escapeAt(bytes: Uint8Array, at: number): string | null {
  for (const length of [2, 3]) {
    const sequence = latin1(bytes.subarray(at, at + length));
    if (sequence in escapes) return sequence;
  }
  return null;
}

/** Pairs of 7-bit bytes as EUC-JP: with the high bit set, and a byte 8F before each pair of JIS X 0212. */
function asEucJp(bytes: Uint8Array, start: number, end: number, lower: LowerHalf): Uint8Array {
  const euc: number[] = [];
  for (let at = start; at < end; at++) {
    const isPair = bytes[at] > 0x20 && bytes[at] < 0x7f && at + 1 < end;
    if (!isPair) euc.push(bytes[at]);
    else {
      if (lower === "jis-x-0212") euc.push(0x8f);
      euc.push(bytes[at] | 0x80, bytes[at + 1] | 0x80);
      at++;
    }
  }
  return Uint8Array.from(euc);
}

const decoders = new Map<string, TextDecoder>();

function decoded(bytes: Uint8Array, label: string): string {
  const decoder = decoders.get(label) ?? new TextDecoder(label);
  decoders.set(label, decoder);
  return decoder.decode(bytes);
}
