// Matches predicted nodes with true nodes by their overlap.

import type { IntegerVoxelArray } from "../volume/resample.js";
import { type Volume, voxelCount } from "../volume/volume.js";
import { numberedComponents } from "../voxels/instances.js";
import type { NodeSplit } from "../voxels/node-measurement.js";

/** A true and a predicted node that share voxels. */
export interface NodeOverlap {
  readonly truthId: number;
  readonly predictionId: number;
  /** Intersection over union of the two nodes, above 0. */
  readonly iou: number;
}

/** The nodes of two label volumes by their ids, ascending, and every pair that shares voxels. */
export interface NodeOverlaps {
  readonly truthIds: readonly number[];
  readonly predictionIds: readonly number[];
  readonly overlaps: readonly NodeOverlap[];
}

/** Two nodes match if their IoU is above this: the rule of the publications that we compare with. */
const hitIou = 0.3;

/**
 * A label volume with one label per node: components by {@link numberedComponents}, as `measureNodes` numbers them; for
 * "labels" the given labels are kept.
 *
 * @param labels - foreground where nonzero
 */
export function nodeInstances(
  labels: Volume<IntegerVoxelArray>,
  split: NodeSplit,
): Volume<IntegerVoxelArray> {
  return split === "labels" ? labels : numberedComponents(labels);
}

/**
 * Every pair of a true and a predicted node that share voxels.
 *
 * @param truth - one label per node, 0 is background
 * @param prediction - likewise, on the same grid
 */
export function overlapsOfNodes(
  truth: Volume<IntegerVoxelArray>,
  prediction: Volume<IntegerVoxelArray>,
): NodeOverlaps {
  const truthVoxels = new Map<number, number>();
  const predictionVoxels = new Map<number, number>();
  const shared = new Map<number, Map<number, number>>();
  const voxels = voxelCount(truth);
  for (let at = 0; at < voxels; at++) {
    const truthId = truth.data[at];
    const predictionId = prediction.data[at];
    if (truthId !== 0) count(truthVoxels, truthId);
    if (predictionId !== 0) count(predictionVoxels, predictionId);
    if (truthId === 0 || predictionId === 0) continue;
    const ofTruth = shared.get(truthId) ?? new Map<number, number>();
    shared.set(truthId, ofTruth);
    count(ofTruth, predictionId);
  }
  const overlaps = [...shared].flatMap(([truthId, ofTruth]) =>
    [...ofTruth].map(([predictionId, both]) => {
      const union = (truthVoxels.get(truthId) ?? 0) + (predictionVoxels.get(predictionId) ?? 0) - both;
      return { truthId, predictionId, iou: both / union };
    }),
  );
  return { truthIds: ascending(truthVoxels), predictionIds: ascending(predictionVoxels), overlaps };
}

/**
 * The hits: pairs with an IoU above 0.3, each node in at most one pair. Pairs are taken greedily by decreasing IoU; ties
 * go to the lower ids. So the nodes that fit best are always matched, whereas a matching that maximises the number of
 * hits (Hungarian) may replace the best pair by two poorer pairs. The two can only differ where a node has an IoU above
 * 0.3 with two others.
 */
export function matchNodes(overlaps: readonly NodeOverlap[]): NodeOverlap[] {
  const bestFirst = overlaps
    .filter(({ iou }) => iou > hitIou)
    .sort((a, b) => b.iou - a.iou || a.truthId - b.truthId || a.predictionId - b.predictionId);
  const takenTruths = new Set<number>();
  const takenPredictions = new Set<number>();
  return bestFirst.filter(({ truthId, predictionId }) => {
    if (takenTruths.has(truthId) || takenPredictions.has(predictionId)) return false;
    takenTruths.add(truthId);
    takenPredictions.add(predictionId);
    return true;
  });
}

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function ascending(counts: ReadonlyMap<number, number>): number[] {
  return [...counts.keys()].sort((a, b) => a - b);
}
