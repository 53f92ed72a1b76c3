// Montages: every tile in its place, grey by value, the mask's outline around it.
import { decode } from "fast-png";
import { expect, test } from "vitest";
import { montagePng } from "./montage.js";

test("tiles stand in rows, with their voxels as squares and the mask outlined", () => {
  const tile = {
    name: "A",
    width: 2,
    height: 2,
    grey: [-1, 0, 1, 2],
    mask: [0, 0, 1, 0],
  };
  const bare = { ...tile, mask: [0, 0, 0, 0] };
  const { width, height, data } = decode(montagePng([tile, bare, bare], 2, 4));
  // Two columns of 8 pixels and three gaps of 8; two rows of caption (18 + 16) and tile, and a last gap.
  expect([width, height]).toEqual([2 * 8 + 3 * 8, 2 * (34 + 8) + 8]);
  const pixel = (column: number, row: number) => [...data.slice(3 * (column + width * row)).slice(0, 3)];
  const places = [
    [8, 34],
    [24, 34],
    [8, 76],
  ];
  for (const [left, top] of places) {
    expect(pixel(left + 1, top + 1)).toEqual([0, 0, 0]);
    expect(pixel(left + 5, top + 1)).toEqual([128, 128, 128]);
    expect(pixel(left + 1, top + 5)).toEqual([255, 255, 255]);
    expect(pixel(left + 5, top + 5)).toEqual([255, 255, 255]);
  }
  const coloured = (left: number, top: number) =>
    Array.from({ length: 64 }, (_, n) => pixel(left + (n % 8), top + Math.floor(n / 8))).filter(
      ([red, , blue]) => red !== blue,
    ).length;
  // The rim of one square of 4 × 4.
  expect(coloured(8, 34)).toBe(12);
  expect(coloured(24, 34)).toBe(0);
});
