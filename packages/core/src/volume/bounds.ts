// Bounding boxes: of a grid along the patient's axes, and of points in voxels of a grid.
import { type Geometry, indexOfPoint, pointOfIndex, type Vector3 } from "./volume.js";

/** A box along the patient's axes, LPS mm. */
export interface LpsBox {
  readonly lowMm: Vector3;
  readonly highMm: Vector3;
}

/** The smallest LPS box around the voxels of a grid, including their outer faces. */
export function lpsBounds(geometry: Geometry): LpsBox {
  const [lowMm, highMm] = extremes(outerCorners(geometry));
  return { lowMm, highMm };
}

/** The eight outer corners of a grid's voxels, LPS mm. */
export function outerCorners(geometry: Geometry): Vector3[] {
  return cornersBetween(
    [-0.5, -0.5, -0.5],
    [geometry.size[0] - 0.5, geometry.size[1] - 0.5, geometry.size[2] - 0.5],
  ).map((index) => pointOfIndex(geometry, index));
}

/** The eight corners of an LPS box. */
export function boxCorners({ lowMm, highMm }: LpsBox): Vector3[] {
  return cornersBetween(lowMm, highMm);
}

/**
 * The smallest box of voxels whose centres surround the points, clipped to the grid; null where the points lie outside
 * the grid.
 *
 * @param pointsMm LPS
 */
export function voxelsAround(
  grid: Geometry,
  pointsMm: readonly Vector3[],
): { readonly start: Vector3; readonly size: Vector3 } | null {
  const [low, high] = extremes(pointsMm.map((point) => indexOfPoint(grid, point)));
  const start = vector((axis) => Math.max(0, Math.floor(low[axis])));
  const end = vector((axis) => Math.min(grid.size[axis], Math.ceil(high[axis]) + 1));
  const size = vector((axis) => end[axis] - start[axis]);
  return size.some((length) => length < 1) ? null : { start, size };
}

function cornersBetween(low: Vector3, high: Vector3): Vector3[] {
  return Array.from({ length: 8 }, (_, corner) =>
    vector((axis) => (corner & (1 << axis) ? high[axis] : low[axis])),
  );
}

function extremes(points: readonly Vector3[]): readonly [low: Vector3, high: Vector3] {
  return [
    vector((axis) => Math.min(...points.map((point) => point[axis]))),
    vector((axis) => Math.max(...points.map((point) => point[axis]))),
  ];
}

const vector = (along: (axis: 0 | 1 | 2) => number): Vector3 => [along(0), along(1), along(2)];
