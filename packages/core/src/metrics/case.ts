// Every metric of one scan, and their means over many.

import { InputError } from "../errors.js";
import { type Geometry, sameGeometry, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { countOverlap, dice, intersectionOverUnion } from "./overlap.js";
import { averageSurfaceDistanceMm, hausdorffMm, hd95Mm, surfaceDistances } from "./surface.js";

/** The metrics of one prediction. Distances are null where the truth or the prediction is empty. */
export interface CaseMetrics {
  readonly dsc: number;
  readonly iou: number;
  readonly hd95Mm: number | null;
  readonly hdMm: number | null;
  readonly asdMm: number | null;
  readonly volumeTruthMl: number;
  readonly volumePredictionMl: number;
}

/** Means over cases. */
export interface MeanMetrics {
  /** How many cases were given. */
  readonly cases: number;
  /** Of each metric, the mean over the cases that have it; null where none has. */
  readonly mean: Readonly<Record<keyof CaseMetrics, number | null>>;
  /** Of each metric, how many cases do not have it, and so are left out of its mean. */
  readonly nulls: Readonly<Record<keyof CaseMetrics, number>>;
}

/**
 * Compares a predicted mask with the true one, over the whole volume.
 *
 * @param truth - foreground where nonzero
 * @param prediction - on the same grid
 * @throws InputError where the two volumes differ in geometry
 */
export function evaluateCase(truth: Volume<Uint8Array>, prediction: Volume<Uint8Array>): CaseMetrics {
  if (!sameGeometry(truth, prediction)) {
    throw new InputError(
      `The prediction (${describe(prediction)}) does not lie on the grid of the truth (${describe(truth)}); ` +
        "resample one of them onto the other's grid.",
    );
  }
  const distances = surfaceDistances(truth.data, prediction.data, truth.size, truth.spacingMm);
  const { truthVoxels, predictionVoxels } = countOverlap(truth.data, prediction.data);
  const voxelMl = voxelVolumeMm3(truth) / 1000;
  return {
    dsc: dice(truth.data, prediction.data),
    iou: intersectionOverUnion(truth.data, prediction.data),
    hd95Mm: hd95Mm(distances),
    hdMm: hausdorffMm(distances),
    asdMm: averageSurfaceDistanceMm(distances),
    volumeTruthMl: truthVoxels * voxelMl,
    volumePredictionMl: predictionVoxels * voxelMl,
  };
}

/**
 * The mean of each metric over the cases that have it, and how many have not. A missed scan has no distance, so a
 * mean distance flatters a model that misses; the count must stand beside it.
 */
export function meanOf(cases: readonly CaseMetrics[]): MeanMetrics {
  return {
    cases: cases.length,
    mean: forEachMetric((metric) => meanOfPresent(cases.map((one) => one[metric]))),
    nulls: forEachMetric((metric) => cases.filter((one) => one[metric] === null).length),
  };
}

function forEachMetric<T>(read: (metric: keyof CaseMetrics) => T): Record<keyof CaseMetrics, T> {
  return {
    dsc: read("dsc"),
    iou: read("iou"),
    hd95Mm: read("hd95Mm"),
    hdMm: read("hdMm"),
    asdMm: read("asdMm"),
    volumeTruthMl: read("volumeTruthMl"),
    volumePredictionMl: read("volumePredictionMl"),
  };
}

function meanOfPresent(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return null;
  return present.reduce((total, value) => total + value, 0) / present.length;
}

function describe(geometry: Geometry): string {
  const size = geometry.size.join(" × ");
  const spacing = geometry.spacingMm.map((s) => Number(s.toFixed(4))).join(" × ");
  const origin = geometry.originMm.map((o) => Number(o.toFixed(2))).join(", ");
  return `${size} voxels of ${spacing} mm from (${origin}) mm`;
}
