// Confidence of each node: the mean probability over its voxels, and the disagreement of an ensemble's members.
import { crop } from "../volume/crop.js";
import { type IntegerVoxelArray, resample } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import type { NodeMeasurement } from "./node-measurement.js";

export interface NodeConfidence {
  /** The node's number in the instances. */
  readonly id: number;
  /** Mean over the node's voxels, 0 … 1. */
  readonly meanProbability: number;
  /** Mean over the node's voxels of the members' standard deviation; null without an ensemble. */
  readonly ensembleDisagreement: number | null;
}

/**
 * The confidence of each node, in the order of `nodes`. The grids of network and scan may differ: values are interpolated
 * linearly at the centres of the node's voxels, only within the node's box, so that no array of the size of the scan is
 * needed.
 *
 * @param nodes - measured on the labels of `instances`
 * @param instances - on the scan's grid, each node's voxels hold its id
 * @param probability - 0 … 1, on any grid; 0 outside it
 * @param disagreement - standard deviation of the members' probabilities, on any grid
 */
export function nodeConfidences(
  nodes: readonly Pick<NodeMeasurement, "id" | "boundingBoxIndex">[],
  instances: Volume<IntegerVoxelArray>,
  probability: Volume,
  disagreement: Volume | null = null,
): NodeConfidence[] {
  return nodes.map(({ id, boundingBoxIndex: { start, size } }) => {
    const box = crop(instances, start, size);
    return {
      id,
      meanProbability: meanOver(box, id, probability),
      ensembleDisagreement: disagreement === null ? null : meanOver(box, id, disagreement),
    };
  });
}

/** The mean of a volume's values at the voxels of a label. */
function meanOver(box: Volume, id: number, values: Volume): number {
  const { data } = resample(values, box, "linear", 0);
  let sum = 0;
  let voxels = 0;
  for (let at = 0; at < data.length; at++) {
    if (box.data[at] !== id) continue;
    sum += data[at];
    voxels++;
  }
  return sum / voxels;
}
