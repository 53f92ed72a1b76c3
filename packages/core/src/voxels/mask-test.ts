// Whether boxes of one grid contain foreground of a mask on another.
import { outerCorners } from "../volume/bounds.js";
import { cropGeometry } from "../volume/crop.js";
import { type Geometry, indexOfPoint, type Volume } from "../volume/volume.js";
import type { IndexBox } from "./morphology.js";

/**
 * A test whether a box of voxels contains any part of a mask's foreground. A box may extend beyond the grid.
 *
 * @param mask 0 or 1
 * @param grid in which the boxes are; if it is turned against the mask, the mask's voxels in the bounds of the turned box
 *   are tested
 */
export function maskTest(mask: Volume<Uint8Array>, grid: Geometry): (box: IndexBox) => boolean {
  const { size, data } = mask;
  return (box) => {
    const corners = outerCorners(cropGeometry(grid, box.start, box.size)).map((corner) =>
      indexOfPoint(mask, corner),
    );
    const along = (axis: 0 | 1 | 2) => corners.map((corner) => corner[axis]);
    const first = (axis: 0 | 1 | 2) => Math.max(0, Math.floor(Math.min(...along(axis)) + 0.5 + rounding));
    const end = (axis: 0 | 1 | 2) =>
      Math.min(size[axis], Math.ceil(Math.max(...along(axis)) + 0.5 - rounding));
    const [[firstI, endI], [firstJ, endJ], [firstK, endK]] = ([0, 1, 2] as const).map((axis) => [
      first(axis),
      end(axis),
    ]);
    if (firstI >= endI) return false;
    for (let k = firstK; k < endK; k++)
      for (let j = firstJ; j < endJ; j++) {
        const row = size[0] * (j + size[1] * k);
        if (data.subarray(row + firstI, row + endI).includes(1)) return true;
      }
    return false;
  };
}

/** Tolerance for rounding, as a fraction of a voxel. */
const rounding = 1e-6;
