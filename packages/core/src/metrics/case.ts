// All metrics of a prediction against the truth, for a scan or for a crop around a node.

import { InputError } from "../errors.js";
import { describeGeometry } from "../volume/geometry-text.js";
import { type Geometry, sameGeometry, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { countOverlap, dice, intersectionOverUnion } from "./overlap.js";
import {
  averageSurfaceDistanceMm,
  hausdorffMm,
  hd95Mm,
  normalisedSurfaceDistance,
  oneWayAverageMm,
  type SurfaceConvention,
  surfaceDistances,
} from "./surface.js";

/** The metrics of a prediction. Distances are null where the truth or the prediction is empty. */
export interface CaseMetrics {
  readonly dsc: number;
  readonly iou: number;
  readonly asdMm: number | null;
  readonly asdTruthToPredictionMm: number | null;
  readonly asdPredictionToTruthMm: number | null;
  readonly hd95Mm: number | null;
  readonly hdMm: number | null;
  /** 0 where one mask is empty, null where both are. */
  readonly nsd1mm: number | null;
  readonly nsd2mm: number | null;
  readonly volumeTruthMl: number;
  readonly volumePredictionMl: number;
  /** Prediction − truth. */
  readonly volumeDifferenceMl: number;
}

/**
 * Compares a predicted mask with the true one, over the whole volume.
 *
 * @param truth - foreground where nonzero
 * @param prediction - on the same grid
 * @param convention - which definition of surface and HD95 to use
 * @throws InputError where the two volumes differ in geometry
 */
export function evaluateCase(
  truth: Volume<Uint8Array>,
  prediction: Volume<Uint8Array>,
  convention: SurfaceConvention = "monai",
): CaseMetrics {
  requireSameGrid(truth, prediction);
  const distances = surfaceDistances(truth.data, prediction.data, truth.size, truth.spacingMm, convention);
  const overlap = countOverlap(truth.data, prediction.data);
  const voxelMl = voxelVolumeMm3(truth) / 1000;
  return {
    dsc: dice(overlap),
    iou: intersectionOverUnion(overlap),
    asdMm: averageSurfaceDistanceMm(distances),
    asdTruthToPredictionMm: oneWayAverageMm(distances.truthToPrediction),
    asdPredictionToTruthMm: oneWayAverageMm(distances.predictionToTruth),
    hd95Mm: hd95Mm(distances),
    hdMm: hausdorffMm(distances),
    nsd1mm: normalisedSurfaceDistance(distances, 1),
    nsd2mm: normalisedSurfaceDistance(distances, 2),
    volumeTruthMl: overlap.truthVoxels * voxelMl,
    volumePredictionMl: overlap.predictionVoxels * voxelMl,
    volumeDifferenceMl: (overlap.predictionVoxels - overlap.truthVoxels) * voxelMl,
  };
}

/**
 * Refuses a prediction that does not have the truth's grid.
 *
 * @throws InputError where their geometries differ
 */
export function requireSameGrid(truth: Geometry, prediction: Geometry): void {
  if (!sameGeometry(truth, prediction)) {
    throw new InputError(
      `The prediction (${describeGeometry(prediction)}) does not have the same geometry as the truth (${describeGeometry(truth)}); ` +
        "resample one onto the grid of the other.",
    );
  }
}
