// Feret diameters of a node: the largest and smallest distance between parallel planes that enclose it.

import { addScaled, cross, dot, subtract, unit } from "../volume/vector.js";
import type { Vector3, Volume } from "../volume/volume.js";
import type { ConvexPolyhedron } from "./convex-hull.js";
import { voxelHull } from "./half-voxel-hull.js";

export interface FeretDiameters {
  /** Distance between the two points of the node that are farthest apart. */
  readonly feretMaxMm: number;
  /** Distance between the two closest parallel planes that enclose the node. */
  readonly feretMinMm: number;
}

/**
 * The Feret diameters of a node in space, exact for {@link voxelHull}: the farthest pair of corners, and the smallest
 * width over all directions in which the width can be minimal: those of a side against a corner, and of an edge against
 * an edge (Houle and Toussaint, "Computing the Width of a Set", IEEE PAMI 10, 1988).
 *
 * @param node - foreground is 1, not empty
 */
export function feretDiameters(node: Volume<Uint8Array>): FeretDiameters {
  const [a, b, c] = node.spacingMm;
  const hull = voxelHull(node.data, node.size);
  const body: ConvexPolyhedron = {
    vertices: hull.vertices.map(([x, y, z]) => [(x * a) / 2, (y * b) / 2, (z * c) / 2]),
    triangles: hull.triangles,
  };
  return { feretMaxMm: diameterMm(body), feretMinMm: widthMm(body) };
}

function diameterMm({ vertices }: ConvexPolyhedron): number {
  let largest = 0;
  for (let first = 0; first < vertices.length; first++) {
    const [x, y, z] = vertices[first];
    for (let other = 0; other < first; other++) {
      const [u, v, w] = vertices[other];
      const squared = (x - u) ** 2 + (y - v) ** 2 + (z - w) ** 2;
      if (squared > largest) largest = squared;
    }
  }
  return Math.sqrt(largest);
}

function widthMm(body: ConvexPolyhedron): number {
  const normals = body.triangles.map(([a, b, c]) => {
    const origin = body.vertices[a];
    return unit(cross(subtract(body.vertices[b], origin), subtract(body.vertices[c], origin)));
  });
  const sides = body.triangles.map(([a], triangle) => sideWidthMm(body, a, normals[triangle]));
  return Math.min(...sides, ...edgeWidthsMm(edgesOf(body, normals), Math.min(...sides)));
}

/** From the plane of a side to the corner farthest from it. */
function sideWidthMm({ vertices }: ConvexPolyhedron, onSide: number, normal: Vector3): number {
  let farthest = 0;
  const height = dot(normal, vertices[onSide]);
  for (const [x, y, z] of vertices) {
    const depth = height - (normal[0] * x + normal[1] * y + normal[2] * z);
    if (depth > farthest) farthest = depth;
  }
  return farthest;
}

interface Edge {
  readonly point: Vector3;
  /** Unit vector along the edge. */
  readonly along: Vector3;
  /** Outward unit normals of the two sides that meet here. */
  readonly left: Vector3;
  readonly right: Vector3;
}

/** The edges between sides in different planes. */
function edgesOf({ vertices, triangles }: ConvexPolyhedron, normals: readonly Vector3[]): Edge[] {
  const sideOfEdge = new Map<number, number>();
  const edges: Edge[] = [];
  triangles.forEach((corners, triangle) => {
    for (let corner = 0; corner < 3; corner++) {
      const from = corners[corner];
      const to = corners[(corner + 1) % 3];
      const opposite = sideOfEdge.get(to * vertices.length + from);
      sideOfEdge.set(from * vertices.length + to, triangle);
      if (opposite === undefined) continue;
      const [left, right] = [normals[triangle], normals[opposite]];
      if (dot(left, right) > 1 - 1e-12) continue;
      edges.push({ point: vertices[from], along: unit(subtract(vertices[to], vertices[from])), left, right });
    }
  });
  return edges;
}

/** Distances below `limit` between parallel planes that enclose the polyhedron and each touch it along an edge. */
function edgeWidthsMm(edges: readonly Edge[], limit: number): number[] {
  const widths: number[] = [];
  let least = limit;
  for (let n = 0; n < edges.length; n++) {
    const first = edges[n];
    for (let other = 0; other < n; other++) {
      const second = edges[other];
      if (!areOpposite(first, second)) continue;
      const normal = cross(first.along, second.along);
      const width = Math.abs(dot(normal, subtract(first.point, second.point))) / Math.hypot(...normal);
      if (width >= least) continue;
      least = width;
      widths.push(width);
    }
  }
  return widths;
}

/**
 * Whether two parallel planes can enclose the polyhedron, each touching only one of the edges: the arc between the first
 * edge's normals crosses the negated arc between the second edge's normals.
 */
function areOpposite(first: Edge, second: Edge): boolean {
  const separates = (along: Vector3, { left, right }: Edge) =>
    dot(along, left) * dot(along, right) < -parallelTolerance;
  if (!separates(first.along, second) || !separates(second.along, first)) return false;
  // The great circles of the arcs meet in two opposite points; each arc must contain a different one.
  const meeting = cross(first.along, second.along);
  const middleOf = ({ left, right }: Edge): Vector3 => addScaled(left, right, 1);
  return dot(meeting, middleOf(first)) * dot(meeting, middleOf(second)) < 0;
}

/** For parallel edges the product of cosines is zero; with rounding errors it stays below this. */
const parallelTolerance = 1e-18;
