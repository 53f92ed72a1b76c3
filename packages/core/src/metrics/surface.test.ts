import { describe, expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import {
  averageSurfaceDistanceMm,
  hausdorffMm,
  hd95Mm,
  normalisedSurfaceDistance,
  oneWayAverageMm,
  surfaceDistances,
} from "./surface.js";

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
    expect([...distances.truthToPrediction.distancesMm]).toEqual([distance]);
    expect(hd95Mm(distances)).toBe(distance);
    expect(hausdorffMm(distances)).toBe(distance);
    expect(averageSurfaceDistanceMm(distances)).toBe(distance);
  },
);

test("the average pools both directions; HD95 takes the greater, between the two nearest ranks", () => {
  const truth = maskOf([0, 0, 0]);
  const prediction = maskOf([0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 0, 0]);
  const distances = surfaceDistances(truth, prediction, size, [1, 1, 1]);
  expect([...distances.truthToPrediction.distancesMm]).toEqual([0]);
  expect([...distances.predictionToTruth.distancesMm]).toEqual([0, 1, 2, 5]);
  expect(averageSurfaceDistanceMm(distances)).toBe(8 / 5);
  expect(hausdorffMm(distances)).toBe(5);
  expect(hd95Mm(distances)).toBeCloseTo(2 + 0.85 * 3, 12);
});

test("medpy pools both directions for HD95", () => {
  const prediction = maskOf([0, 0, 0], [1, 0, 0], [2, 0, 0], [5, 0, 0]);
  const distances = surfaceDistances(maskOf([0, 0, 0]), prediction, size, [1, 1, 1], "medpy");
  // Of 0, 0, 1, 2, 5 the place 0.95 · 4.
  expect(hd95Mm(distances)).toBeCloseTo(2 + 0.8 * 3, 12);
  expect(averageSurfaceDistanceMm(distances)).toBe(8 / 5);
});

describe("deepmind measures between the corners of voxels, by area", () => {
  const distancesOf = (truth: Uint8Array, prediction: Uint8Array) =>
    surfaceDistances(truth, prediction, size, [1, 1, 1], "deepmind");

  test("two voxels that touch at a face share four of their eight corners", () => {
    const distances = distancesOf(maskOf([1, 1, 1]), maskOf([2, 1, 1]));
    expect([...distances.truthToPrediction.distancesMm]).toEqual([0, 0, 0, 0, 1, 1, 1, 1]);
    // An octahedron with its tips in the middles of the faces: eight triangles.
    for (const weight of distances.truthToPrediction.weights)
      expect(weight).toBeCloseTo(Math.sqrt(3) / 8, 15);
    expect(averageSurfaceDistanceMm(distances)).toBeCloseTo(1 / 2, 15);
    expect(normalisedSurfaceDistance(distances, 0.9)).toBeCloseTo(1 / 2, 15);
    expect(normalisedSurfaceDistance(distances, 1)).toBe(1);
  });

  test("HD95 is a distance that occurs, the first within which 95 % of the area lies", () => {
    const row = [0, 1, 2, 3, 4].map((i): Vector3 => [i, 0, 0]);
    const distances = distancesOf(maskOf(...row.slice(0, 4)), maskOf(...row));
    // Eight triangles at the ends of the longer bar, and four edges cut off at each of four places between its voxels.
    const [tip, slope] = [Math.sqrt(3) / 8, Math.SQRT1_2];
    const total = distances.predictionToTruth.weights.reduce((sum, weight) => sum + weight, 0);
    expect(total).toBeCloseTo(8 * tip + 16 * slope, 12);
    expect(4 * tip).toBeGreaterThan(0.05 * total);
    expect(hd95Mm(distances)).toBe(1);
  });
});

test("NSD counts the voxels of both surfaces within the tolerance", () => {
  const distances = surfaceDistances(maskOf([0, 0, 0]), maskOf([1, 0, 0], [3, 0, 0]), size, [1, 1, 1]);
  expect(normalisedSurfaceDistance(distances, 0.5)).toBe(0);
  expect(normalisedSurfaceDistance(distances, 1)).toBe(2 / 3);
  expect(normalisedSurfaceDistance(distances, 3)).toBe(1);
});

test("the average of one way is not that of the other", () => {
  const distances = surfaceDistances(maskOf([0, 0, 0]), maskOf([1, 0, 0], [3, 0, 0]), size, [1, 1, 1]);
  expect(oneWayAverageMm(distances.truthToPrediction)).toBe(1);
  expect(oneWayAverageMm(distances.predictionToTruth)).toBe((1 + 3) / 2);
});

test("only the surface counts: the middle of a 3 × 3 × 3 cube does not", () => {
  const cube = new Uint8Array(72);
  for (let k = 0; k < 3; k++) for (let j = 0; j < 3; j++) cube.fill(1, 6 * (j + 4 * k), 3 + 6 * (j + 4 * k));
  const middle = maskOf([1, 1, 1]);
  const distances = surfaceDistances(middle, cube, size, [1, 1, 1]);
  expect([...distances.truthToPrediction.distancesMm]).toEqual([1]);
  expect(distances.predictionToTruth.distancesMm).toHaveLength(26);
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
