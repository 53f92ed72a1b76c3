// The free-response ROC curve (FROC): sensitivity against false positives per scan, for a range of thresholds.

import { crop } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { foregroundOf } from "../voxels/instances.js";
import type { NodeSplit } from "../voxels/node-measurement.js";
import { requireSameGrid } from "./case.js";
import { type DetectionCounts, detectionFigures, type NodeDetection } from "./detection.js";
import { jointForegroundBox } from "./foreground-box.js";
import { matchNodes, nodeInstances, overlapsOfNodes } from "./node-matching.js";

/** A point of the curve. */
export interface FrocPoint {
  readonly threshold: number;
  /** Null where there is no true node. */
  readonly sensitivity: number | null;
  readonly falsePositivesPerVolume: number | null;
}

/**
 * The curve over several scans.
 *
 * @param thresholds - in the order of the points
 * @param scans - for each scan, the counts at each threshold
 */
export function frocCurve(
  thresholds: readonly number[],
  scans: readonly (readonly DetectionCounts[])[],
): FrocPoint[] {
  return thresholds.map((threshold, at) => {
    const { sensitivity, falsePositivesPerVolume } = detectionFigures(scans.map((counts) => counts[at]));
    return { threshold, sensitivity, falsePositivesPerVolume };
  });
}

/**
 * Counts of a scan at each probability threshold: the predicted nodes are the connected components of voxels at or above
 * the threshold, so they grow and merge as it falls, as they do in use.
 *
 * @param truth - foreground where nonzero
 * @param probability - on the same grid
 * @param thresholds - above 0
 * @param options - how the truth is split into nodes; and what becomes of a predicted mask before its nodes are counted,
 *   such as a clean-up, which is given the part of the scan that holds foreground
 * @throws InputError where the volumes differ in geometry
 * @throws RangeError where a threshold is not above 0
 */
export function countsAtThresholds(
  truth: Volume<IntegerVoxelArray>,
  probability: Volume<Float32Array>,
  thresholds: readonly number[],
  {
    truthSplit = "components",
    clean = (mask) => mask,
  }: {
    readonly truthSplit?: NodeSplit;
    readonly clean?: (mask: Volume<Uint8Array>) => Volume<Uint8Array>;
  } = {},
): DetectionCounts[] {
  requireSameGrid(truth, probability);
  if (!thresholds.every((threshold) => threshold > 0))
    throw new RangeError(`Thresholds must be above 0, not ${thresholds.join(", ")}.`);
  const least = thresholds.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const box = jointForegroundBox(foregroundOf(truth.data), atLeast(probability, least), truth.size);
  if (box === null) return thresholds.map(() => ({ trueNodes: 0, predictedNodes: 0, hits: 0 }));
  const truthNodes = nodeInstances(crop(truth, box.start, box.size), truthSplit);
  const probabilityInBox = crop(probability, box.start, box.size);
  return thresholds.map((threshold) => {
    const mask = clean({ ...probabilityInBox, data: atLeast(probabilityInBox, threshold) });
    const predictedNodes = nodeInstances(mask, "components");
    const { truthIds, predictionIds, overlaps } = overlapsOfNodes(truthNodes, predictedNodes);
    return {
      trueNodes: truthIds.length,
      predictedNodes: predictionIds.length,
      hits: matchNodes(overlaps).length,
    };
  });
}

/**
 * Counts of a scan at each threshold of its nodes' scores: the nodes keep their shape, and nodes with a lower score are
 * left out before the rest are matched again.
 *
 * @throws RangeError where a predicted node has no score
 */
export function countsAtScores(
  { truth, prediction, overlaps }: NodeDetection,
  thresholds: readonly number[],
): DetectionCounts[] {
  if (prediction.some(({ score }) => score === null)) throw new RangeError("A predicted node has no score.");
  return thresholds.map((threshold) => {
    const kept = new Set(prediction.filter(({ score }) => (score ?? 0) >= threshold).map(({ id }) => id));
    return {
      trueNodes: truth.length,
      predictedNodes: kept.size,
      hits: matchNodes(overlaps.filter(({ predictionId }) => kept.has(predictionId))).length,
    };
  });
}

function atLeast({ data }: Volume<Float32Array>, threshold: number): Uint8Array {
  const mask = new Uint8Array(data.length);
  for (let at = 0; at < mask.length; at++) if (data[at] >= threshold) mask[at] = 1;
  return mask;
}
