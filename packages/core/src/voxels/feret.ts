// How long and how thin a body is in any direction: the largest and smallest distance between parallel planes.

import { addScaled, cross, dot, subtract, unit } from "../volume/vector.js";
import type { Vector3, Volume } from "../volume/volume.js";
import type { ConvexBody } from "./convex-hull.js";
import { bodyHull } from "./half-voxel-hull.js";

export interface FeretDiameters {
  /** Between the two points of the body that lie farthest apart. */
  readonly feretMaxMm: number;
  /** Between the two parallel planes that hold the body and lie nearest together. */
  readonly feretMinMm: number;
}

/**
 * The Feret diameters of a body in space, exact for the convex hull of {@link bodyHull}'s outline: the farthest pair
 * of corners, and the smallest width over the directions in which a width can be smallest, those of a side against a
 * corner and of an edge against an edge (Houle and Toussaint, "Computing the Width of a Set", IEEE PAMI 10, 1988).
 *
 * @param node - foreground is 1, not empty
 */
export function feretDiameters(node: Volume<Uint8Array>): FeretDiameters {
  const [a, b, c] = node.spacingMm;
  const hull = bodyHull(node.data, node.size);
  const body: ConvexBody = {
    vertices: hull.vertices.map(([x, y, z]) => [(x * a) / 2, (y * b) / 2, (z * c) / 2]),
    triangles: hull.triangles,
  };
  return { feretMaxMm: diameterMm(body), feretMinMm: widthMm(body) };
}

function diameterMm({ vertices }: ConvexBody): number {
  let largest = 0;
  for (let one = 0; one < vertices.length; one++) {
    const [x, y, z] = vertices[one];
    for (let other = 0; other < one; other++) {
      const [u, v, w] = vertices[other];
      const squared = (x - u) ** 2 + (y - v) ** 2 + (z - w) ** 2;
      if (squared > largest) largest = squared;
    }
  }
  return Math.sqrt(largest);
}

function widthMm(body: ConvexBody): number {
  const normals = body.triangles.map(([a, b, c]) => {
    const origin = body.vertices[a];
    return unit(cross(subtract(body.vertices[b], origin), subtract(body.vertices[c], origin)));
  });
  const sides = body.triangles.map(([a], triangle) => sideWidthMm(body, a, normals[triangle]));
  return Math.min(...sides, ...edgeWidthsMm(edgesOf(body, normals), Math.min(...sides)));
}

/** From the plane of a side to the corner farthest from it. */
function sideWidthMm({ vertices }: ConvexBody, onSide: number, normal: Vector3): number {
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
  /** Of length 1. */
  readonly along: Vector3;
  /** Outward unit normals of the two sides that meet here. */
  readonly left: Vector3;
  readonly right: Vector3;
}

/** The edges between sides of different planes. */
function edgesOf({ vertices, triangles }: ConvexBody, normals: readonly Vector3[]): Edge[] {
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

/** Distances below `limit` between parallel planes that hold the body and touch it in an edge each. */
function edgeWidthsMm(edges: readonly Edge[], limit: number): number[] {
  const widths: number[] = [];
  let least = limit;
  for (let one = 0; one < edges.length; one++) {
    const first = edges[one];
    for (let other = 0; other < one; other++) {
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
 * Whether two parallel planes can hold the body between them, each touching one of the edges only: the arc between the
 * first edge's normals crosses the arc between the second one's, turned round.
 */
function areOpposite(first: Edge, second: Edge): boolean {
  const separates = (along: Vector3, { left, right }: Edge) =>
    dot(along, left) * dot(along, right) < -parallelTolerance;
  if (!separates(first.along, second) || !separates(second.along, first)) return false;
  // The arcs' great circles meet in two opposite points; the arcs must hold one each, not the same one.
  const meeting = cross(first.along, second.along);
  const middleOf = ({ left, right }: Edge): Vector3 => addScaled(left, right, 1);
  return dot(meeting, middleOf(first)) * dot(meeting, middleOf(second)) < 0;
}

/** Products of cosines that rounding makes of zeros, between edges that are parallel, are below this. */
const parallelTolerance = 1e-18;
