// Elastic displacement: B-splines as SciPy computes them, smooth enough that space never folds.
import { expect, test } from "vitest";
import { readJson } from "../graph/graph.test-helper.js";
import { indexedStream, type RandomGenerator } from "../random.js";
import type { Vector3 } from "../volume/volume.js";
import { randomDisplacement } from "./elastic.js";

const { elastic } = readJson<{
  elastic: {
    size: Vector3;
    spacingMm: Vector3;
    maximumMm: number;
    words: number[];
    displacementMm: number[][];
  };
}>("transforms/transforms.json");

/** The three components at every voxel, i fastest. */
function fieldOf(size: Vector3, spacingMm: Vector3, maximumMm: number, random: RandomGenerator) {
  const rows = randomDisplacement(size, spacingMm, maximumMm, random);
  const field: [number[], number[], number[]] = [[], [], []];
  for (let k = 0; k < size[2]; k++)
    for (let j = 0; j < size[1]; j++)
      for (const [axis, row] of rows(j, k).entries()) field[axis].push(...row);
  return field;
}

test("is SciPy's cubic B-spline over the control points that the random words shift", () => {
  const words = [...elastic.words];
  const given = { next: () => words.shift() ?? Number.NaN } as RandomGenerator;
  const field = fieldOf(elastic.size, elastic.spacingMm, elastic.maximumMm, given);
  expect(words).toEqual([]);
  field.forEach((component, axis) => {
    expect(component).toHaveLength(elastic.displacementMm[axis].length);
    component.forEach((shift, n) => {
      expect(shift).toBeCloseTo(elastic.displacementMm[axis][n], 5);
    });
  });
});

test("moves voxels by 0.19 of the greatest shift, and folds space nowhere, even at the greatest allowed", () => {
  const edge = 20;
  const spacing = 3.6;
  let squares = 0;
  let leastVolume = Number.POSITIVE_INFINITY;
  for (let seed = 0; seed < 8; seed++) {
    const field = fieldOf([edge, edge, edge], [spacing, spacing, spacing], 9.6, indexedStream(seed, 0));
    for (const component of field) for (const shift of component) squares += shift ** 2;
    for (let k = 0; k + 1 < edge; k++)
      for (let j = 0; j + 1 < edge; j++)
        for (let i = 0; i + 1 < edge; i++) {
          const n = i + edge * (j + edge * k);
          // Rows: where a step along i, j, k leads, as a multiple of it.
          const steps = [1, edge, edge ** 2].map((stride, from) =>
            field.map((shift, to) => (shift[n + stride] - shift[n]) / spacing + (from === to ? 1 : 0)),
          );
          leastVolume = Math.min(leastVolume, determinant(steps));
        }
  }
  expect(leastVolume).toBeGreaterThan(0);
  expect(leastVolume).toBeLessThan(0.8);
  expect(Math.abs(Math.sqrt(squares / (8 * 3 * edge ** 3)) / 9.6 - 0.19)).toBeLessThan(0.015);
});

function determinant([[a, b, c], [d, e, f], [g, h, i]]: readonly (readonly number[])[]): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

test("refuses shifts that could fold space", () => {
  expect(() => randomDisplacement([4, 4, 4], [1, 1, 1], 10, indexedStream(1, 0))).toThrow(/could fold/);
});
