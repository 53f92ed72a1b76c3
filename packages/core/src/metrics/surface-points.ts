// The surface of a mask as weighted points on a grid: surface voxels of weight 1, or surface elements weighted by area.

import type { Vector3 } from "../volume/volume.js";
import { boundary } from "../voxels/morphology.js";

/** Points on a grid of their own, whose spacing is the mask's. */
export interface SurfacePoints {
  /** Points along (i, j, k). */
  readonly size: Vector3;
  /** The kind of each point, i fastest; 0 where there is no surface. */
  readonly kinds: Uint8Array;
  /** The weight of a point of each kind. */
  readonly weightOfKind: Float64Array;
}

/**
 * Surface voxels, all of weight 1: foreground with a face neighbour in the background or outside the volume.
 *
 * @param mask - foreground where nonzero, i fastest
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid
 */
export function surfaceVoxels(mask: Uint8Array, size: Vector3): SurfacePoints {
  return { size, kinds: boundary(mask, size), weightOfKind: Float64Array.of(0, 1) };
}

/**
 * Surface elements of google-deepmind/surface-distance: the corners where eight voxels meet that are not all equal, with
 * background outside the volume, each weighted by the area in mm² of the surface that marching cubes puts there. The grid
 * of corners is one point longer than the mask along each axis.
 *
 * @param mask - foreground where nonzero, i fastest
 * @param size - voxels along (i, j, k)
 * @param spacingMm - along (i, j, k)
 */
export function surfaceElements(mask: Uint8Array, size: Vector3, spacingMm: Vector3): SurfacePoints {
  const [width, height, depth] = size;
  const kinds = new Uint8Array((width + 1) * (height + 1) * (depth + 1));
  const stepOf = [1, width + 1, (width + 1) * (height + 1)];
  const steps = corners.map((corner) =>
    axes.reduce((step, axis) => step + ((corner >> axis) & 1) * stepOf[axis], 0),
  );
  for (let k = 0, at = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++, at++) {
        if (mask[at] === 0) continue;
        const first = i + j * stepOf[1] + k * stepOf[2];
        for (let corner = 0; corner < 8; corner++) kinds[first + steps[corner]] |= 1 << corner;
      }
    }
  }
  for (let at = 0; at < kinds.length; at++) if (kinds[at] === allCorners) kinds[at] = 0;
  return {
    size: [width + 1, height + 1, depth + 1],
    kinds,
    weightOfKind: Float64Array.from({ length: 256 }, (_, kind) => elementAreaMm2(kind, spacingMm)),
  };
}

/**
 * Area of the surface within a cube whose corners are the centres of 2 × 2 × 2 voxels, in mm²: edges are cut in the middle,
 * and foreground that touches only by an edge or a corner is not connected. The area is that of the triangles of marching
 * cubes, computed here from the shape of each connected piece (Lorensen and Cline, SIGGRAPH 1987; surface-distance uses a
 * table of triangles for the 256 cases).
 *
 * @param kind - bit i + 2j + 4k is set where the voxel at (i, j, k) of the cube is foreground
 */
export function elementAreaMm2(kind: number, spacingMm: Vector3): number {
  // Both sides have the same surface; the smaller side has fewer possible shapes.
  const inside = corners.filter((corner) => (kind >> corner) & 1);
  const side = inside.length <= 4 ? inside : corners.filter((corner) => !((kind >> corner) & 1));
  return connectedPieces(side).reduce((area, piece) => area + pieceAreaMm2(piece, spacingMm), 0);
}

const corners: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];
const axes: readonly number[] = [0, 1, 2];
const allCorners = 255;

/** Pieces connected along the edges of the cube; a corner's neighbours differ from it in one bit. */
function connectedPieces(side: readonly number[]): number[][] {
  const left = new Set(side);
  const pieces: number[][] = [];
  for (const start of side) {
    if (!left.delete(start)) continue;
    const piece = [start];
    // The list grows during the loop.
    for (const corner of piece) {
      for (const axis of axes) if (left.delete(corner ^ (1 << axis))) piece.push(corner ^ (1 << axis));
    }
    pieces.push(piece);
  }
  return pieces;
}

/** The area around one to four connected corners. */
function pieceAreaMm2(piece: readonly number[], [x, y, z]: Vector3): number {
  const faces = [y * z, x * z, x * y];
  /** A triangle that cuts off a corner. */
  const tip = Math.hypot(...faces) / 8;
  /** A rectangle that cuts off an edge along an axis. */
  const slope = (axis: number) => Math.hypot(faces[(axis + 1) % 3], faces[(axis + 2) % 3]) / 2;
  const edgesAlong = axes.map((axis) => neighboursAlong(piece, axis).length / 2);
  const flatAxis = edgesAlong.indexOf(0);
  switch (piece.length) {
    case 1:
      return tip;
    case 2:
      return slope(edgesAlong.indexOf(1));
    case 3:
      return faces[flatAxis] / 2 + 3 * tip;
    default: {
      if (flatAxis >= 0) return faces[flatAxis];
      const ends = piece.filter((corner) => degreeOf(corner, piece) === 1);
      // Three ends: a corner with its three neighbours, cut off by a hexagon.
      if (ends.length === 3) return 6 * tip;
      // Two ends: a path with turns; its surface slopes along its first and its last edge.
      const endAxes = axes.filter((axis) =>
        neighboursAlong(piece, axis).some((corner) => ends.includes(corner)),
      );
      return 4 * tip + endAxes.reduce((area, axis) => area + slope(axis) / 2, 0);
    }
  }
}

function neighboursAlong(piece: readonly number[], axis: number): number[] {
  return piece.filter((corner) => piece.includes(corner ^ (1 << axis)));
}

function degreeOf(corner: number, piece: readonly number[]): number {
  return axes.filter((axis) => piece.includes(corner ^ (1 << axis))).length;
}
