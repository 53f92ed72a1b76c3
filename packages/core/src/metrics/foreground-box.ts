// The bounding box of the foreground of two masks: outside it both are background.

import type { Vector3 } from "../volume/volume.js";
import { foregroundBox, type IndexBox } from "../voxels/morphology.js";

/**
 * The smallest box that holds the foreground of both masks; null where both are empty.
 *
 * @param a - foreground where nonzero, i fastest
 * @param b - the same grid
 * @param size - voxels along (i, j, k)
 * @throws RangeError where a mask does not fill the grid
 */
export function jointForegroundBox(a: Uint8Array, b: Uint8Array, size: Vector3): IndexBox | null {
  const [boxOfA, boxOfB] = [foregroundBox(a, size), foregroundBox(b, size)];
  return boxOfA === null || boxOfB === null ? (boxOfA ?? boxOfB) : jointBox(boxOfA, boxOfB);
}

/** The smallest box that contains both boxes. */
export function jointBox(a: IndexBox, b: IndexBox): IndexBox {
  const low = a.start.map((at, axis) => Math.min(at, b.start[axis]));
  const high = a.start.map((at, axis) => Math.max(at + a.size[axis], b.start[axis] + b.size[axis]));
  return { start: [low[0], low[1], low[2]], size: [high[0] - low[0], high[1] - low[1], high[2] - low[2]] };
}
