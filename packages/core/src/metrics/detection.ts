// Node detection: a row for each true and each predicted node of a scan, and sensitivity, PPV and F1 over many scans.

import { crop } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Vector3, Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { foregroundOf } from "../voxels/instances.js";
import type { IndexBox } from "../voxels/morphology.js";
import { measureNodes, type NodeMeasurement, type NodeSplit } from "../voxels/node-measurement.js";
import { type CaseMetrics, evaluateCase, requireSameGrid } from "./case.js";
import { jointBox, jointForegroundBox } from "./foreground-box.js";
import { matchNodes, type NodeOverlap, nodeInstances, overlapsOfNodes } from "./node-matching.js";
import type { SurfaceConvention } from "./surface.js";

/**
 * A true node, and how well its matched prediction fits. The metrics compare the node with the predicted node that it is
 * matched with; for a missed node DSC, IoU and NSD are 0 and distances null, even if a part of it was segmented.
 */
export interface TrueNode extends CaseMetrics {
  readonly id: number;
  readonly centroidLpsMm: Vector3;
  readonly shortAxisMm: number;
  readonly hit: boolean;
  readonly predictionId: number | null;
  /** Short axis of the prediction − short axis of the truth; null for a missed node. */
  readonly shortAxisErrorMm: number | null;
}

/** A predicted node; a false positive if it is not matched with a true node. */
export interface PredictedNode {
  readonly id: number;
  readonly centroidLpsMm: Vector3;
  readonly shortAxisMm: number;
  readonly volumeMl: number;
  /** The maximum probability within the node: the threshold at which it vanishes. Null where no probability was given. */
  readonly score: number | null;
  readonly truthId: number | null;
}

/** The nodes of a scan. */
export interface NodeDetection {
  readonly truth: readonly TrueNode[];
  readonly prediction: readonly PredictedNode[];
  /** Every pair of a true and a predicted node that share voxels, matched or not. */
  readonly overlaps: readonly NodeOverlap[];
}

export interface DetectionOptions {
  /** How the truth is split into nodes; by default into connected components of equal value (26 neighbours). */
  readonly truthSplit?: NodeSplit;
  /** How the prediction is split into nodes; the same by default. */
  readonly predictionSplit?: NodeSplit;
  /** On the same grid, for the scores of predicted nodes. */
  readonly probability?: Volume<Float32Array>;
  readonly surface?: SurfaceConvention;
}

/**
 * Matches the predicted nodes of a scan with the true ones (`matchNodes`) and measures both. Components carry the ids
 * that {@link measureNodes} gives them.
 *
 * @param truth - foreground where nonzero
 * @param prediction - likewise, on the same grid
 * @throws InputError where the geometries differ
 */
export function detectNodes(
  truth: Volume<IntegerVoxelArray>,
  prediction: Volume<IntegerVoxelArray>,
  options: DetectionOptions = {},
): NodeDetection {
  requireSameGrid(truth, prediction);
  if (options.probability) requireSameGrid(truth, options.probability);
  const box = jointForegroundBox(foregroundOf(truth.data), foregroundOf(prediction.data), truth.size);
  if (box === null) return { truth: [], prediction: [], overlaps: [] };
  const inBox = <T extends IntegerVoxelArray | Float32Array>(volume: Volume<T>) =>
    crop(volume, box.start, box.size);
  const truthLabels = nodeInstances(inBox(truth), options.truthSplit ?? "components");
  const predictionLabels = nodeInstances(inBox(prediction), options.predictionSplit ?? "components");
  const truthNodes = measureNodes(truthLabels, null, "labels");
  const predictionNodes = measureNodes(predictionLabels, null, "labels");

  const { overlaps } = overlapsOfNodes(truthLabels, predictionLabels);
  const matches = matchNodes(overlaps);
  const partnerOf = new Map(matches.map(({ truthId, predictionId }) => [truthId, predictionId]));
  const truthOf = new Map(matches.map(({ truthId, predictionId }) => [predictionId, truthId]));
  const scoreOf = options.probability ? maximumByNode(predictionLabels, inBox(options.probability)) : null;
  return {
    truth: truthNodes.map((node) => {
      const partner = predictionNodes.find(({ id }) => id === partnerOf.get(node.id)) ?? null;
      return trueNode(node, truthLabels, partner, predictionLabels, options.surface);
    }),
    prediction: predictionNodes.map(({ id, centroidLpsMm, shortAxisMm, volumeMl }) => ({
      id,
      centroidLpsMm,
      shortAxisMm,
      volumeMl,
      score: scoreOf?.get(id) ?? null,
      truthId: truthOf.get(id) ?? null,
    })),
    overlaps,
  };
}

/** Counts of a scan. */
export interface DetectionCounts {
  readonly trueNodes: number;
  readonly predictedNodes: number;
  /** True nodes that are matched with a predicted node. */
  readonly hits: number;
}

/** Measures over scans, from their summed counts; each is null where it would divide by zero. */
export interface DetectionFigures extends DetectionCounts {
  readonly volumes: number;
  readonly falsePositives: number;
  /** Hits / true nodes. */
  readonly sensitivity: number | null;
  /** Positive predictive value (PPV): hits / predicted nodes. */
  readonly positivePredictiveValue: number | null;
  readonly falsePositivesPerVolume: number | null;
  /** Aggregated F1: 2·hits / (true nodes + predicted nodes) of all scans together, not the mean of their F1. */
  readonly f1Aggregated: number | null;
}

export function countsOf({ truth, prediction }: NodeDetection): DetectionCounts {
  return {
    trueNodes: truth.length,
    predictedNodes: prediction.length,
    hits: truth.filter(({ hit }) => hit).length,
  };
}

export function detectionFigures(scans: readonly DetectionCounts[]): DetectionFigures {
  const sumOf = (field: keyof DetectionCounts) => scans.reduce((sum, scan) => sum + scan[field], 0);
  const [trueNodes, predictedNodes, hits] = [sumOf("trueNodes"), sumOf("predictedNodes"), sumOf("hits")];
  const falsePositives = predictedNodes - hits;
  return {
    volumes: scans.length,
    trueNodes,
    predictedNodes,
    hits,
    falsePositives,
    sensitivity: ratio(hits, trueNodes),
    positivePredictiveValue: ratio(hits, predictedNodes),
    falsePositivesPerVolume: ratio(falsePositives, scans.length),
    f1Aggregated: ratio(2 * hits, trueNodes + predictedNodes),
  };
}

/** The true nodes whose short axis is at least `fromMm` and below `toMm` (null: no bound). */
export interface SizeStratum {
  readonly fromMm: number;
  readonly toMm: number | null;
  readonly trueNodes: number;
  readonly hits: number;
  readonly sensitivity: number | null;
}

/** Sensitivity by the true node's short axis: below 5, 5–10, 10–15 and from 15 mm. */
export function sensitivityBySize(nodes: readonly Pick<TrueNode, "shortAxisMm" | "hit">[]): SizeStratum[] {
  return strataStartMm.map((fromMm, at) => {
    const toMm = strataStartMm[at + 1] ?? null;
    const within = nodes.filter(
      ({ shortAxisMm }) => shortAxisMm >= fromMm && (toMm === null || shortAxisMm < toMm),
    );
    const hits = within.filter(({ hit }) => hit).length;
    return { fromMm, toMm, trueNodes: within.length, hits, sensitivity: ratio(hits, within.length) };
  });
}

const strataStartMm = [0, 5, 10, 15];

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}

function trueNode(
  node: NodeMeasurement,
  truthLabels: Volume<IntegerVoxelArray>,
  partner: NodeMeasurement | null,
  predictionLabels: Volume<IntegerVoxelArray>,
  surface: SurfaceConvention | undefined,
): TrueNode {
  const box =
    partner === null ? node.boundingBoxIndex : jointBox(node.boundingBoxIndex, partner.boundingBoxIndex);
  return {
    id: node.id,
    centroidLpsMm: node.centroidLpsMm,
    shortAxisMm: node.shortAxisMm,
    hit: partner !== null,
    predictionId: partner?.id ?? null,
    shortAxisErrorMm: partner === null ? null : partner.shortAxisMm - node.shortAxisMm,
    ...evaluateCase(
      maskOfNode(truthLabels, node.id, box),
      maskOfNode(predictionLabels, partner?.id ?? null, box),
      surface,
    ),
  };
}

/** The mask of a single node in a box; empty where `id` is null. */
function maskOfNode(labels: Volume<IntegerVoxelArray>, id: number | null, box: IndexBox): Volume<Uint8Array> {
  const cropped = crop(labels, box.start, box.size);
  return { ...cropped, data: maskWhere(cropped.data, (label) => label === id) };
}

function maximumByNode(
  labels: Volume<IntegerVoxelArray>,
  probability: Volume<Float32Array>,
): Map<number, number> {
  const greatest = new Map<number, number>();
  labels.data.forEach((id, at) => {
    if (id !== 0) greatest.set(id, Math.max(greatest.get(id) ?? 0, probability.data[at]));
  });
  return greatest;
}
