// Node-level evaluation: assigns each predicted voxel to its nearest true node, and compares each node with its own part.
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { squaredDistanceMm } from "../voxels/distance.js";

/** The true and the predicted mask of a node, 0 or 1, on the same grid, for {@link evaluateCase}. */
export interface NodePair {
  readonly truth: Volume<Uint8Array>;
  readonly prediction: Volume<Uint8Array>;
}

/**
 * The truth of a node, and its part of the prediction: the predicted voxels that are at least as near to it as to any
 * other true node. So a neighbouring node that was found does not count against this node, and a false positive counts
 * against the nearest node.
 *
 * @param prediction - foreground where nonzero
 * @param instances - 0 for background, else the node, on the grid of `prediction`
 * @throws RangeError where the data does not fill the grid
 */
export function pairOfNode(
  prediction: Volume<Uint8Array>,
  instances: Volume<IntegerVoxelArray>,
  node: number,
): NodePair {
  const truth = maskWhere(instances.data, (value) => value === node);
  const others = maskWhere(instances.data, (value) => value !== 0 && value !== node);
  const { size, spacingMm } = instances;
  const own = maskWhere(prediction.data, (value) => value !== 0);
  if (others.some((value) => value !== 0)) {
    const toNode = squaredDistanceMm(truth, size, spacingMm);
    const toOthers = squaredDistanceMm(others, size, spacingMm);
    for (let voxel = 0; voxel < own.length; voxel++) if (toOthers[voxel] < toNode[voxel]) own[voxel] = 0;
  }
  return { truth: { ...prediction, data: truth }, prediction: { ...prediction, data: own } };
}
