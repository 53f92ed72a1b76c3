// A stack's grid is where its slices' tags say; what is missing, doubled, uneven or tilted is named.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addScaled, cross, unit } from "../../volume/vector.js";
import { pointOfIndex, type Vector3 } from "../../volume/volume.js";
import { named } from "./ct.test-helper.js";
import type { Slice } from "./slices.js";
import { type LocatedSlice, type Stack, stackOf } from "./stack.js";
import { outsideHu, resampleStack } from "./stack-resampling.js";

function slice(positionMm: Vector3 | null, more: Partial<Slice> = {}): Slice {
  return {
    file: named(new Uint8Array(0), `at ${positionMm}`),
    frame: null,
    sopClassUid: "",
    sopInstanceUid: "",
    frameOfReferenceUid: "",
    instanceNumber: null,
    imageType: [],
    columns: 4,
    rows: 3,
    spacingMm: [0.5, 0.7],
    axes: [
      [1, 0, 0],
      [0, 1, 0],
    ],
    positionMm,
    thicknessMm: null,
    rescale: null,
    ...more,
  };
}

const along = (...z: number[]) => z.map((at) => slice([10, 20, at]));
const numbered = (slices: Slice[], ...numbers: number[]) =>
  slices.map((original, n) => ({ ...original, instanceNumber: numbers[n] }));
const kinds = (stack: Stack) =>
  stack.problems.map(({ kind, isRefused }) => (isRefused ? `${kind}, refused` : kind));

describe("axial stacks", () => {
  const regular = { isRegular: true, planes: 4, spacing: 2.5 };
  const many = Array.from({ length: 30 }, (_, n) => 2 * n);
  const rows: [string, Slice[], string[], { isRegular: boolean; planes: number; spacing: number } | null][] =
    [
      ["in order", along(0, 2.5, 5, 7.5), [], regular],
      ["shuffled, negative", along(-2.5, -7.5, 0, -5), [], regular],
      ["rounded to 0.1 mm", along(0, 1.3, 2.5, 3.8, 5), [], { isRegular: true, planes: 5, spacing: 1.25 }],
      [
        "2.5 mm rounded to whole millimetres, halves to even ones",
        along(0, 2, 5, 8, 10, 12, 15),
        ["rounded-positions"],
        { isRegular: true, planes: 7, spacing: 2.5 },
      ],
      [
        "2 mm, then 3 mm",
        along(0, 2, 4, 6, 9, 12, 15),
        ["uneven-spacing"],
        { isRegular: false, planes: 6, spacing: 3 },
      ],
      [
        "steps of 1 mm and 2 mm, which may be a gap",
        along(0, 1, 2, 4, 5),
        ["uneven-spacing"],
        { isRegular: false, planes: 6, spacing: 1 },
      ],
      ["a slice that lies far off", along(0, 1, 2, 3, 1000.5), ["bad-geometry, refused"], null],
      [
        "one missing by number",
        numbered(along(0, 2.5, 7.5, 10), 1, 2, 4, 5),
        ["missing-slice, refused"],
        null,
      ],
      [
        "one of 30 missing, numbered anew",
        along(...many.filter((z) => z !== 20)),
        ["missing-slice, refused"],
        null,
      ],
      ["two missing at once", numbered(along(0, 2, 8, 10), 9, 8, 5, 4), ["missing-slice, refused"], null],
      [
        "a protocol of two spacings",
        numbered(along(0, 2, 4, 8, 12), 1, 2, 3, 4, 5),
        ["uneven-spacing"],
        { isRegular: false, planes: 4, spacing: 4 },
      ],
      [
        "one slice off by 0.3 mm",
        along(0, 2.5, 5.3, 7.5),
        ["uneven-spacing"],
        { isRegular: false, planes: 4, spacing: 2.5 },
      ],
      ["doubled", along(0, 2.5, 2.5, 5, 7.5), ["duplicate-slice"], regular],
      ["no position", [...along(0, 2.5), slice(null)], ["missing-position, refused"], null],
      ["no orientation", [slice([0, 0, 0], { axes: null })], ["missing-position, refused"], null],
      ["no pixel spacing", [slice([0, 0, 0], { spacingMm: null })], ["bad-geometry, refused"], null],
      ["zero pixel spacing", [slice([0, 0, 0], { spacingMm: [0, 1] })], ["bad-geometry, refused"], null],
      [
        "skewed rows and columns",
        [
          slice([0, 0, 0], {
            axes: [
              [1, 0, 0],
              [0.1, 0.995, 0],
            ],
          }),
        ],
        ["bad-geometry, refused"],
        null,
      ],
      [
        "one slice of 3 mm",
        [slice([10, 20, 0], { thicknessMm: 3 })],
        ["single-slice"],
        { isRegular: true, planes: 1, spacing: 3 },
      ],
    ];
  test.each(rows)("%s", (_, slices, problems, expected) => {
    const stack = stackOf(slices);
    expect(kinds(stack)).toEqual(problems);
    for (const { message } of stack.problems) expect(message).toMatch(/^[A-Z0-9a-z][^\n]*\.$/);
    if (expected === null) {
      expect(stack.geometry).toBeNull();
      return;
    }
    const lowest = Math.min(...slices.map(({ positionMm }) => positionMm?.[2] ?? 0));
    expect(stack.isRegular).toBe(expected.isRegular);
    expect(stack.geometry).toEqual({
      size: [4, 3, expected.planes],
      spacingMm: [0.5, 0.7, expect.closeTo(expected.spacing, 10)],
      originMm: [10, 20, lowest],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    });
  });

  test("a gap beside files that cannot be read is of slices that are missing", () => {
    const slices = numbered(along(0, 2, 4, 8, 12), 1, 2, 3, 4, 5);
    expect(kinds(stackOf(slices))).toEqual(["uneven-spacing"]);
    expect(kinds(stackOf(slices, true))).toEqual(["missing-slice, refused"]);
    expect(kinds(stackOf(along(0, 2, 4, 6), true))).toEqual([]);
  });

  test("rounded positions: each slice lies within half a millimetre of where it is put", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2.01, max: 6, noNaN: true }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        (stepMm, firstMm) => {
          const places = Array.from({ length: 12 }, (_, k) => Math.round(firstMm + k * stepMm));
          const { geometry, isRegular } = stackOf(along(...places));
          fc.pre(new Set(places.slice(1).map((place, k) => place - places[k])).size > 1);
          expect(isRegular).toBe(true);
          expect(geometry?.size[2]).toBe(12);
          places.forEach((place, k) => {
            const [, , z] = geometry === null ? [0, 0, NaN] : pointOfIndex(geometry, [0, 0, k]);
            expect(Math.abs(z - place)).toBeLessThan(0.5 + 1e-6);
          });
        },
      ),
    );
  });

  test("the message counts what is missing, and says where", () => {
    const [{ message }] = stackOf(numbered(along(0, 2, 8, 10), 1, 2, 5, 6)).problems;
    expect(message).toContain("2 slices are missing: the usual step is 2.00 mm");
    expect(message).toContain("between at 10,20,2 and at 10,20,8 it is 6.00 mm");
  });

  test("rows towards the right and columns towards anterior: slices run from foot to head all the same", () => {
    const axes: Slice["axes"] = [
      [-1, 0, 0],
      [0, -1, 0],
    ];
    const { geometry } = stackOf([slice([5, 5, 2], { axes }), slice([5, 5, 1], { axes })]);
    expect(geometry?.originMm).toEqual([5, 5, 1]);
    expect(geometry?.direction).toEqual([-1, 0, 0, 0, -1, 0, 0, 0, 1]);
  });
});

const directions = fc
  .tuple(
    ...([0, 1, 2, 3, 4, 5].map(() => fc.double({ min: -1, max: 1, noNaN: true })) as [
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
      fc.Arbitrary<number>,
    ]),
  )
  .map(([a, b, c, d, e, f]): [Vector3, Vector3] => [
    [a, b, c],
    [d, e, f],
  ])
  .filter(([p, q]) => Math.hypot(...cross(p, q)) > 0.1)
  .map(([p, q]): [i: Vector3, j: Vector3, normal: Vector3] => {
    const i = unit(p);
    const normal = unit(cross(p, q));
    return [i, cross(normal, i), normal];
  });

test("in any direction and order, the centre of each pixel is where its slice has it", () => {
  fc.assert(
    fc.property(
      directions,
      fc.double({ min: 0.3, max: 6, noNaN: true }),
      fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6], { minLength: 7 }),
      ([i, j, normal], stepMm, order) => {
        const first: Vector3 = [-120.5, 33, 871];
        const slices = order.map((n) => slice(addScaled(first, normal, n * stepMm), { axes: [i, j] }));
        const stack = stackOf(slices);
        expect(stack.isRegular).toBe(true);
        const { geometry, placed } = stack;
        if (geometry === null) throw new Error("no grid");
        placed.forEach(({ slice: imageSlice }, k) => {
          const expected = addScaled(addScaled(imageSlice.positionMm, i, 3 * 0.5), j, 2 * 0.7);
          const point = pointOfIndex(geometry, [3, 2, k]);
          for (const axis of [0, 1, 2]) expect(point[axis]).toBeCloseTo(expected[axis], 6);
        });
      },
    ),
    { numRuns: 100 },
  );
});

describe("resampling", () => {
  // Linear interpolation gives a linear function back, so that every voxel tells where it was taken from.
  const ramp = ([x, y, z]: Vector3) => 3 * x - 5 * y + 7 * z;

  test("a tilted, uneven stack of a linear function gives that function at every voxel, and air outside", async () => {
    await fc.assert(
      fc.asyncProperty(
        directions,
        fc.array(fc.double({ min: 0.5, max: 4, noNaN: true }), { minLength: 2, maxLength: 6 }),
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        fc.double({ min: -0.5, max: 0.5, noNaN: true }),
        async ([i, j, normal], gaps, tiltI, tiltJ) => {
          const step = addScaled(addScaled(normal, i, tiltI), j, tiltJ);
          let at = 0;
          const distances = [0, ...gaps.map((gap) => (at += gap))];
          const first: Vector3 = [10, -20, 30];
          const stack = stackOf(
            distances.map((distance, n) => ({
              ...slice(addScaled(first, step, distance), { axes: [i, j], columns: 7, rows: 6 }),
              instanceNumber: n,
            })),
          );
          fc.pre(stack.geometry !== null && !stack.isRegular);
          const { geometry } = stack;
          if (geometry === null) return;
          const pixels = (n: number) => {
            const origin = stack.placed[n].slice.positionMm;
            return Array.from({ length: 42 }, (_, p) =>
              ramp(addScaled(addScaled(origin, i, (p % 7) * 0.5), j, Math.floor(p / 7) * 0.7)),
            );
          };
          const data = await resampleStack(stack, geometry, async (n) => pixels(n));
          const [nx, ny, nz] = geometry.size;
          let inside = 0;
          for (let k = 0; k < nz; k++) {
            const distance = k * geometry.spacingMm[2];
            const behind = Math.min(
              distances.length - 1,
              Math.max(
                1,
                distances.findIndex((d) => d > distance + 1e-9),
              ),
            );
            const pair = distance > at - 1e-9 ? [distances.length - 1] : [behind - 1, behind];
            for (let q = 0; q < nx * ny; q++) {
              const point = pointOfIndex(geometry, [q % nx, Math.floor(q / nx), k]);
              const margins = pair.map((n) => marginInSlice(point, stack.placed[n].slice, i, j));
              const value = data[q + nx * ny * k];
              if (Math.min(...margins) > 1e-3) {
                expect(value).toBeCloseTo(ramp(point), 2);
                inside++;
              } else if (Math.max(...margins) < -0.501) expect(value).toBe(outsideHu);
            }
          }
          expect(inside).toBeGreaterThan(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  /** How far a point lies within the outermost pixel centres of a slice, in pixels; negative outside. */
  function marginInSlice(point: Vector3, imageSlice: LocatedSlice, i: Vector3, j: Vector3): number {
    const offset = addScaled(point, imageSlice.positionMm, -1);
    const u = (offset[0] * i[0] + offset[1] * i[1] + offset[2] * i[2]) / 0.5;
    const v = (offset[0] * j[0] + offset[1] * j[1] + offset[2] * j[2]) / 0.7;
    return Math.min(u, 6 - u, v, 5 - v);
  }

  test("by hand: two slices shifted by one column, three planes", async () => {
    const shifted = [slice([0, 0, 0]), slice([0.5, 0, 2]), slice([1, 0, 4])].map((original) => ({
      ...original,
      columns: 2,
      rows: 1,
    }));
    const stack = stackOf(shifted);
    expect(kinds(stack)).toEqual(["gantry-tilt"]);
    const { geometry } = stack;
    if (geometry === null) throw new Error("no grid");
    expect(geometry).toMatchObject({ size: [4, 1, 3], spacingMm: [0.5, 0.7, 2], originMm: [0, 0, 0] });
    const data = await resampleStack(stack, geometry, async (n) => [10 * n, 10 * n + 1]);
    const out = outsideHu;
    expect([...data]).toEqual([0, 1, out, out, out, 10, 11, out, out, out, 20, 21]);
  });
});
