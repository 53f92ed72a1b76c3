import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cross, unit } from "../volume/vector.js";
import { indexOfPoint, type Matrix3, type Vector3, type Volume } from "../volume/volume.js";
import { axialAxes } from "./axial-axes.js";
import { ellipsoidMask, masks, rotation, turnedGrids } from "./mask.test-helper.js";

const upright: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Slices from below, each of rows from anterior; "1" is node. */
function drawn(slices: readonly (readonly string[])[], spacingMm: Vector3 = [1, 1, 1]): Volume<Uint8Array> {
  return {
    data: Uint8Array.from(slices.flat().join(""), Number),
    size: [slices[0][0].length, slices[0].length, slices.length],
    spacingMm,
    originMm: [10, 20, 30],
    direction: upright,
  };
}

describe("axes that a person can count", () => {
  test.each<[string, readonly (readonly string[])[], Vector3, number, number]>([
    ["one voxel: its larger spacing, across it the smaller", [["1"]], [2, 1.5, 9], 2, 1.5],
    ["two in a row", [["11"]], [2, 1, 1], 4, 1],
    ["two in different slices", [["1"], ["1"]], [1, 1, 5], 1, 1],
    [
      "3 × 2: from corner diamond to corner diamond",
      [["111", "111"]],
      [1, 1, 1],
      Math.hypot(3, 1),
      (2 * Math.sqrt(10)) / 3,
    ],
    ["the slice with the longest diameter", [["1110"], ["1111"], ["1000"]], [1, 1, 1], 4, 1],
    ["a slice in two pieces: the longer piece, not both", [["101"], ["111"]], [1, 1, 1], 3, 1],
    ["a slice in two pieces only", [["11001"]], [1, 1, 1], 2, 1],
    ["pieces that touch by a corner are one", [["10", "01"]], [1, 1, 1], Math.sqrt(5), Math.sqrt(5) / 3],
    [
      "of equal diameters the one with the longer short axis",
      [
        ["111", "000"],
        ["111", "010"],
      ],
      [1, 1, 1],
      3,
      2,
    ],
  ])("%s", (_, slices, spacingMm, longMm, shortMm) => {
    const axes = axialAxes(drawn(slices, spacingMm));
    expect(axes.longAxisMm).toBeCloseTo(longMm, 9);
    expect(axes.shortAxisMm).toBeCloseTo(shortMm, 9);
  });

  test("ends lie in the patient, in the slice measured", () => {
    const axes = axialAxes(drawn([["000"], ["011"]], [2, 1, 5]));
    expect(axes.longAxisEndsLpsMm).toEqual([
      [11, 20, 35],
      [15, 20, 35],
    ]);
    const [a, b] = axes.shortAxisEndsLpsMm;
    expect([a[0], a[2], b[2]]).toEqual([b[0], 35, 35]);
    expect([a[1], b[1]].sort()).toEqual([19.5, 20.5]);
  });

  test("a node without voxels has no axes", () => {
    expect(() => axialAxes(drawn([["00"]]))).toThrow(RangeError);
  });
});

test("whatever the order and sense of the grid's axes, the axes are those of the patient", () => {
  fc.assert(
    fc.property(masks([5, 4, 3]), turnedGrids, (mask, turn) => {
      const axes = axialAxes(mask);
      const turned = axialAxes(turn(mask));
      expect(turned.longAxisMm).toBeCloseTo(axes.longAxisMm, 9);
      expect(turned.shortAxisMm).toBeCloseTo(axes.shortAxisMm, 9);
    }),
    { numRuns: 100 },
  );
});

test("the ends are as far apart as stated and at a right angle", () => {
  fc.assert(
    fc.property(masks([5, 5, 2]), (mask) => {
      const { longAxisMm, longAxisEndsLpsMm: long, shortAxisMm, shortAxisEndsLpsMm: short } = axialAxes(mask);
      expect(Math.hypot(...across(long))).toBeCloseTo(longAxisMm, 9);
      expect(Math.hypot(...across(short))).toBeCloseTo(shortAxisMm, 9);
      const [u, v] = [across(long), across(short)];
      expect(u[0] * v[0] + u[1] * v[1] + u[2] * v[2]).toBeCloseTo(0, 9);
      expect(shortAxisMm).toBeLessThanOrEqual(longAxisMm + 1e-9);
      expect(new Set([...long, ...short].map((end) => end[2].toFixed(9))).size).toBe(1);
    }),
    { numRuns: 100 },
  );
});

const across = ([a, b]: readonly [Vector3, Vector3]): Vector3 => [b[0] - a[0], b[1] - a[1], b[2] - a[2]];

describe("ellipsoids whose half axes are at least four voxels", () => {
  const length = fc.double({ min: 4, max: 7, noNaN: true });
  const shift = fc.double({ min: -0.5, max: 0.5, noNaN: true });
  const inputs = fc.record({
    axis: fc.tuple(length, length, length).map((v): Vector3 => unit([v[0] - 5.5, v[1] - 5.4, v[2] - 5.3])),
    angle: fc.double({ min: 0, max: 180, noNaN: true }),
    halfAxesVoxels: fc.tuple(length, length, length),
    inPlaneMm: fc.double({ min: 0.5, max: 1.5, noNaN: true }),
    sliceMm: fc.double({ min: 0.5, max: 3, noNaN: true }),
    offset: fc.tuple(shift, shift, shift),
  });

  test.each([
    ["upright grid", upright, 0],
    ["grid tilted by 25°: resampled", rotation([1, 0, 0], 25), 1 / 3],
    ["grid tilted about an oblique axis by 40°", rotation(unit([1, 2, 0.5]), 40), 1 / 3],
  ])(
    "%s: the long axis within one voxel of the truth, the short one hardly more",
    (_, direction, interpolated) => {
      fc.assert(
        fc.property(inputs, ({ axis, angle, halfAxesVoxels, inPlaneMm, sliceMm, offset }) => {
          const spacingMm: Vector3 = [inPlaneMm, inPlaneMm, sliceMm];
          const voxelMm = Math.max(...spacingMm);
          const [a, b, c] = halfAxesVoxels;
          const halfAxesMm: Vector3 = [a * voxelMm, b * voxelMm, c * voxelMm];
          const ellipsoid = { halfAxesMm, turn: rotation(axis, angle) };
          const axes = axialAxes(ellipsoidMask(ellipsoid, spacingMm, direction, offset));
          const truth = axialSection(ellipsoid);
          // A voxel too long is reached where the truth ends at voxel centres.
          const toleranceMm = voxelMm * (1 + 1e-9) + interpolated * Math.min(...spacingMm);
          expect(Math.abs(axes.longAxisMm - truth.longMm)).toBeLessThan(toleranceMm);
          // In 2 of 600 ellipsoids the long axis leans so that the chord across it is 1.0 to 1.2 voxels too long.
          expect(Math.abs(axes.shortAxisMm - truth.shortMm)).toBeLessThan(toleranceMm + 0.4 * voxelMm);
        }),
        { numRuns: interpolated > 0 ? 3 : 10, endOnFailure: true },
      );
    },
  );
});

/** The diameters of an ellipsoid's largest axial section, which goes through its centre. */
function axialSection({ halfAxesMm, turn }: { halfAxesMm: Vector3; turn: Matrix3 }) {
  // The quadratic form of the plane z = 0: turn · diag(1 / h²) · turnᵀ, its first two rows and columns.
  const form = (row: number, column: number) =>
    [0, 1, 2].reduce((sum, n) => sum + (turn[3 * row + n] * turn[3 * column + n]) / halfAxesMm[n] ** 2, 0);
  const [a, b, c] = [form(0, 0), form(0, 1), form(1, 1)];
  const middle = (a + c) / 2;
  const spread = Math.hypot((a - c) / 2, b);
  return { longMm: 2 / Math.sqrt(middle - spread), shortMm: 2 / Math.sqrt(middle + spread) };
}

describe("grids that are not axial", () => {
  const ball = { halfAxesMm: [6, 6, 6] as const, turn: upright };

  test.each([
    [4, "its own slices", false],
    [6, "interpolated ones", true],
  ])("tilted by %i°: %s", (degrees, _, isAxial) => {
    const mask = ellipsoidMask(ball, [1, 1, 1], rotation([1, 0, 0], degrees), [0, 0, 0]);
    const axes = axialAxes(mask);
    const inPlane = [...axes.longAxisEndsLpsMm, ...axes.shortAxisEndsLpsMm];
    const spread = (values: number[]) => Math.max(...values) - Math.min(...values);
    const alongSlice = spread(inPlane.map((end) => indexOfPoint(mask, end)[2]));
    const alongZ = spread(inPlane.map((end) => end[2]));
    expect(isAxial ? alongZ : alongSlice).toBeLessThan(1e-9);
    expect(isAxial ? alongSlice : alongZ).toBeGreaterThan(0.1);
  });

  test("a lone oblique voxel is measured, and no longer than its diagonal and a step of the interpolated grid", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 6, max: 174, noNaN: true }),
        fc.double({ min: 0.3, max: 3, noNaN: true }),
        (degrees, sliceMm) => {
          const axis = unit(cross([0.3, 1, 0.2], [0, 0.1, 1]));
          const voxel: Volume<Uint8Array> = {
            ...drawn([["1"]], [1, 1, sliceMm]),
            direction: rotation(axis, degrees),
          };
          const { longAxisMm, shortAxisMm } = axialAxes(voxel);
          expect(shortAxisMm).toBeGreaterThan(0);
          // The bound that axialAxes states: interpolating may add a third of the smallest spacing.
          expect(longAxisMm).toBeLessThan(Math.hypot(1, 1, sliceMm) + Math.min(1, sliceMm) / 3);
        },
      ),
    );
  });
});
