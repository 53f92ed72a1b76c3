import { expect, it } from "vitest";
import { drawable, forEachTextDot } from "./bitmap-font.js";

it("draws an L as a stem and a foot", () => {
  const rows = Array.from({ length: 7 }, () => [..."....."]);
  forEachTextDot("l", (column, row) => {
    rows[row][column] = "#";
  });
  expect(rows.map((row) => row.join(""))).toEqual([
    "#....",
    "#....",
    "#....",
    "#....",
    "#....",
    "#....",
    "#####",
  ]);
});

it("has seven rows of five dots for every character it draws", () => {
  for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;-+=_/()%'?#") {
    const dots: number[][] = [];
    forEachTextDot(character, (column, row) => dots.push([column, row]));
    expect(dots.length, character).toBeGreaterThan(1);
    expect(
      dots.every(([column, row]) => column < 5 && row < 7),
      character,
    ).toBe(true);
  }
});

it("writes accents as plain capitals and dashes as hyphens", () => {
  expect(drawable("Zoë 3–4")).toBe("ZOE 3-4");
});
