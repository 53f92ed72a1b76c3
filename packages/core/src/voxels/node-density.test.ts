// The density of a node by hand, and which densities a lymph node can have.
import { expect, test } from "vitest";
import { densityOf, isNodeDensity } from "./node-density.js";

test("mean, deviation and share of bone and air over two runs", () => {
  const hu = Int16Array.of(-1000, 40, 60, 0, 0, 300, -501, -500, 299, 2000);
  // 40, 60 | 300, -501, -500, 299: one bone (300) and one air (−501) of six.
  const { huMean, huSd, boneOrAirShare } = densityOf({ starts: [1, 5], ends: [3, 9] }, hu);
  expect(huMean).toBeCloseTo(-302 / 6, 12);
  const squares = [40, 60, 300, -501, -500, 299].reduce((sum, value) => sum + (value + 302 / 6) ** 2, 0);
  expect(huSd).toBeCloseTo(Math.sqrt(squares / 6), 12);
  expect(boneOrAirShare).toBeCloseTo(2 / 6, 12);
});

test.each([
  [-41, 0, false],
  [-40, 0, true],
  [160, 0.1, true],
  [161, 0, false],
  [80, 0.11, false],
  [null, null, true],
])("a mean of %s HU with a share of %s of bone and air: %s", (huMean, boneOrAirShare, isPlausible) => {
  expect(isNodeDensity({ huMean, boneOrAirShare })).toBe(isPlausible);
});
