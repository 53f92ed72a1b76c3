import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { geometriesOf, numbers } from "../volume/geometries.test-helper.js";
import type { PlanarContour } from "../volume/planar-contour.js";
import { axisDirections, cross, dot, subtract, unit } from "../volume/vector.js";
import { type Geometry, indexOfPoint, pointOfIndex, type Vector3, voxelCount } from "../volume/volume.js";
import { contourProblems, drawnSpacingMm, rasteriseContours, traceContours } from "./contours.js";

const grid = (size: Vector3, spacingMm: Vector3 = [1, 1, 1]): Geometry => ({
  size,
  spacingMm,
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});

/** A contour from in-plane corners at one height. */
const contour = (z: number, ...corners: readonly (readonly [number, number])[]): PlanarContour => ({
  pointsMm: corners.map(([x, y]) => [x, y, z]),
});

const rectangle = (z: number, left: number, top: number, right: number, bottom: number) =>
  contour(z, [left, top], [right, top], [right, bottom], [left, bottom]);

/** Rows of a mask as text, slices apart by a space. */
function picture(mask: Uint8Array, [width, height]: Vector3): string[] {
  const rows = (mask.join("").match(new RegExp(`.{${width}}`, "g")) ?? []).map((row) =>
    row.replaceAll("0", "."),
  );
  return Array.from({ length: height }, (_, j) => rows.filter((_row, n) => n % height === j).join(" "));
}

describe("a voxel is in where its centre is", () => {
  const size: Vector3 = [5, 4, 1];
  test.each<[string, PlanarContour[], string[]]>([
    ["nothing", [], [".....", ".....", ".....", "....."]],
    ["a rectangle", [rectangle(0, 0.6, 0.6, 3.4, 2.4)], [".....", ".111.", ".111.", "....."]],
    [
      "its other winding",
      [contour(0, [0.6, 0.6], [0.6, 2.4], [3.4, 2.4], [3.4, 0.6])],
      [".....", ".111.", ".111.", "....."],
    ],
    [
      "a repeated first point",
      [contour(0, [0.6, 0.6], [3.4, 0.6], [3.4, 2.4], [0.6, 2.4], [0.6, 0.6])],
      [".....", ".111.", ".111.", "....."],
    ],
    [
      "a triangle",
      [contour(0, [-0.5, -0.5], [4.4, -0.5], [-0.5, 4.4])],
      ["1111.", "111..", "11...", "1...."],
    ],
    ["between centres", [rectangle(0, 1.1, 1.1, 1.9, 1.9)], [".....", ".....", ".....", "....."]],
    [
      "centres on the outline: in at the start, out at the end",
      [rectangle(0, 1, 1, 3, 3)],
      [".....", ".11..", ".11..", "....."],
    ],
    ["beyond the grid", [rectangle(0, -9, -9, 1.5, 9)], ["11...", "11...", "11...", "11..."]],
    [
      "a hole by exclusive or",
      [rectangle(0, -0.5, -0.5, 4.5, 3.5), rectangle(0, 0.5, 0.5, 3.5, 2.5)],
      ["11111", "1...1", "1...1", "11111"],
    ],
    [
      "an island in the hole",
      [
        rectangle(0, -0.5, -0.5, 4.5, 3.5),
        rectangle(0, 0.5, 0.5, 3.5, 2.5),
        rectangle(0, 1.5, 0.5, 2.5, 1.5),
      ],
      ["11111", "1.1.1", "1...1", "11111"],
    ],
    [
      "two bodies",
      [rectangle(0, -0.5, -0.5, 1.5, 1.5), rectangle(0, 2.5, 1.5, 4.5, 3.5)],
      ["11...", "11...", "...11", "...11"],
    ],
    [
      "the same contour twice",
      [rectangle(0, 0.5, 0.5, 2.5, 2.5), rectangle(0, 0.5, 0.5, 2.5, 2.5)],
      [".....", ".11..", ".11..", "....."],
    ],
    [
      "a keyhole",
      [
        contour(
          0,
          [-0.5, -0.5],
          [4.5, -0.5],
          [4.5, 3.5],
          [-0.5, 3.5],
          [-0.5, 1.2],
          [0.5, 1.2],
          [0.5, 2.5],
          [3.5, 2.5],
          [3.5, 0.5],
          [0.5, 0.5],
          [0.5, 1.2],
          [-0.5, 1.2],
        ),
      ],
      ["11111", "1...1", "1...1", "11111"],
    ],
  ])("%s", (_, contours, expected) => {
    expect(picture(rasteriseContours(contours, grid(size)), size)).toEqual(expected);
  });
});

describe("a plane reaches the slices nearest to it", () => {
  const square = (z: number) => rectangle(z, -0.5, -0.5, 0.5, 0.5);
  test.each<[string, number[], number, string, RegExp | null]>([
    ["on its slice", [2], 1, "..1......", null],
    ["a third of a slice off", [2.3], 1, "..1......", /1 contour plane between slices/],
    ["midway: the lower plane's slice alone", [2.5], 1, "...1.....", /between slices/],
    [
      "each midway: no slice twice, none missed",
      [1.5, 2.5, 3.5],
      1,
      "..111....",
      /3 contour planes between slices/,
    ],
    ["every slice", [1, 2, 3], 1, ".111.....", null],
    ["rounded heights", [1.0004, 1.9996, 3.0003], 1, ".111.....", null],
    ["every third", [1, 4, 7], 1, ".1..1..1.", /2 gaps between contour planes, left empty/],
    [
      "three a slice",
      [2, 2.333, 2.667, 3],
      1,
      "..11.....",
      /2 contour planes between.*2 contour planes unused/,
    ],
    ["a gap", [1, 2, 3, 6, 7], 1, ".111..11.", /1 gap between contour planes/],
    ["thick slices", [3, 6], 3, ".11......", null],
    ["outside", [40], 1, ".........", /1 contour wholly or partly outside/],
  ])("%s", (_, heights, spacing, expected, problem) => {
    const geometry = grid([1, 1, 9], [1, 1, spacing]);
    const contours = heights.map(square);
    expect(rasteriseContours(contours, geometry).join("").replaceAll("0", ".")).toBe(expected);
    const problems = contourProblems(contours, geometry).join("; ");
    if (problem === null) expect(problems).toBe("");
    else expect(problems).toMatch(problem);
  });

  test("or to half of the distance at which they were drawn", () => {
    const geometry = grid([1, 1, 9]);
    const [body, node] = [[1, 4, 7].map(square), [4, 7].map(square)];
    const every = drawnSpacingMm(body, geometry) ?? 0;
    expect(every).toBeCloseTo(3);
    expect(rasteriseContours(node, geometry, every).join("")).toBe("000111111");
    expect(contourProblems(node, geometry, every)).toEqual([
      "contours every 3.00 mm fill the slices every 1.00 mm",
    ]);
    expect(drawnSpacingMm(node, geometry)).toBeNull();
    expect(drawnSpacingMm([], geometry)).toBeNull();
    // Three bodies of one slice each tell nothing of slices.
    expect(drawnSpacingMm([0, 30, 60].map(square), geometry)).toBeNull();
  });
});

test("a line, two points and a point enclose nothing, and are reported", () => {
  const flat = [contour(0, [0, 0], [2, 2]), contour(0, [0, 0], [1, 1], [2, 2]), contour(0, [1, 1])];
  expect(rasteriseContours(flat, grid([3, 3, 1])).some((value) => value !== 0)).toBe(false);
  expect(contourProblems(flat, grid([3, 3, 1]))).toEqual(["3 contours without area left out"]);
});

test("a contour that is not flat fills its mean plane, and is reported", () => {
  const bent: PlanarContour = {
    pointsMm: [
      [0.5, 0.5, 1.3],
      [3.5, 0.5, 0.7],
      [3.5, 3.5, 1.3],
      [0.5, 3.5, 0.7],
    ],
  };
  const size: Vector3 = [5, 5, 3];
  expect(picture(rasteriseContours([bent], grid(size)), size)).toEqual([
    "..... ..... .....",
    "..... .111. .....",
    "..... .111. .....",
    "..... .111. .....",
    "..... ..... .....",
  ]);
  expect(contourProblems([bent], grid(size))).toContain("1 contour not flat, projected to the mean plane");
});

test("sagittal and coronal contours fill planes of constant i and j", () => {
  const geometry = grid([4, 4, 4]);
  const square = (at: (u: number, v: number) => Vector3): PlanarContour => ({
    pointsMm: [at(0.5, 0.5), at(2.5, 0.5), at(2.5, 2.5), at(0.5, 2.5)],
  });
  const sagittal = rasteriseContours(
    [1, 2].map((x) => square((u, v) => [x, u, v])),
    geometry,
  );
  const coronal = rasteriseContours(
    [1, 2].map((y) => square((u, v) => [u, y, v])),
    geometry,
  );
  const axial = rasteriseContours(
    [1, 2].map((z) => square((u, v) => [u, v, z])),
    geometry,
  );
  expect(axial.reduce((sum, value) => sum + value)).toBe(8);
  expect(sagittal).toEqual(axial);
  expect(coronal).toEqual(axial);
  expect(contourProblems([square((u, v) => [1, u, v])], geometry)).toEqual([
    "contours across the slices, in planes of constant i",
  ]);
});

const smallGrids = geometriesOf(fc.integer({ min: 1, max: 7 }));

/** Masks of every kind: noise has holes, corners that touch, and bodies at the border. */
const masked = smallGrids.chain((geometry) =>
  fc.record({
    geometry: fc.constant(geometry),
    mask: fc.uint8Array({
      minLength: voxelCount(geometry),
      maxLength: voxelCount(geometry),
      max: 1,
    }),
  }),
);

test("rasterised outlines are the mask itself, whatever the grid", () => {
  fc.assert(
    fc.property(masked, ({ geometry, mask }) => {
      const contours = traceContours(mask, geometry);
      expect(rasteriseContours(contours, geometry)).toEqual(mask);
    }),
    { seed: 11, numRuns: 300 },
  );
});

test("outlines lie in their slice, cut no more than a half voxel, and repeat no point", () => {
  fc.assert(
    fc.property(masked, ({ geometry, mask }) => {
      for (const { pointsMm } of traceContours(mask, geometry)) {
        const indices = pointsMm.map((point) => indexOfPoint(geometry, point));
        const height = Math.round(indices[0][2]);
        for (const [i, j, k] of indices) {
          expect(Math.abs(k - height)).toBeLessThan(1e-6);
          expect(i).toBeGreaterThan(-0.51);
          expect(j).toBeGreaterThan(-0.51);
        }
        expect(new Set(indices.map((index) => index.map((n) => n.toFixed(3)).join())).size).toBe(
          indices.length,
        );
      }
    }),
    { seed: 12, numRuns: 50 },
  );
});

test("an outline's area is that of its voxels less half a voxel", () => {
  const geometry = grid([6, 6, 1], [0.5, 2, 1]);
  const mask = Uint8Array.from("000000011110011110010010011110000000", Number);
  const areas = traceContours(mask, geometry).map(({ pointsMm }) =>
    Math.abs(
      pointsMm.reduce((sum, [x, y], n) => {
        const [px, py] = pointsMm.at(n - 1) ?? [0, 0];
        return sum + (px * y - x * py) / 2;
      }, 0),
    ),
  );
  // Voxels of 1 mm²: 16 inside the outline, 2 of them the hole.
  expect(areas.sort((a, b) => b - a)).toEqual([15.5, 1.5]);
});

test("straight edges have two points, however long", () => {
  const geometry = grid([9, 9, 1]);
  const [outline, ...others] = traceContours(new Uint8Array(81).fill(1), geometry);
  expect(others).toEqual([]);
  // A rectangle with four cut corners.
  expect(outline.pointsMm).toHaveLength(8);
});

test("one label of several is traced alone", () => {
  const labels = Uint16Array.of(0, 7, 7, 300, 300, 0);
  const geometry = grid([6, 1, 1]);
  expect(rasteriseContours(traceContours(labels, geometry, 300), geometry).join("")).toBe("000110");
});

test("a stack of planes at any angle: each voxel by the nearest plane, inside or not by angle", () => {
  const stacks = fc.record({
    geometry: geometriesOf(fc.integer({ min: 4, max: 8 })),
    tilt: fc.tuple(numbers(-1, 1), numbers(-1, 1), numbers(0.3, 1)),
    spacingMm: numbers(0.8, 4),
    radii: fc.array(numbers(1, 9), { minLength: 5, maxLength: 9 }),
    planes: fc.integer({ min: 3, max: 5 }),
  });
  fc.assert(
    fc.property(stacks, ({ geometry, tilt, spacingMm, radii, planes }) => {
      const normal = unit(tilt);
      const u = unit(cross(normal, [0.31, 0.83, -0.47]));
      const v = cross(normal, u);
      const centre = pointOfIndex(geometry, [
        geometry.size[0] / 2,
        geometry.size[1] / 2,
        geometry.size[2] / 2,
      ]);
      const polygon = radii.map((radius, n): [number, number] => {
        const angle = (2 * Math.PI * n) / radii.length;
        return [radius * Math.cos(angle), radius * Math.sin(angle)];
      });
      const heights = Array.from({ length: planes }, (_, n) => (n - 1) * spacingMm);
      const at = (a: number, b: number, h: number): Vector3 => [
        centre[0] + a * u[0] + b * v[0] + h * normal[0],
        centre[1] + a * u[1] + b * v[1] + h * normal[1],
        centre[2] + a * u[2] + b * v[2] + h * normal[2],
      ];
      const contours = heights.map((h) => ({ pointsMm: polygon.map(([a, b]) => at(a, b, h)) }));
      const slice = Math.max(
        ...axisDirections(geometry).map((axis, n) => Math.abs(dot(axis, normal)) * geometry.spacingMm[n]),
      );
      const reach = Math.max(slice, spacingMm) / 2;
      const mask = rasteriseContours(contours, geometry, spacingMm);
      mask.forEach((value, n) => {
        const [nx, ny] = geometry.size;
        const point = pointOfIndex(geometry, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]);
        const from = subtract(point, centre);
        const toPlane = Math.min(...heights.map((h) => Math.abs(dot(from, normal) - h)));
        const [a, b] = [dot(from, u), dot(from, v)];
        if (Math.abs(toPlane - reach) < 0.01 || distanceToPolygon([a, b], polygon) < 1e-3) return;
        expect(value).toBe(toPlane < reach && Math.abs(windingAngle([a, b], polygon)) > Math.PI ? 1 : 0);
      });
    }),
    { seed: 13, numRuns: 60 },
  );
});

/** The angle that a polygon turns around a point: ±2π inside, 0 outside. */
function windingAngle([x, y]: readonly [number, number], polygon: readonly [number, number][]): number {
  return polygon.reduce((sum, [px, py], n) => {
    const [qx, qy] = polygon[(n + 1) % polygon.length];
    const [ax, ay, bx, by] = [px - x, py - y, qx - x, qy - y];
    return sum + Math.atan2(ax * by - ay * bx, ax * bx + ay * by);
  }, 0);
}

function distanceToPolygon([x, y]: readonly [number, number], polygon: readonly [number, number][]): number {
  return Math.min(
    ...polygon.map(([px, py], n) => {
      const [qx, qy] = polygon[(n + 1) % polygon.length];
      const [dx, dy] = [qx - px, qy - py];
      const share = Math.min(1, Math.max(0, ((x - px) * dx + (y - py) * dy) / (dx * dx + dy * dy)));
      return Math.hypot(x - px - share * dx, y - py - share * dy);
    }),
  );
}
