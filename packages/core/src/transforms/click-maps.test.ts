// The maps of clicks by values that a person can compute.
import { describe, expect, test } from "vitest";
import { writeClickMaps } from "./click-maps.js";

const size = [4, 3, 2] as const;
const voxels = 2 * 3 * 4;
const at = (i: number, j: number, k: number) => i + 4 * (j + 3 * k);

describe("writeClickMaps", () => {
  test("falls off from the click in mm, along axes of different spacing", () => {
    const maps = new Float32Array(2 * voxels).fill(9);
    writeClickMaps(
      { positive: [[11, 21, 30]], negative: [] },
      [10, 20, 30],
      size,
      [1, 2, 3],
      { radiusMm: 4 },
      maps,
    );
    const map = maps.subarray(0, voxels);
    expect(map[at(1, 1, 0)]).toBe(1);
    expect(map[at(2, 1, 0)]).toBe(0.75);
    expect(map[at(3, 1, 0)]).toBe(0.5);
    expect(map[at(1, 2, 0)]).toBe(0.5);
    expect(map[at(1, 1, 1)]).toBe(0.25);
    expect(map[at(2, 2, 0)]).toBeCloseTo(1 - Math.sqrt(5) / 4, 6);
    // √(2² + 3²) mm is within 4 mm, √(4 + 4 + 9) mm is not.
    expect(map[at(3, 1, 1)]).toBeCloseTo(1 - Math.sqrt(13) / 4, 6);
    expect(map[at(3, 2, 1)]).toBe(0);
    expect([...maps.subarray(voxels)].every((value) => value === 0)).toBe(true);
  });

  test("keeps the nearest of several clicks, and negative ones apart; clicks between voxels and beyond the patch count", () => {
    const maps = new Float32Array(2 * voxels);
    const clicks = {
      positive: [
        [0.5, 0, 0],
        [3, 0, 0],
      ],
      negative: [[-1, 0, 0]],
    } as const;
    writeClickMaps(clicks, [0, 0, 0], size, [1, 1, 1], { radiusMm: 2 }, maps);
    expect([0, 1, 2, 3].map((i) => maps[at(i, 0, 0)])).toEqual([0.75, 0.75, 0.5, 1]);
    expect([0, 1, 2].map((i) => maps[voxels + at(i, 0, 0)])).toEqual([0.5, 0, 0]);
  });
});
