import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { gridWithSpacing, resample, resampleLabels } from "./resample.js";
import type { Geometry, Vector3, Volume, VoxelArray } from "./volume.js";

/** A row of voxels along x: the first centre at `origin`, `spacing` apart. */
function row<T extends VoxelArray>(data: T, spacing = 1, origin = 0): Volume<T> {
  return {
    size: [data.length, 1, 1],
    spacingMm: [spacing, 1, 1],
    originMm: [origin, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data,
  };
}

const targetRow = (length: number, spacing: number, origin: number): Geometry =>
  row(new Uint8Array(length), spacing, origin);

describe("resample", () => {
  test("linear, between centres", () => {
    const result = resample(row(Int16Array.of(0, 100, 300)), targetRow(5, 0.5, 0), "linear", -1);
    expect(result.data).toEqual(Float32Array.of(0, 50, 100, 200, 300));
    expect(result.spacingMm).toEqual([0.5, 1, 1]);
  });

  test.each<["linear" | "nearest", number[]]>([
    ["linear", [-1, 10, 10, 17.5, 40, 40, -1]],
    ["nearest", [-1, 10, 10, 10, 40, 40, -1]],
  ])("%s: the edge holds for half a voxel, then comes the outside value", (method, expected) => {
    const source = row(Float32Array.of(10, 40));
    const points = [-0.51, -0.5, 0, 0.25, 1, 1.5, 1.51];
    const values = points.map((x) => resample(source, targetRow(1, 1, x), method, -1).data[0]);
    expect(values).toEqual(expected);
  });

  test("cubic: through the voxels, mirrored at the edge, which holds for half a voxel", () => {
    const source = row(Int16Array.of(10, 40, -20, 7));
    const points = [-0.51, -0.5, 0, 1, 2, 3, 3.5, 3.51];
    const values = points.map((x) => resample(source, targetRow(1, 1, x), "cubic", -1).data[0]);
    [-1, 10, 10, 40, -20, 7, 7, -1].forEach((expected, at) => {
      expect(values[at]).toBeCloseTo(expected, 4);
    });
  });

  test("cubic gives a parabola back between voxels, away from the edges", () => {
    const source = row(Float32Array.from({ length: 60 }, (_, x) => (x - 30) ** 2));
    const { data } = resample(source, targetRow(4, 0.3, 29.2), "cubic", 0);
    [0.64, 0.25, 0.04, 0.01].forEach((expected, at) => {
      expect(data[at]).toBeCloseTo(expected, 4);
    });
  });

  test("a grid beside the volume is all outside, cubic too", () => {
    expect(resample(row(Int16Array.of(1, 2)), targetRow(2, 1, 9), "cubic", -5).data).toEqual(
      Float32Array.of(-5, -5),
    );
  });

  test("nearest keeps the array type, and the middle goes to the higher index", () => {
    const result = resample(row(Uint8Array.of(1, 2, 3, 4)), targetRow(2, 2, 0.5), "nearest", 0);
    expect(result.data).toEqual(Uint8Array.of(2, 4));
  });

  test("a grid turned by 45° takes the oblique way: a corner point is the mean of four", () => {
    const source: Volume = { ...row(Int16Array.of(1, 2, 3, 4)), size: [2, 2, 1] };
    const h = Math.SQRT1_2;
    const target: Geometry = {
      size: [3, 1, 1],
      spacingMm: [h, 1, 1],
      originMm: [0, 0, 0],
      direction: [h, -h, 0, h, h, 0, 0, 0, 1],
    };
    expect(resample(source, target, "linear", 0).data).toEqual(Float32Array.of(1, 2.5, 4));
    expect(resample(source, target, "nearest", 0).data).toEqual(Int16Array.of(1, 4, 4));
  });
});

describe("resampleLabels", () => {
  test.each<[string, number[], number, number]>([
    ["the nearer of two", [0, 5], 0.6, 5],
    ["halfway: the lower", [5, 3], 0.5, 3],
    ["halfway from background: background", [0, 1], 0.5, 0],
    ["never a value between", [1, 9], 0.4, 1],
    ["half a voxel beyond the edge: the edge", [1, 9], 1.5, 9],
    ["further out: background", [1, 9], 1.6, 0],
  ])("%s", (_, labels, at, expected) => {
    expect(resampleLabels(row(Uint8Array.from(labels)), targetRow(1, 1, at)).data).toEqual(
      Uint8Array.of(expected),
    );
  });

  test("votes are summed over voxels of one label: two neighbours outweigh the nearest", () => {
    // Shares at (0.45, 0.4): 0.33 for the nearest voxel's label 7, 0.27 + 0.22 for label 2, 0.18 for label 4.
    const source: Volume = { ...row(Uint8Array.of(7, 2, 2, 4)), size: [2, 2, 1] };
    const target: Geometry = { ...targetRow(1, 1, 0.45), originMm: [0.45, 0.4, 0] };
    expect(resampleLabels(source, target).data).toEqual(Uint8Array.of(2));
  });

  test("floating-point labels become integers, and fractions are refused", () => {
    expect(resampleLabels(row(Float32Array.of(0, 2)), targetRow(2, 1, 0)).data).toEqual(Int32Array.of(0, 2));
    expect(() => resampleLabels(row(Float32Array.of(0, 0.5)), targetRow(2, 1, 0))).toThrow(InputError);
  });
});

describe("gridWithSpacing", () => {
  test.each<[string, number, number, number, number, number]>([
    ["halved: twice as many, the first centre a quarter voxel outward", 4, 1, 0.5, 8, -0.25],
    ["doubled: half as many", 4, 1, 2, 2, 0.5],
    ["the same: the same", 4, 1, 1, 4, 0],
    ["extent 5 at 2: 2.5 rounds to 3 voxels about the same centre", 5, 1, 2, 3, 0],
    ["wider than the extent: one voxel at the centre", 3, 1, 10, 1, 1],
  ])("%s", (_, length, spacing, wanted, size, origin) => {
    const grid = gridWithSpacing(targetRow(length, spacing, 0), [wanted, 1, 1]);
    expect(grid.size).toEqual([size, 1, 1]);
    expect(grid.originMm).toEqual([origin, 0, 0]);
  });

  test.each<Vector3[]>([[[0, 1, 1]], [[1, -1, 1]], [[1, 1, Number.NaN]]])("refuses %s", (spacingMm) => {
    expect(() => gridWithSpacing(targetRow(3, 1, 0), spacingMm)).toThrow(InputError);
  });
});
