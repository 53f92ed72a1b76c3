import { describe, expect, test } from "vitest";
import { orientationCode, reorientToLps } from "./orientation.js";
import type { Matrix3, Volume } from "./volume.js";

const grid = (direction: Matrix3): Volume<Int16Array> => ({
  size: [3, 2, 1],
  spacingMm: [1, 2, 4],
  originMm: [10, 20, 30],
  direction,
  data: Int16Array.of(0, 1, 2, 10, 11, 12),
});

describe("orientationCode", () => {
  test.each<[string, Matrix3]>([
    ["LPS", [1, 0, 0, 0, 1, 0, 0, 0, 1]],
    ["RAS", [-1, 0, 0, 0, -1, 0, 0, 0, 1]],
    ["LAI", [1, 0, 0, 0, -1, 0, 0, 0, -1]],
    ["PSL", [0, 0, 1, 1, 0, 0, 0, 1, 0]],
    ["SRA", [0, -1, 0, 0, 0, -1, 1, 0, 0]],
    ["LPS", [0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1]],
    ["PRS", [0.6, -0.8, 0, 0.8, 0.6, 0, 0, 0, 1]],
  ])("%s", (code, direction) => {
    expect(orientationCode(grid(direction))).toBe(code);
  });
});

describe("reorientToLps", () => {
  test("leaves a volume that is LPS as it is, in an array of its own", () => {
    const volume = grid([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const turned = reorientToLps(volume);
    expect(turned).toEqual(volume);
    expect(turned.data).not.toBe(volume.data);
  });

  test("flips the first two axes of RAS", () => {
    expect(reorientToLps(grid([-1, 0, 0, 0, -1, 0, 0, 0, 1]))).toEqual({
      size: [3, 2, 1],
      spacingMm: [1, 2, 4],
      originMm: [8, 18, 30],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      data: Int16Array.of(12, 11, 10, 2, 1, 0),
    });
  });

  test("permutes: i to superior, j to right, k to anterior", () => {
    expect(reorientToLps(grid([0, -1, 0, 0, 0, -1, 1, 0, 0]))).toEqual({
      size: [2, 1, 3],
      spacingMm: [2, 4, 1],
      originMm: [8, 20, 30],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      data: Int16Array.of(10, 0, 11, 1, 12, 2),
    });
  });
});
