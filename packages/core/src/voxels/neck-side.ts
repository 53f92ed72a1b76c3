// Tells the side of the neck that a point lies on, by its distance from the middle of the body at that level.

import { gridWithSpacing, resample } from "../volume/resample.js";
import { type Geometry, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { bodyMask } from "./body-mask.js";

export type NeckSide = "left" | "right" | "midline";

/** The patient's side (not the picture's) of a point in LPS mm. */
export type SideOfPoint = (pointLpsMm: Vector3) => NeckSide;

/**
 * Sides by the body's own midline: at each level (4 mm of z) the mean x of {@link bodyMask} on a grid of 4 mm. A level
 * without body uses the nearest level that has some. A point within 5 mm of the midline is "midline". If there is no body
 * at all, `sideByGrid` is used.
 *
 * @param scan - HU, head first or feet first, any orientation
 */
export function sideByBody(scan: Volume): SideOfPoint {
  const coarse = resample(scan, gridWithSpacing(scan, [levelMm, levelMm, levelMm]), "nearest", -1024);
  const body = bodyMask(coarse);
  const sums = new Map<number, { x: number; voxels: number }>();
  for (let k = 0, at = 0; k < coarse.size[2]; k++) {
    for (let j = 0; j < coarse.size[1]; j++) {
      for (let i = 0; i < coarse.size[0]; i++, at++) {
        if (body[at] === 0) continue;
        const [x, , z] = pointOfIndex(coarse, [i, j, k]);
        const level = Math.round(z / levelMm);
        const sum = sums.get(level) ?? { x: 0, voxels: 0 };
        sum.x += x;
        sum.voxels++;
        sums.set(level, sum);
      }
    }
  }
  if (sums.size === 0) return sideByGrid(scan);
  const levels = [...sums].map(([level, { x, voxels }]) => ({ level, midlineMm: x / voxels }));
  return ([x, , z]) => {
    const distance = ({ level }: { level: number }) => Math.abs(level - z / levelMm);
    const nearest = levels.reduce((best, level) => (distance(level) < distance(best) ? level : best));
    return sideOf(x - nearest.midlineMm);
  };
}

/** Sides by the middle of the grid, if there is no scan: correct only if the patient is centred. */
export function sideByGrid(grid: Geometry): SideOfPoint {
  const middle: Vector3 = [(grid.size[0] - 1) / 2, (grid.size[1] - 1) / 2, (grid.size[2] - 1) / 2];
  const [midlineMm] = pointOfIndex(grid, middle);
  return ([x]) => sideOf(x - midlineMm);
}

const levelMm = 4;
const midlineHalfWidthMm = 5;

/** x grows towards the patient's left. */
function sideOf(fromMidlineMm: number): NeckSide {
  if (Math.abs(fromMidlineMm) <= midlineHalfWidthMm) return "midline";
  return fromMidlineMm > 0 ? "left" : "right";
}
