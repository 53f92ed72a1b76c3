// Text in pictures: bitmaps of DejaVu Sans at two sizes, so that pictures are identical on every machine.
import { fontCharacters, fontSizes } from "./font-data.js";
import { fromBase64 } from "./markup.js";

/** `text` has lines of 18 pixels; `large` is bold, with lines of 24. */
export type TextSize = keyof typeof fontSizes;

/** Width and height in pixels of a line of text. */
export function textExtent(text: string, size: TextSize): { width: number; height: number } {
  const { glyphs, height } = faceOf(size);
  const width = [...drawable(text)].reduce((sum, letter) => sum + (glyphs.get(letter)?.advance ?? 0), 0);
  return { width, height };
}

/** Calls `paint` for each pixel that a line of text covers, with its coverage (0 … 1); the line's upper left corner is (0, 0). */
export function forEachTextPixel(
  text: string,
  size: TextSize,
  paint: (column: number, row: number, coverage: number) => void,
): void {
  const { glyphs, coverage } = faceOf(size);
  let start = 0;
  for (const letter of drawable(text)) {
    const glyph = glyphs.get(letter);
    if (glyph === undefined) continue;
    const { left, top, width, height, first } = glyph;
    for (let at = 0; at < width * height; at++) {
      const value = coverage[first + at];
      if (value > 0) paint(start + left + (at % width), top + Math.floor(at / width), value / 15);
    }
    start += glyph.advance;
  }
}

/** The text as the font can draw it: a letter that the font lacks is drawn without its accents, or as "?". */
export function drawable(text: string): string {
  const { glyphs } = faceOf("text");
  const letters = [...text.normalize("NFC")].flatMap((letter) => {
    if (glyphs.has(letter)) return [letter];
    if (/\s/.test(letter)) return [" "];
    return [...letter.normalize("NFD").replace(/\p{M}/gu, "")].map((plain) =>
      glyphs.has(plain) ? plain : "?",
    );
  });
  return letters.join("");
}

interface Glyph {
  /** Pixels to the next letter. */
  readonly advance: number;
  /** Position of its bitmap within the line. */
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Index of its first pixel in the face's coverage. */
  readonly first: number;
}

interface Face {
  readonly height: number;
  readonly glyphs: ReadonlyMap<string, Glyph>;
  /** A value of 0 … 15 for each pixel. */
  readonly coverage: Uint8Array;
}

const faces = new Map<TextSize, Face>();

/** The face of a size, unpacked on first use. */
function faceOf(size: TextSize): Face {
  const known = faces.get(size);
  if (known !== undefined) return known;
  const { height, glyphs: boxes, coverage: packed } = fontSizes[size];
  const bytes = fromBase64(packed);
  const coverage = Uint8Array.from({ length: 2 * bytes.length }, (_, at) => {
    const byte = bytes[at >> 1];
    return at % 2 === 0 ? byte >> 4 : byte & 15;
  });
  const glyphs = new Map<string, Glyph>();
  const letters = [...fontCharacters];
  let first = 0;
  for (const [n, box] of boxes.split(" ").entries()) {
    const [advance, left, top, width, tall] = box.split(",").map(Number);
    glyphs.set(letters[n], { advance, left, top, width, height: tall, first });
    // Each bitmap starts at a whole byte.
    first += 2 * Math.ceil((width * tall) / 2);
  }
  const face = { height, glyphs, coverage };
  faces.set(size, face);
  return face;
}
