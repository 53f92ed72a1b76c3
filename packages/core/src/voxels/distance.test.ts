import fc from "fast-check";
import { expect, test } from "vitest";
import type { Vector3 } from "../volume/volume.js";
import { squaredDistanceMm } from "./distance.js";

test.each([
  { axis: "i", size: [4, 1, 1] },
  { axis: "j", size: [1, 4, 1] },
  { axis: "k", size: [1, 1, 4] },
] satisfies { axis: string; size: Vector3 }[])(
  "along $axis alone, by that axis's spacing",
  ({ axis, size }) => {
    const squared = squaredDistanceMm(Uint8Array.of(0, 1, 0, 0), size, [1, 2, 3]);
    expect([...squared]).toEqual({ i: [1, 0, 1, 4], j: [4, 0, 4, 16], k: [9, 0, 9, 36] }[axis]);
  },
);

test("across a corner the axes add", () => {
  const mask = new Uint8Array(8);
  mask[0] = 7;
  expect([...squaredDistanceMm(mask, [2, 2, 2], [1, 2, 3])]).toEqual([0, 1, 4, 5, 9, 10, 13, 14]);
});

test("an empty mask is infinitely far", () => {
  expect([...squaredDistanceMm(new Uint8Array(12), [2, 3, 2], [1, 1, 1])]).toEqual(
    new Array(12).fill(Number.POSITIVE_INFINITY),
  );
});

test.each([
  [7, [2, 2, 2], [1, 1, 1]],
  [8, [2, 2, 2], [1, 0, 1]],
  [8, [2, 2, 2], [1, Number.NaN, 1]],
] satisfies [number, Vector3, Vector3][])(
  "%i voxels in %j of %j mm are refused",
  (length, size, spacingMm) => {
    expect(() => squaredDistanceMm(new Uint8Array(length), size, spacingMm)).toThrow(RangeError);
  },
);

test("equals the search over all foreground voxels", () => {
  // More than sixteen along i, so that a pass takes more than one group of lines.
  const sides = fc.tuple(
    fc.integer({ min: 1, max: 35 }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 6 }),
  );
  const spacing = fc.double({ min: 0.1, max: 5, noNaN: true });
  const input = sides.chain((size) =>
    fc.record({
      size: fc.constant(size),
      spacingMm: fc.tuple(spacing, spacing, spacing),
      foreground: fc.uniqueArray(fc.nat({ max: size[0] * size[1] * size[2] - 1 }), {
        minLength: 1,
        maxLength: 12,
      }),
    }),
  );
  fc.assert(
    fc.property(input, ({ size, spacingMm, foreground }) => {
      const mask = new Uint8Array(size[0] * size[1] * size[2]);
      for (const at of foreground) mask[at] = 1;
      const squared = squaredDistanceMm(mask, size, spacingMm);
      for (let at = 0; at < mask.length; at++) {
        const nearest = Math.min(...foreground.map((other) => squaredBetween(at, other, size, spacingMm)));
        expect(Math.abs(squared[at] - nearest)).toBeLessThanOrEqual(1e-12 * (1 + nearest));
      }
    }),
    { numRuns: 100 },
  );
});

function squaredBetween(a: number, b: number, [width, height]: Vector3, spacingMm: Vector3): number {
  const index = (at: number) => [
    at % width,
    Math.floor(at / width) % height,
    Math.floor(at / width / height),
  ];
  const [p, q] = [index(a), index(b)];
  return spacingMm.reduce((sum, spacing, axis) => sum + ((p[axis] - q[axis]) * spacing) ** 2, 0);
}
