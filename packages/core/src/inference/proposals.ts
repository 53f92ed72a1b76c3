// Where a coarse network sees nodes, so that the fine network need not look at the rest of a scan.
import { indexOfPoint, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelRuns } from "../voxels/components.js";
import { dilate } from "../voxels/morphology.js";
import { FOREGROUND_THRESHOLD } from "./segmented-nodes.js";
import type { Prediction } from "./sliding-window.js";

/**
 * A voxel is proposed if the coarse network's probability of any class is at least this: far below the threshold of a
 * node, because what is not proposed is lost, and what is proposed in vain costs time only.
 */
const PROPOSAL_THRESHOLD = 0.1;

/** The proposed voxels on the coarse working grid, 0 or 1, and the voxels that share a face with them. */
export function proposedMask(
  coarse: readonly Pick<Prediction, "probability">[],
  threshold = PROPOSAL_THRESHOLD,
): Volume<Uint8Array> {
  const [{ probability: first }] = coarse;
  const mask = new Uint8Array(first.data.length);
  for (const { probability } of coarse)
    for (let at = 0; at < mask.length; at++) if (probability.data[at] >= threshold) mask[at] = 1;
  const { size, spacingMm, originMm, direction } = first;
  return { size, spacingMm, originMm, direction, data: dilate(mask, size) };
}

/**
 * Sets the probability to 0 in the connected components of foreground that contain no proposed voxel. Patches around a
 * proposed node show parts of others, which may be cut at the border of the last patch.
 */
export function withoutUnproposed(
  probability: Volume<Float32Array>,
  proposed: Volume<Uint8Array>,
): Volume<Float32Array> {
  const { size, data } = probability;
  const foreground = maskWhere(data, (value) => value >= FOREGROUND_THRESHOLD);
  const { starts, ends, runLabels, count } = labelRuns(foreground, size, 26);
  const isProposed = new Uint8Array(count + 1);
  const [nx, ny] = size;
  for (let run = 0; run < starts.length; run++) {
    const label = runLabels[run];
    for (let at = starts[run]; at < ends[run] && isProposed[label] === 0; at++)
      if (
        holds(
          proposed,
          pointOfIndex(probability, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]),
        )
      )
        isProposed[label] = 1;
  }
  const kept = data.slice();
  for (let run = 0; run < starts.length; run++)
    if (isProposed[runLabels[run]] === 0) kept.fill(0, starts[run], ends[run]);
  return { ...probability, data: kept };
}

/** Whether the voxel nearest to a point (LPS mm) is foreground. */
function holds(mask: Volume<Uint8Array>, pointMm: Vector3): boolean {
  const [i, j, k] = indexOfPoint(mask, pointMm).map(Math.round);
  const [nx, ny, nz] = mask.size;
  if (i < 0 || j < 0 || k < 0 || i >= nx || j >= ny || k >= nz) return false;
  return mask.data[i + nx * (j + ny * k)] === 1;
}
