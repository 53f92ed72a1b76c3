// The result of a segmentation: numbered nodes with measurements and the network's confidence.
import { calibrated } from "../statistics/calibration.js";
import {
  type LabelPlan,
  type LabelScheme,
  labelSchemeOf,
  lymphNodeNames,
} from "../transforms/label-scheme.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { type NodeConfidence, nodeConfidences } from "../voxels/node-confidence.js";
import { isNodeDensity } from "../voxels/node-density.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";
import type { PredictionPlan } from "./predictor.js";
import type { Prediction } from "./sliding-window.js";

/** The network's confidence in a node, and its class. */
export interface FoundNode extends NodeConfidence {
  /** Of nodes like this, the share that are true, 0 … 1, by the model's calibration; null where it has none. */
  readonly confidence: number | null;
  /** The class, where the model knows several. */
  readonly className?: string | undefined;
}

/** A node that was found: its measurements, its class and the network's confidence. */
export interface SegmentedNode extends NodeMeasurement, FoundNode {
  /** Whether its HU fit no lymph node. A clicked node is kept all the same; false for classes that are not lymph nodes. */
  readonly isImplausible: boolean;
}

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

/** The value that is written for each node's class; 1 where there is a single class. */
export function classLabels(
  {
    instances,
    nodes,
  }: { readonly instances: Volume<IntegerVoxelArray>; readonly nodes: readonly FoundNode[] },
  { classes }: LabelScheme,
): Volume<Uint8Array> {
  if (classes.length === 1) return nodeMask(instances);
  const writtenFor = new Map(classes.map(({ name, writtenAs }) => [name, writtenAs]));
  const values = new Map(nodes.map(({ id, className }) => [id, writtenFor.get(className ?? "") ?? 0]));
  return { ...instances, data: Uint8Array.from(instances.data, (number) => values.get(number) ?? 0) };
}

/** A voxel is foreground if its probability is at least this. */
export const FOREGROUND_THRESHOLD = 0.5;

/** The prediction for a class. */
export interface ClassPrediction extends Prediction {
  /** Undefined where there is one class. */
  readonly className: string | undefined;
}

/** Predictions with the names of their classes, where there are several. */
export const namedPredictions = (
  predictions: readonly Prediction[],
  { classes }: LabelScheme,
): readonly ClassPrediction[] =>
  predictions.map((prediction, at) => ({
    ...prediction,
    className: classes.length > 1 ? classes[at].name : undefined,
  }));

/** Nodes of one class with the network's confidence in each. */
export function withConfidence(
  nodes: readonly NodeMeasurement[],
  instances: Volume<IntegerVoxelArray>,
  { probability, disagreement, className }: ClassPrediction,
  plan: PredictionPlan,
): SegmentedNode[] {
  const confidences = nodeConfidences(nodes, instances, probability, disagreement);
  const name = className === undefined ? {} : { className };
  const { calibration } = plan;
  return nodes.map((node, index) => {
    const { meanProbability } = confidences[index];
    const confidence = calibration === undefined ? null : calibrated(meanProbability, calibration);
    return segmentedNode(node, { ...confidences[index], confidence, ...name }, plan);
  });
}

/** Nodes without those of less confidence; the rest are numbered anew, in the same order. Nodes without a confidence stay. */
export function withoutDoubtful(
  { instances, nodes }: SegmentedNodes,
  leastConfidence: number,
): SegmentedNodes & { readonly doubtful: number } {
  const kept = nodes.filter(({ confidence }) => confidence === null || confidence >= leastConfidence);
  // Most scans lose none, and a copy of the instances is as large as the scan.
  if (kept.length === nodes.length) return { instances, nodes, doubtful: 0 };
  const numbers = new Map(kept.map(({ id }, at) => [id, at + 1]));
  const data = instances.data.slice();
  for (let at = 0; at < data.length; at++) if (data[at] !== 0) data[at] = numbers.get(data[at]) ?? 0;
  return {
    instances: { ...instances, data },
    nodes: kept.map((node, at) => ({ ...node, id: at + 1 })),
    doubtful: nodes.length - kept.length,
  };
}

/** A measured node with what the network found there, judged by its HU. */
export function segmentedNode(node: NodeMeasurement, found: FoundNode, plan: LabelPlan): SegmentedNode {
  const name = found.className ?? labelSchemeOf(plan).classes[0].name;
  const isImplausible = lymphNodeNames.test(name) && !isNodeDensity(node);
  return { ...node, ...found, id: node.id, isImplausible };
}
