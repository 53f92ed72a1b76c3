// Convex hulls of points with integer coordinates, for which every orientation test is exact.

import { cross, dot, subtract } from "../volume/vector.js";
import type { Vector3 } from "../volume/volume.js";

export type Point2 = readonly [number, number];

/** A convex polyhedron: triangles, as indices into its vertices, counter-clockwise seen from outside. */
export interface ConvexPolyhedron {
  readonly vertices: readonly Vector3[];
  readonly triangles: readonly (readonly [number, number, number])[];
}

/**
 * The corners of the hull of points in a plane, counter-clockwise, none on a line between two others. Only one or two
 * points if all points coincide or lie on a line. Monotone chain (Andrew 1979).
 *
 * @param points - integer coordinates below 2²⁵, so that products are exact
 */
export function convexHull2(points: readonly Point2[]): Point2[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  const lower = chainOf(sorted);
  const upper = chainOf(sorted.reverse());
  return lower.length < 2 ? lower : [...lower.slice(0, -1), ...upper.slice(0, -1)];
}

function chainOf(sorted: readonly Point2[]): Point2[] {
  const chain: Point2[] = [];
  for (const point of sorted) {
    while (chain.length > 1 && !turnsLeft(chain[chain.length - 2], chain[chain.length - 1], point))
      chain.pop();
    const last = chain[chain.length - 1];
    if (last === undefined || last[0] !== point[0] || last[1] !== point[1]) chain.push(point);
  }
  return chain;
}

function turnsLeft(a: Point2, b: Point2, c: Point2): boolean {
  return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0]);
}

/**
 * The hull of points in space, by Quickhull (Barber, Dobkin and Huhdanpaa, ACM TOMS 22, 1996). Because every sign is
 * exact, no tolerance is needed: a flat side becomes several triangles in the same plane, none without area.
 *
 * @param points - integer coordinates below 2¹⁵, so that determinants are exact
 * @throws RangeError where all points lie in a plane
 */
export function convexHull3(points: readonly Vector3[]): ConvexPolyhedron {
  let faces = firstTetrahedron(points);
  distribute(points, points.keys(), faces);
  const unfinished = [...faces];
  for (let face = unfinished.pop(); face !== undefined; face = unfinished.pop()) {
    if (face.isGone || face.outside.length === 0) continue;
    const apex = farthestOutside(points, face);
    const visible: Face[] = [];
    const hidden: Face[] = [];
    for (const face of faces) (heightAbove(face, points[apex]) > 0 ? visible : hidden).push(face);
    const added = horizonOf(visible, points.length).map(([a, b]) => faceOf(points, a, b, apex));
    for (const face of visible) {
      face.isGone = true;
      distribute(points, face.outside, added);
    }
    faces = hidden.concat(added);
    unfinished.push(...added);
  }
  const used = [...new Set(faces.flatMap(({ corners }) => corners))];
  const place = new Map(used.map((index, at) => [index, at]));
  const placeOf = (index: number): number => place.get(index) ?? 0;
  return {
    vertices: used.map((index) => points[index]),
    triangles: faces.map(({ corners: [a, b, c] }) => [placeOf(a), placeOf(b), placeOf(c)]),
  };
}

interface Face {
  /** Indices into the points. */
  readonly corners: readonly [number, number, number];
  /** Outward normal; its length is twice the triangle's area. */
  readonly normal: Vector3;
  readonly offset: number;
  /** Points outside this face; each point is listed at a single face. */
  readonly outside: number[];
  isGone: boolean;
}

function faceOf(points: readonly Vector3[], a: number, b: number, c: number): Face {
  const normal = cross(subtract(points[b], points[a]), subtract(points[c], points[a]));
  return { corners: [a, b, c], normal, offset: dot(normal, points[a]), outside: [], isGone: false };
}

/** Positive outside the face; the height times twice the face's area. */
function heightAbove({ normal, offset }: Face, point: Vector3): number {
  return normal[0] * point[0] + normal[1] * point[1] + normal[2] * point[2] - offset;
}

/** Assigns each point to the first face that it is outside of; points inside all faces are dropped. */
function distribute(points: readonly Vector3[], indices: Iterable<number>, faces: readonly Face[]): void {
  for (const index of indices) {
    for (const face of faces) {
      if (heightAbove(face, points[index]) <= 0) continue;
      face.outside.push(index);
      break;
    }
  }
}

function farthestOutside(points: readonly Vector3[], face: Face): number {
  return face.outside.reduce((best, candidate) =>
    heightAbove(face, points[candidate]) > heightAbove(face, points[best]) ? candidate : best,
  );
}

/** The directed edges between faces that are visible from a point and faces that are not. */
function horizonOf(visible: readonly Face[], pointCount: number): [number, number][] {
  const edges = new Map<number, [number, number]>();
  for (const { corners } of visible) {
    for (let corner = 0; corner < 3; corner++) {
      const from = corners[corner];
      const to = corners[(corner + 1) % 3];
      if (!edges.delete(to * pointCount + from)) edges.set(from * pointCount + to, [from, to]);
    }
  }
  return [...edges.values()];
}

function firstTetrahedron(points: readonly Vector3[]): Face[] {
  const isApart = (v: Vector3): boolean => v[0] !== 0 || v[1] !== 0 || v[2] !== 0;
  const second = points.findIndex((p) => isApart(subtract(p, points[0])));
  const third = points.findIndex(
    (p) => second > 0 && isApart(cross(subtract(points[second], points[0]), subtract(p, points[0]))),
  );
  const base = third > 0 ? faceOf(points, 0, second, third) : null;
  const fourth = base === null ? -1 : points.findIndex((p) => heightAbove(base, p) !== 0);
  if (base === null || fourth < 0)
    throw new RangeError("A convex hull in space needs points that do not all lie in a plane.");
  const [b, c] = heightAbove(base, points[fourth]) > 0 ? [third, second] : [second, third];
  return [
    faceOf(points, 0, b, c),
    faceOf(points, b, 0, fourth),
    faceOf(points, c, b, fourth),
    faceOf(points, 0, c, fourth),
  ];
}
