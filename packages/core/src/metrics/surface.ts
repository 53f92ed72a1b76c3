// Surface distances between two masks, computed once, and the metrics derived from them: HD95, HD, ASD, NSD.

import { quantileOfSorted } from "../statistics/summary.js";
import type { Vector3 } from "../volume/volume.js";
import { squaredDistanceMm } from "../voxels/distance.js";
import { cropMask } from "../voxels/morphology.js";
import { jointForegroundBox } from "./foreground-box.js";
import { type SurfacePoints, surfaceElements, surfaceVoxels } from "./surface-points.js";

/**
 * The library whose definitions are used. Results differ between them (docs/metrics.md), so a table must state which.
 * - "monai": surface voxels of equal weight; HD95 is the larger of the two directions, interpolated. The default.
 * - "medpy": as "monai", but HD95 is the percentile of both directions pooled.
 * - "deepmind": surface elements at the corners between voxels, weighted by area; HD95 is not interpolated.
 */
export type SurfaceConvention = (typeof surfaceConventions)[number];

export const surfaceConventions = ["monai", "medpy", "deepmind"] as const;

/** Distances from each surface point of a mask to the nearest surface point of the other. */
export interface DirectedDistances {
  /** Ascending; Infinity where the other mask is empty. */
  readonly distancesMm: Float64Array;
  /** The weight of each distance: 1 for a voxel, mm² for a surface element. */
  readonly weights: Float64Array;
}

/** Distances in both directions; from an empty mask there are none. */
export interface SurfaceDistances {
  readonly convention: SurfaceConvention;
  readonly truthToPrediction: DirectedDistances;
  readonly predictionToTruth: DirectedDistances;
}

/**
 * Distances between the surfaces of two masks, in both directions.
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
  convention: SurfaceConvention = "monai",
): SurfaceDistances {
  // Voxels outside the box of all foreground do not matter, so the distance transform is limited to it.
  const box = jointForegroundBox(truth, prediction, size);
  if (box === null) return { convention, truthToPrediction: noDistances, predictionToTruth: noDistances };
  const surfaceOf = (mask: Uint8Array): SurfacePoints => {
    const cropped = cropMask(mask, size, box);
    return convention === "deepmind"
      ? surfaceElements(cropped, box.size, spacingMm)
      : surfaceVoxels(cropped, box.size);
  };
  const truthSurface = surfaceOf(truth);
  const predictionSurface = surfaceOf(prediction);
  return {
    convention,
    truthToPrediction: distancesBetween(truthSurface, predictionSurface, spacingMm),
    predictionToTruth: distancesBetween(predictionSurface, truthSurface, spacingMm),
  };
}

/**
 * The 95th percentile Hausdorff distance (HD95). "monai": the larger of the two directions' 95th percentiles, each with
 * linear interpolation; "medpy": the 95th percentile of both directions pooled, with linear interpolation; "deepmind":
 * the larger of the two directions' smallest distances within which 95 % of the area lies. Null where either mask is empty.
 */
export function hd95Mm(distances: SurfaceDistances): number | null {
  const { convention, truthToPrediction, predictionToTruth } = distances;
  if (convention === "medpy") {
    return finiteOrNull(quantileOfSorted(pooledDistances(truthToPrediction, predictionToTruth), 0.95));
  }
  const percentile = convention === "deepmind" ? distanceCovering95 : interpolated95;
  return finiteOrNull(Math.max(percentile(truthToPrediction), percentile(predictionToTruth)));
}

/** The Hausdorff distance (HD): the largest distance in either direction. Null where either mask is empty. */
export function hausdorffMm({ truthToPrediction, predictionToTruth }: SurfaceDistances): number | null {
  const maximumDistance = ({ distancesMm }: DirectedDistances) => distancesMm[distancesMm.length - 1];
  return finiteOrNull(Math.max(maximumDistance(truthToPrediction), maximumDistance(predictionToTruth)));
}

/**
 * The average symmetric surface distance (ASD): the mean over the surface points of both masks together, as in medpy's
 * `assd` and MONAI's `compute_average_surface_distance(symmetric=True)`; weighted by area for "deepmind" (which itself
 * has no function for it). Null where either mask is empty.
 */
export function averageSurfaceDistanceMm({
  truthToPrediction,
  predictionToTruth,
}: SurfaceDistances): number | null {
  return finiteOrNull(
    (weightedSum(truthToPrediction) + weightedSum(predictionToTruth)) /
      (sumOf(truthToPrediction.weights) + sumOf(predictionToTruth.weights)),
  );
}

/** The weighted mean distance from the surface of a mask to that of the other. Null where either mask is empty. */
export function oneWayAverageMm(distances: DirectedDistances): number | null {
  return finiteOrNull(weightedSum(distances) / sumOf(distances.weights));
}

/**
 * Normalised surface distance (NSD), also called surface Dice: the share of both surfaces that lies within `toleranceMm`
 * of the other (Nikolov et al., J Med Internet Res 23, 2021); by area for "deepmind", otherwise by voxels as in
 * MONAI's `compute_surface_dice` (medpy has none). 0 where one mask is empty, null where both are.
 */
export function normalisedSurfaceDistance(
  { truthToPrediction, predictionToTruth }: SurfaceDistances,
  toleranceMm: number,
): number | null {
  const within = weightWithin(truthToPrediction, toleranceMm) + weightWithin(predictionToTruth, toleranceMm);
  return finiteOrNull(within / (sumOf(truthToPrediction.weights) + sumOf(predictionToTruth.weights)));
}

const noDistances: DirectedDistances = { distancesMm: new Float64Array(0), weights: new Float64Array(0) };

function distancesBetween(from: SurfacePoints, to: SurfacePoints, spacingMm: Vector3): DirectedDistances {
  const squared = squaredDistanceMm(to.kinds, to.size, spacingMm);
  const points = new Uint32Array(from.kinds.reduce((count, kind) => (kind === 0 ? count : count + 1), 0));
  for (let at = 0, point = 0; at < from.kinds.length; at++) if (from.kinds[at] !== 0) points[point++] = at;
  points.sort((a, b) => squared[a] - squared[b]);
  return {
    distancesMm: Float64Array.from(points, (at) => Math.sqrt(squared[at])),
    weights: Float64Array.from(points, (at) => from.weightOfKind[from.kinds[at]]),
  };
}

function pooledDistances(a: DirectedDistances, b: DirectedDistances): Float64Array {
  const pooled = new Float64Array(a.distancesMm.length + b.distancesMm.length);
  pooled.set(a.distancesMm);
  pooled.set(b.distancesMm, a.distancesMm.length);
  return pooled.sort();
}

function interpolated95({ distancesMm }: DirectedDistances): number {
  return quantileOfSorted(distancesMm, 0.95);
}

function distanceCovering95({ distancesMm, weights }: DirectedDistances): number {
  const enough = 0.95 * sumOf(weights);
  let covered = 0;
  for (let at = 0; at < weights.length; at++) {
    covered += weights[at];
    if (covered >= enough) return distancesMm[at];
  }
  return distancesMm[distancesMm.length - 1];
}

function weightWithin({ distancesMm, weights }: DirectedDistances, toleranceMm: number): number {
  let sum = 0;
  for (let at = 0; at < weights.length && distancesMm[at] <= toleranceMm; at++) sum += weights[at];
  return sum;
}

function weightedSum({ distancesMm, weights }: DirectedDistances): number {
  return distancesMm.reduce((sum, distance, at) => sum + distance * weights[at], 0);
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** An empty mask gives an infinite distance or NaN, which becomes null. */
function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
