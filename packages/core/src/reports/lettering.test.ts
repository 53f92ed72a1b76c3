import { expect, it } from "vitest";
import { fontCharacters } from "./font-data.js";
import { drawable, forEachTextPixel, type TextSize, textExtent } from "./lettering.js";

/** A line of text as rows of characters: "#" where most of a pixel is covered. */
function drawn(text: string, size: TextSize): string[] {
  const { width, height } = textExtent(text, size);
  const rows = Array.from({ length: height }, () => Array.from({ length: width }, () => "."));
  forEachTextPixel(text, size, (column, row, coverage) => {
    if (coverage > 0.5) rows[row][column] = "#";
  });
  return rows.map((row) => row.join(""));
}

it("draws an L as a stem and a foot, and its small letter as a stem", () => {
  const capital = drawn("L", "text").filter((row) => row.includes("#"));
  expect(capital).toHaveLength(11);
  expect(new Set(capital.slice(0, -2)).size).toBe(1);
  expect(capital.at(-1)?.match(/#/g)?.length).toBeGreaterThan(4);
  expect(new Set(drawn("l", "text").filter((row) => row.includes("#"))).size).toBe(1);
});

it("keeps every letter within its line, and draws something of all but the space", () => {
  for (const size of ["text", "large"] as const) {
    for (const letter of fontCharacters) {
      const { height } = textExtent(letter, size);
      let pixels = 0;
      forEachTextPixel(letter, size, (_, row, coverage) => {
        pixels++;
        expect(row >= 0 && row < height, letter).toBe(true);
        expect(coverage > 0 && coverage <= 1, letter).toBe(true);
      });
      expect(pixels > 0, letter).toBe(letter !== " ");
    }
  }
});

it("tells letters apart, small ones from capitals and accents from none", () => {
  const pictures = new Set([...fontCharacters].map((letter) => drawn(letter, "large").join("\n")));
  // Hyphens, dashes and the two signs for micro may look alike.
  expect(pictures.size).toBeGreaterThanOrEqual(fontCharacters.length - 3);
});

it("takes accents off letters that the font lacks, and shows others as a question mark", () => {
  expect(drawable("Zoë 3–4 Ǻ\tő 漢")).toBe("Zoë 3–4 A o ?");
});

it("adds up the widths of letters", () => {
  expect(textExtent("ab", "text").width).toBe(textExtent("a", "text").width + textExtent("b", "text").width);
  expect(textExtent("", "text").width).toBe(0);
});
