// The convex hull of a mask, with its border halfway between a voxel's centre and that of its neighbour outside.
//
// A voxel is represented by the diamond (in space: octahedron) of its face centres, which is the outline that marching
// squares and cubes give at 0.5. With voxel centres every node would be one voxel too small, with voxel corners too
// large wherever its border is not parallel to the grid.

import type { Vector3 } from "../volume/volume.js";
import { type ConvexPolyhedron, convexHull2, convexHull3, type Point2 } from "./convex-hull.js";

/**
 * The corners of the convex hull in a slice, counter-clockwise, in half voxels: voxel (i, j) has its centre at
 * (2i, 2j).
 *
 * @param centres - voxel centres, in half voxels; interior voxels may be left out
 */
export function sliceHull(centres: readonly Point2[]): Point2[] {
  return convexHull2(
    convexHull2(centres).flatMap(([x, y]): Point2[] => [
      [x - 1, y],
      [x + 1, y],
      [x, y - 1],
      [x, y + 1],
    ]),
  );
}

/**
 * The convex hull of a mask in space, in half voxels: voxel (i, j, k) has its centre at (2i, 2j, 2k).
 *
 * @param mask - foreground is 1, i fastest; not empty
 * @param size - voxels along (i, j, k)
 */
export function voxelHull(mask: Uint8Array, size: Vector3): ConvexPolyhedron {
  const points: Vector3[] = [];
  let below: Point2[] = [];
  for (let k = 0; k <= size[2]; k++) {
    const centres = k < size[2] ? convexHull2(rowEnds(mask, size, k)) : [];
    for (const [x, y] of convexHull2([...below, ...centres])) points.push([x, y, 2 * k - 1]);
    for (const [x, y] of sliceHull(centres)) points.push([x, y, 2 * k]);
    below = centres;
  }
  return convexHull3(points);
}

/** The centres of the first and the last voxel of each row of a slice, in half voxels. */
function rowEnds(mask: Uint8Array, [width, height]: Vector3, k: number): Point2[] {
  const ends: Point2[] = [];
  for (let j = 0; j < height; j++) {
    const start = width * (j + height * k);
    const row = mask.subarray(start, start + width);
    const first = row.indexOf(1);
    if (first >= 0) ends.push([2 * first, 2 * j], [2 * row.lastIndexOf(1), 2 * j]);
  }
  return ends;
}
