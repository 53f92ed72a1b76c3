// The node level: one prediction around one node, judged as the prediction of that node alone.
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { squaredDistanceMm } from "../voxels/distance.js";

/** Two masks of one node, 0 or 1, on one grid: what {@link evaluateCase} compares. */
export interface NodePair {
  readonly truth: Volume<Uint8Array>;
  readonly prediction: Volume<Uint8Array>;
}

/**
 * One node's truth, and the part of a prediction that is its own: the predicted voxels that lie nearer to it than to any
 * other true node, and those as near. So a neighbour that was found does not count against this node, and whatever was
 * predicted beside a node counts against the nearest one.
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
