import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cross, dot, subtract, unit } from "../volume/vector.js";
import type { Vector3 } from "../volume/volume.js";
import { type ConvexPolyhedron, convexHull2, convexHull3 } from "./convex-hull.js";
import { feretDiameters } from "./feret.js";
import { voxelHull } from "./half-voxel-hull.js";
import { ellipsoidMask, masks, rotation, turnedGrids } from "./mask.test-helper.js";

const whole = fc.integer({ min: -6, max: 6 });

describe("hulls", () => {
  test.each<[string, [number, number][], [number, number][]]>([
    [
      "a square with points on its sides and inside",
      [
        [0, 0],
        [2, 0],
        [1, 0],
        [2, 2],
        [0, 2],
        [1, 1],
        [0, 1],
      ],
      [
        [0, 0],
        [2, 0],
        [2, 2],
        [0, 2],
      ],
    ],
    [
      "a line",
      [
        [2, 2],
        [0, 0],
        [1, 1],
      ],
      [
        [0, 0],
        [2, 2],
      ],
    ],
    [
      "one point twice",
      [
        [3, 4],
        [3, 4],
      ],
      [[3, 4]],
    ],
    ["no point", [], []],
  ])("in a plane: %s", (_, points, expected) => {
    expect(convexHull2(points)).toEqual(expected);
  });

  test("in space: closed, and no point outside any side", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(whole, whole, whole), { minLength: 4, maxLength: 60 }), (points) => {
        fc.pre(spansSpace(points));
        const { vertices, triangles } = convexHull3(points);
        // Euler: V − E + F = 2, with three edges for two triangles.
        expect(vertices.length - triangles.length / 2).toBe(2);
        for (const [a, b, c] of triangles) {
          const normal = cross(subtract(vertices[b], vertices[a]), subtract(vertices[c], vertices[a]));
          expect(dot(normal, normal)).toBeGreaterThan(0);
          const above = points.filter((point) => dot(normal, subtract(point, vertices[a])) > 0);
          expect(above).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("points of one plane are refused", () => {
    const flat = [0, 1, 2, 3].map((n): Vector3 => [n, n * n, 5]);
    expect(() => convexHull3(flat)).toThrow(RangeError);
    expect(() => convexHull3([[1, 2, 3]])).toThrow(RangeError);
  });
});

function spansSpace(points: readonly Vector3[]): boolean {
  return points.some((b) =>
    points.some((c) => {
      const normal = cross(subtract(b, points[0]), subtract(c, points[0]));
      return points.some((d) => dot(normal, subtract(d, points[0])) !== 0);
    }),
  );
}

describe("Feret diameters", () => {
  test.each<[string, Vector3, Vector3, number, number]>([
    ["one voxel: its diamond, between parallel sides", [1, 1, 1], [1, 1, 1], 1, 1 / Math.sqrt(3)],
    ["one long voxel", [1, 1, 1], [1, 1, 4], 4, 1 / Math.sqrt(1 + 1 + 1 / 16)],
    ["two voxels in a row", [2, 1, 1], [3, 1, 1], 6, 1 / Math.SQRT2],
    ["a slab of four layers", [9, 9, 4], [1, 1, 0.5], Math.hypot(9, 8, 1.5), 2],
  ])("%s", (_, size, spacingMm, max, min) => {
    const data = new Uint8Array(size[0] * size[1] * size[2]).fill(1);
    const feret = feretDiameters({
      data,
      size,
      spacingMm,
      originMm: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    });
    expect(feret.feretMaxMm).toBeCloseTo(max, 9);
    expect(feret.feretMinMm).toBeCloseTo(min, 9);
  });

  test("the smallest width is that of a search over every pair of edges and every side", () => {
    fc.assert(
      fc.property(masks([3, 4, 3]), (mask) => {
        const hull = voxelHull(mask.data, mask.size);
        const [a, b, c] = mask.spacingMm;
        const vertices = hull.vertices.map(([x, y, z]): Vector3 => [(x * a) / 2, (y * b) / 2, (z * c) / 2]);
        const widths = candidateDirections({ ...hull, vertices }).map((direction) => {
          const heights = vertices.map((vertex) => dot(direction, vertex));
          return Math.max(...heights) - Math.min(...heights);
        });
        expect(feretDiameters(mask).feretMinMm).toBeCloseTo(Math.min(...widths), 9);
      }),
      { numRuns: 40 },
    );
  });

  test("do not depend on how the grid is stored", () => {
    fc.assert(
      fc.property(masks([4, 3, 5]), turnedGrids, (mask, turn) => {
        const feret = feretDiameters(mask);
        const turned = feretDiameters(turn(mask));
        expect(turned.feretMaxMm).toBeCloseTo(feret.feretMaxMm, 9);
        expect(turned.feretMinMm).toBeCloseTo(feret.feretMinMm, 9);
      }),
      { numRuns: 60 },
    );
  });

  test("of ellipsoids: within one voxel of the longest and the shortest axis", () => {
    const half = fc.double({ min: 5, max: 9, noNaN: true });
    const angles = fc.tuple(
      fc.integer({ min: 0, max: 180 }),
      fc.integer({ min: -2, max: 2 }),
      fc.integer({ min: -2, max: 2 }),
    );
    fc.assert(
      fc.property(fc.tuple(half, half, half), angles, (halfAxesMm, [degrees, y, z]) => {
        const turn = rotation(unit([1, y, z]), degrees);
        const mask = ellipsoidMask(
          { halfAxesMm, turn },
          [1, 0.8, 1.2],
          [1, 0, 0, 0, 1, 0, 0, 0, 1],
          [0.1, 0.3, -0.2],
        );
        const { feretMaxMm, feretMinMm } = feretDiameters(mask);
        expect(Math.abs(feretMaxMm - 2 * Math.max(...halfAxesMm))).toBeLessThan(1.2);
        expect(Math.abs(feretMinMm - 2 * Math.min(...halfAxesMm))).toBeLessThan(1.2);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});

/** Unit normals of all sides, and of the planes along any two edges that are not parallel. */
function candidateDirections({ vertices, triangles }: ConvexPolyhedron): Vector3[] {
  const edges = triangles.flatMap(([a, b, c]) =>
    [
      [a, b],
      [b, c],
      [c, a],
    ]
      .filter(([from, to]) => from < to)
      .map(([from, to]) => unit(subtract(vertices[to], vertices[from]))),
  );
  return edges.flatMap((first, index) =>
    edges
      .slice(0, index)
      .map((other) => cross(first, other))
      .filter((normal) => Math.hypot(...normal) > 1e-6)
      .map(unit),
  );
}
