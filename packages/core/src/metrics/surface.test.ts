import { describe, expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import { averageSurfaceDistanceMm, hausdorffMm, hd95Mm, surfaceDistances } from "./surface.js";

const size: Vector3 = [6, 4, 3];

function maskOf(...foreground: Vector3[]): Uint8Array {
  const mask = new Uint8Array(72);
  for (const [i, j, k] of foreground) mask[i + 6 * (j + 4 * k)] = 1;
  return mask;
}

test.each([
  { name: "2 mm apart", truth: [1, 1, 1], prediction: [3, 1, 1], spacingMm: [1, 1, 1], distance: 2 },
  { name: "3 : 4 : 5", truth: [0, 0, 0], prediction: [3, 2, 0], spacingMm: [1, 2, 9], distance: 5 },
  {
    name: "one slice of 2.5 mm",
    truth: [5, 3, 1],
    prediction: [5, 3, 2],
    spacingMm: [1, 1, 2.5],
    distance: 2.5,
  },
  { name: "the same voxel", truth: [5, 3, 2], prediction: [5, 3, 2], spacingMm: [1, 1, 1], distance: 0 },
] satisfies { name: string; truth: Vector3; prediction: Vector3; spacingMm: Vector3; distance: number }[])(
  "two voxels, $name",
  ({ truth, prediction, spacingMm, distance }) => {
    const distances = surfaceDistances(maskOf(truth), maskOf(prediction), size, spacingMm);
    expect([...distances.truthToPredictionMm]).toEqual([distance]);
    expect(hd95Mm(distances)).toBe(distance);
    expect(hausdorffMm(distances)).toBe(distance);
    expect(averageSurfaceDistanceMm(distances)).toBe(distance);
  },
);

test("the average pools both directions; HD95 takes the greater, between the two nearest ranks", () => {
  const truth = maskOf([0, 0, 0]);
  const prediction = maskOf([0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 0, 0]);
  const distances = surfaceDistances(truth, prediction, size, [1, 1, 1]);
  expect([...distances.truthToPredictionMm]).toEqual([0]);
  expect([...distances.predictionToTruthMm]).toEqual([0, 1, 2, 5]);
  expect(averageSurfaceDistanceMm(distances)).toBe(8 / 5);
  expect(hausdorffMm(distances)).toBe(5);
  expect(hd95Mm(distances)).toBeCloseTo(2 + 0.85 * 3, 12);
});

test("only the surface counts: the middle of a 3 × 3 × 3 cube does not", () => {
  const cube = new Uint8Array(72);
  for (let k = 0; k < 3; k++) for (let j = 0; j < 3; j++) cube.fill(1, 6 * (j + 4 * k), 3 + 6 * (j + 4 * k));
  const middle = maskOf([1, 1, 1]);
  const distances = surfaceDistances(middle, cube, size, [1, 1, 1]);
  expect([...distances.truthToPredictionMm]).toEqual([1]);
  expect(distances.predictionToTruthMm).toHaveLength(26);
});

describe("an empty mask has no surface to be near", () => {
  const some = maskOf([1, 1, 1]);
  const none = maskOf();
  test.each([
    ["truth", none, some],
    ["prediction", some, none],
    ["both", none, none],
  ])("%s", (_, truth, prediction) => {
    const distances = surfaceDistances(truth, prediction, size, [1, 1, 1]);
    expect(hd95Mm(distances)).toBeNull();
    expect(hausdorffMm(distances)).toBeNull();
    expect(averageSurfaceDistanceMm(distances)).toBeNull();
  });
});
