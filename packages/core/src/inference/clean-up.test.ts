// A mask mended body by body is the mask mended at once.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Vector3, Volume } from "../volume/volume.js";
import { labelComponents } from "../voxels/components.js";
import { fillHoles } from "../voxels/fill-holes.js";
import { cleanedMask } from "./clean-up.js";

const maskOf = (size: Vector3, data: Uint8Array): Volume<Uint8Array> => ({
  size,
  data,
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});

/** Shells, full and hollow, that may touch and enclose each other. */
const shells = fc.array(
  fc.record({
    centre: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: 15 }))),
    radius: fc.integer({ min: 0, max: 8 }),
    thickness: fc.integer({ min: 1, max: 3 }),
  }),
  { maxLength: 6 },
);
const size: Vector3 = [16, 16, 16];

function drawn(list: readonly { centre: number[]; radius: number; thickness: number }[]): Uint8Array {
  return Uint8Array.from({ length: 16 ** 3 }, (_, at) => {
    const index = [at % 16, Math.floor(at / 16) % 16, Math.floor(at / 256)];
    const isIn = list.some(({ centre, radius, thickness }) => {
      const distance = Math.hypot(...index.map((value, axis) => value - centre[axis]));
      return distance <= radius && distance > radius - thickness;
    });
    return isIn ? 1 : 0;
  });
}

describe("cavities", () => {
  test("are those of the whole mask, whatever body encloses them", () => {
    let filled = 0;
    fc.assert(
      fc.property(shells, (list) => {
        const data = drawn(list);
        const whole = data.slice();
        fillHoles(whole, size, Number.POSITIVE_INFINITY);
        filled += whole.reduce((sum, value, at) => sum + value - data[at], 0);
        const cleaned = cleanedMask(maskOf(size, data), { minimumVolumeMl: 0, fillsCavities: true });
        expect(cleaned.data).toEqual(whole);
      }),
      { seed: 20_252, numRuns: 200 },
    );
    expect(filled).toBeGreaterThan(1000);
  });

  test("stay where they are not to be filled", () => {
    const data = drawn([{ centre: [8, 8, 8], radius: 5, thickness: 1 }]);
    const { data: kept } = cleanedMask(maskOf(size, data), { minimumVolumeMl: 0, fillsCavities: false });
    expect(kept).toEqual(data);
  });
});

test("bodies below the least volume are left out, one of just that volume stays", () => {
  const data = new Uint8Array(16 ** 3).fill(1, 0, 8).fill(1, 992, 1001).fill(1, 2000, 2030);
  const { data: cleaned } = cleanedMask(maskOf(size, data), { minimumVolumeMl: 0.009, fillsCavities: true });
  const { sizes } = labelComponents(cleaned, size, 26);
  expect(sizes.sort((a, b) => a - b)).toEqual([9, 30]);
});
