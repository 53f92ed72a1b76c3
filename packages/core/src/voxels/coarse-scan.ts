// Resamples a scan to a coarse grid along the patient's axes: enough to find the body, its lungs and its skull.
import { lpsBounds } from "../volume/bounds.js";
import { resample } from "../volume/resample.js";
import type { Geometry, Volume } from "../volume/volume.js";

/** Fine enough for a skull 5 mm thick, and coarse enough that a scan of 512 × 512 × 300 becomes 1.5 million voxels. */
const coarseSpacingMm = 4;

/**
 * The scan at about 4 mm, axes L, P, S, interpolated linearly. The voxels tile the scan's LPS box exactly; the corners of
 * that box that an oblique scan does not cover are air.
 */
export function coarseScan(scan: Volume): Volume<Float32Array> {
  return resample(scan, coarseGrid(scan), "linear", -1000);
}

function coarseGrid(scan: Geometry): Geometry {
  const { lowMm, highMm } = lpsBounds(scan);
  const count = (axis: number) => Math.max(1, Math.round((highMm[axis] - lowMm[axis]) / coarseSpacingMm));
  const size = [count(0), count(1), count(2)] as const;
  const step = (axis: number) => (highMm[axis] - lowMm[axis]) / size[axis];
  const spacingMm = [step(0), step(1), step(2)] as const;
  const centre = (axis: number) => lowMm[axis] + spacingMm[axis] / 2;
  return {
    size,
    spacingMm,
    originMm: [centre(0), centre(1), centre(2)],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
}
