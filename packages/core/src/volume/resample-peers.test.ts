// Linear and cubic resampling against scipy.ndimage.map_coordinates (fixtures/voxels).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { resample } from "./resample.js";
import type { Geometry } from "./volume.js";

interface ScipyCase {
  name: string;
  source: Geometry;
  target: Geometry;
  outside: number;
  voxels: number[];
  linear: number[];
  cubic: number[];
}

const file = new URL("../../../../fixtures/voxels/resampling.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as ScipyCase[];

describe.each(cases)("as scipy: $name", ({ source, target, outside, voxels, ...expected }) => {
  test.each(["linear", "cubic"] as const)("%s", (method) => {
    const { data } = resample({ ...source, data: Int16Array.from(voxels) }, target, method, outside);
    const worst = Math.max(...expected[method].map((value, at) => Math.abs(value - data[at])));
    expect(data).toHaveLength(expected[method].length);
    expect(expected[method].filter((value) => value !== outside).length).toBeGreaterThan(10);
    // Values up to 1500 HU in float32; coefficients reach several times that.
    expect(worst).toBeLessThan(2e-3);
  });
});
