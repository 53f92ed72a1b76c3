import fc from "fast-check";
import { expect, test } from "vitest";
import { rasteriseOnSlices, traceContours } from "../voxels/contours.js";
import { fillSlabs, slabsOf, slicePositions } from "./slabs.js";
import type { Geometry } from "./volume.js";

const size = 24;
const gridOf = (planes: number, spacing: number): Geometry => ({
  size: [size, size, planes],
  spacingMm: [1, 1, spacing],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});

const disc = (radius: number) =>
  Uint8Array.from({ length: size * size }, (_, n) =>
    Math.hypot((n % size) - 11.5, Math.floor(n / size) - 11.5) < radius ? 1 : 0,
  );
const count = (mask: Uint8Array) => mask.reduce((sum, value) => sum + value, 0);

/** Slices at random distances, and a body on those in the middle. */
const drawn = fc
  .array(fc.double({ min: 1, max: 7, noNaN: true }), { minLength: 8, maxLength: 24 })
  .chain((steps) => {
    const positions = [0];
    for (const step of steps) positions.push(positions[positions.length - 1] + step);
    return fc.record({
      positions: fc.constant(positions),
      radii: fc.array(fc.double({ min: 2.5, max: 10, noNaN: true }), {
        minLength: positions.length,
        maxLength: positions.length,
      }),
    });
  });

test("what was drawn on uneven slices keeps its volume within 2 % on the regular grid, without a gap", () => {
  fc.assert(
    fc.property(drawn, ({ positions, radii }) => {
      const length = positions[positions.length - 1];
      const planes = Math.max(2, Math.round(length / (length / (positions.length - 1))) + 1);
      const geometry = gridOf(planes, length / (planes - 1));
      const slabs = slabsOf(positions, 1);
      const inner = positions.map((_, n) => n).slice(2, -2);
      const bodies = inner.map((n) => ({ ...slabs[n], mask: disc(radii[n]) }));
      const volume = bodies.reduce((sum, { lowMm, highMm, mask }) => sum + (highMm - lowMm) * count(mask), 0);
      const contours = bodies.flatMap(({ mask }, n) =>
        traceContours(mask, { ...gridOf(1, 1), originMm: [0, 0, positions[inner[n]]] }),
      );
      for (const voxels of [fillSlabs(bodies, geometry), rasteriseOnSlices(contours, geometry, positions)]) {
        expect(Math.abs((count(voxels) * geometry.spacingMm[2]) / volume - 1)).toBeLessThan(0.02);
        const middle = Array.from({ length: planes }, (_, k) => voxels[size * size * k + 11 * size + 11]);
        expect(middle.join("")).toMatch(/^0*1+0*$/);
      }
    }),
    { numRuns: 60 },
  );
});

test.each<[string, number[], number[]]>([
  ["even slices are as they are", [0, 3, 6, 9], [0, 3, 6, 9]],
  ["two distances, each twice in a row", [0, 3, 6, 12, 18], [0, 3, 6, 12, 18]],
  [
    "slices are put into a wide gap beside those that tell the distance",
    [0, 3, 6, 30, 33],
    [0, 3, 6, 9, 27, 30, 33],
  ],
  ["a lone slice between two equal ones", [0, 3, 9, 12], [0, 3, 6, 9, 12]],
])("slice positions: %s", (_, drawnMm, expected) => {
  expect(slicePositions(drawnMm, 1)).toEqual(expected);
});

test("slices on the grid's planes come back as they are", () => {
  const geometry = gridOf(4, 3);
  const slabs = slabsOf([0, 3, 6, 9], 3);
  const mask = fillSlabs([{ ...slabs[1], mask: disc(5) }], geometry);
  expect(mask.subarray(size * size, 2 * size * size)).toEqual(disc(5));
  expect(count(mask)).toBe(count(disc(5)));
});

test("of a plane that slabs divide each connected region has its own share, the most covered pixels first", () => {
  const geometry = gridOf(1, 2);
  const square = (first: number, side: number) =>
    Uint8Array.from({ length: size * size }, (_, n) =>
      [n % size, Math.floor(n / size)].every((at) => at >= first && at < first + side) ? 1 : 0,
    );
  const within = (mask: Uint8Array, part: Uint8Array) => count(mask.map((value, n) => value * part[n]));
  const apart = fillSlabs(
    [
      { lowMm: -1, highMm: 0.5, mask: square(2, 4) },
      { lowMm: 0.5, highMm: 1, mask: square(12, 4) },
    ],
    geometry,
  );
  // Three quarters of 16 pixels, and a quarter of 16.
  expect([within(apart, square(2, 4)), within(apart, square(12, 4))]).toEqual([12, 4]);
  const nested = fillSlabs(
    [
      { lowMm: -1, highMm: -0.5, mask: square(2, 8) },
      { lowMm: -0.5, highMm: 0, mask: square(4, 4) },
    ],
    geometry,
  );
  // Half of 16 pixels and a quarter of the 48 around them are 20: all of the former, and 4 of the latter.
  expect([count(nested), within(nested, square(4, 4))]).toEqual([20, 16]);
});
