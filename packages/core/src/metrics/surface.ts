// How far apart the surfaces of two masks are: the distances once, and the metrics that read them.

import type { Vector3 } from "../volume/volume.js";
import { squaredDistanceMm } from "../voxels/distance.js";
import { boundary, cropMask, foregroundBox, type IndexBox } from "../voxels/morphology.js";

/**
 * For each surface voxel of one mask, the distance in mm to the nearest surface voxel of the other, ascending.
 * Both arrays are empty where either mask is, since there is no such distance then.
 */
export interface SurfaceDistances {
  readonly truthToPredictionMm: Float64Array;
  readonly predictionToTruthMm: Float64Array;
}

/**
 * Distances between the surfaces of two masks, in both directions.
 *
 * A surface voxel is foreground with a face neighbour in the background or outside the volume, and distances are
 * between voxel centres: the convention of medpy and MONAI. (surface-distance measures between voxel corners
 * and weights by area; its figures for the same masks are smaller and must not share a column with these.)
 *
 * @param truth - foreground where nonzero, i fastest
 * @param prediction - the same grid
 * @param size - voxels along (i, j, k)
 * @param spacingMm - along (i, j, k)
 * @throws RangeError where a mask does not fill the grid or a spacing is not above zero
 */
export function surfaceDistances(
  truth: Uint8Array,
  prediction: Uint8Array,
  size: Vector3,
  spacingMm: Vector3,
): SurfaceDistances {
  const truthBox = foregroundBox(truth, size);
  const predictionBox = foregroundBox(prediction, size);
  if (truthBox === null || predictionBox === null) {
    return { truthToPredictionMm: new Float64Array(0), predictionToTruthMm: new Float64Array(0) };
  }
  // No background voxel matters, so the transform may stay within the box of all foreground.
  const box = jointBox(truthBox, predictionBox);
  const truthSurface = boundary(cropMask(truth, size, box), box.size);
  const predictionSurface = boundary(cropMask(prediction, size, box), box.size);
  return {
    truthToPredictionMm: distancesTo(truthSurface, predictionSurface, box.size, spacingMm),
    predictionToTruthMm: distancesTo(predictionSurface, truthSurface, box.size, spacingMm),
  };
}

/**
 * The 95th percentile Hausdorff distance (HD95): the larger of the two directions' 95th percentiles, each with linear
 * interpolation, as MONAI's `compute_hausdorff_distance(percentile=95)`. medpy pools the two directions instead and
 * gives smaller figures for small nodes. Null where either mask is empty.
 */
export function hd95Mm(distances: SurfaceDistances): number | null {
  return largerDirection(distances, (sorted) => quantileOfSorted(sorted, 0.95));
}

/** The Hausdorff distance: the greatest distance of either direction. Null where either mask is empty. */
export function hausdorffMm(distances: SurfaceDistances): number | null {
  return largerDirection(distances, (sorted) => sorted[sorted.length - 1]);
}

/**
 * The average symmetric surface distance (ASD): the mean over the surface voxels of both masks together, as medpy's
 * `assd` and MONAI's `compute_average_surface_distance(symmetric=True)`. Null where either mask is empty.
 */
export function averageSurfaceDistanceMm(distances: SurfaceDistances): number | null {
  const { truthToPredictionMm, predictionToTruthMm } = distances;
  if (truthToPredictionMm.length === 0 || predictionToTruthMm.length === 0) return null;
  return (
    (sumOf(truthToPredictionMm) + sumOf(predictionToTruthMm)) /
    (truthToPredictionMm.length + predictionToTruthMm.length)
  );
}

function largerDirection(distances: SurfaceDistances, read: (sorted: Float64Array) => number): number | null {
  const { truthToPredictionMm, predictionToTruthMm } = distances;
  if (truthToPredictionMm.length === 0 || predictionToTruthMm.length === 0) return null;
  return Math.max(read(truthToPredictionMm), read(predictionToTruthMm));
}

function quantileOfSorted(sorted: Float64Array, fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

function jointBox(a: IndexBox, b: IndexBox): IndexBox {
  const low = a.start.map((at, axis) => Math.min(at, b.start[axis]));
  const high = a.start.map((at, axis) => Math.max(at + a.size[axis], b.start[axis] + b.size[axis]));
  return { start: [low[0], low[1], low[2]], size: [high[0] - low[0], high[1] - low[1], high[2] - low[2]] };
}

function distancesTo(from: Uint8Array, to: Uint8Array, size: Vector3, spacingMm: Vector3): Float64Array {
  const squared = squaredDistanceMm(to, size, spacingMm);
  return squared
    .filter((_, at) => from[at] !== 0)
    .map(Math.sqrt)
    .sort();
}
