// What every way of segmenting gives: nodes by number, each measured, with how sure the network was.
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { type NodeConfidence, nodeConfidences } from "../voxels/node-confidence.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";
import type { Prediction } from "./sliding-window.js";

/** A node that was found: its measurements and the network's confidence. */
export type SegmentedNode = NodeMeasurement & NodeConfidence;

/** Nodes of a scan. */
export interface SegmentedNodes {
  /** Each node's voxels hold its number, all else 0; on the scan's own grid. */
  readonly instances: Volume<IntegerVoxelArray>;
  /** By number. */
  readonly nodes: readonly SegmentedNode[];
}

/** 1 in every node, 0 elsewhere. */
export function nodeMask(instances: Volume<IntegerVoxelArray>): Volume<Uint8Array> {
  return { ...instances, data: maskWhere(instances.data, (number) => number !== 0) };
}

/** From this probability on a voxel is foreground. */
export const FOREGROUND_THRESHOLD = 0.5;

/** Nodes with the network's confidence in each. */
export function withConfidence(
  nodes: readonly NodeMeasurement[],
  instances: Volume<IntegerVoxelArray>,
  { probability, disagreement }: Prediction,
): SegmentedNode[] {
  const confidences = nodeConfidences(nodes, instances, probability, disagreement);
  return nodes.map((node, index) => ({ ...node, ...confidences[index] }));
}
