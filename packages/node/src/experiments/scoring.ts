// Scores the prediction of a case, at node level and over the whole volume.

import {
  crop,
  detectNodes,
  evaluateCase,
  InputError,
  indexOfPoint,
  type NodeMeasurement,
  type Plan,
  reorientToLps,
  resample,
  type Volume,
} from "@lnsnet/core";
import {
  type ClassPrediction,
  FOREGROUND_THRESHOLD,
  nodeMask,
  nodesOfPredictions,
  type Prediction,
  scanCleaner,
} from "@lnsnet/core/inference";
import { countsAtThresholds, countsOf, pairOfNode } from "@lnsnet/core/metrics";
import { labelSchemeOf, type Prepared, prepareImage, restoreMask } from "@lnsnet/core/transforms";
import { type IntegerVoxelArray, nodeCropStart, resampleLabels } from "@lnsnet/core/volume";
import { measureNodes, numberedComponents } from "@lnsnet/core/voxels";
import { z } from "zod";
import { type Case, loadCase } from "../datasets/dataset.js";
import type { DatasetLabels } from "../datasets/foreground.js";
import { instancesOf } from "../datasets/survey.js";
import { forEachMetric, metricNames, metricRow } from "../evaluation/metric-names.js";
import type { Experiment } from "./configuration.js";

/** A case as it is predicted and judged. */
export interface PreparedScan {
  readonly scan: Volume;
  readonly truth: Truth | null;
  /** One for each true node; none where the protocol is the whole volume alone. */
  readonly crops: readonly NodeCrop[];
}

/** On the scan's own grid. */
interface Truth {
  readonly mask: Volume<Uint8Array>;
  /** A label a node. */
  readonly instances: Volume<IntegerVoxelArray>;
  readonly nodes: readonly NodeMeasurement[];
}

/** A box of the network's patch size around a node, on the working grid. */
interface NodeCrop {
  readonly node: number;
  readonly image: Prepared;
  readonly instances: Volume<IntegerVoxelArray>;
}

/** What networks say of a {@link PreparedScan}. */
export interface ScanPrediction {
  /** Of the part that is searched, on the working grid; null where the protocol is the node level alone. */
  readonly whole: readonly ClassPrediction[] | null;
  /** Of each crop. */
  readonly crops: readonly (readonly Prediction[])[];
}

/** Probabilities from which on a voxel is foreground, for the points of FROC; the one in use among them. */
export const frocThresholds = [
  0.02,
  0.05,
  0.1,
  0.2,
  0.3,
  0.4,
  FOREGROUND_THRESHOLD,
  0.6,
  0.7,
  0.8,
  0.9,
  0.95,
  0.98,
] as const;

const figure = z.number().nullable();
const metricRowSchema = z.record(z.enum(metricNames), figure);
const countsSchema = z.object({ trueNodes: z.number(), predictedNodes: z.number(), hits: z.number() });

/** The scores of a case, as in its JSON file. A value that does not exist is null. */
export const caseScoreSchema = z.object({
  case: z.string(),
  /** A hash of the weights that predicted. */
  weights: z.string(),
  /** A hash of the case's files. */
  data: z.string(),
  /** Null where the case has no label. */
  true_nodes: z
    .array(z.object({ node: z.number(), volume_ml: z.number(), short_axis_mm: z.number() }))
    .nullable(),
  /** Null where the protocol is not asked for, or there is no label. */
  node_level: z
    .array(z.object({ node: z.number(), metrics: metricRowSchema, short_axis_error_mm: figure }))
    .nullable(),
  whole_volume: z
    .object({
      metrics: metricRowSchema,
      counts: countsSchema,
      nodes: z.array(
        z.object({
          node: z.number(),
          hit: z.boolean(),
          metrics: metricRowSchema,
          short_axis_error_mm: figure,
        }),
      ),
      /** At {@link frocThresholds}. */
      froc: z.array(countsSchema).length(frocThresholds.length),
    })
    .nullable(),
});

export type CaseScore = z.infer<typeof caseScoreSchema>;

/** @throws InputError where the case cannot be used, or its instances are not those of its label */
export async function prepareScan(
  scan: Case,
  { dataset, configuration: { plan, protocol } }: Pick<Experiment, "dataset" | "configuration">,
): Promise<PreparedScan> {
  const { image, label } = await loadCase(scan, dataset.labels);
  const truth = label === null ? null : await truthOf(scan, label, dataset.labels);
  return {
    scan: image,
    truth,
    crops: truth === null || protocol === "whole-volume" ? [] : cropsOf(truth, image, plan),
  };
}

/** The mask of the whole scan, on its own grid, as `lnsnet predict` writes it. */
export function wholeMask(
  { whole }: ScanPrediction,
  { scan }: PreparedScan,
  { plan, prediction }: Experiment["configuration"],
): Volume<Uint8Array> | null {
  return whole === null
    ? null
    : nodeMask(nodesOfPredictions(scan, plan, whole, prediction.cleanUp).instances);
}

/** @param mask as {@link wholeMask} gives it */
export function scorePrediction(
  prediction: ScanPrediction,
  mask: Volume<Uint8Array> | null,
  { truth, scan, crops }: PreparedScan,
  { plan, prediction: settings, protocol }: Experiment["configuration"],
): Omit<CaseScore, "case" | "weights" | "data"> {
  if (truth === null) return { true_nodes: null, node_level: null, whole_volume: null };
  return {
    true_nodes: truth.nodes.map(({ id, volumeMl, shortAxisMm }) => ({
      node: id,
      volume_ml: volumeMl,
      short_axis_mm: shortAxisMm,
    })),
    node_level:
      protocol === "whole-volume"
        ? null
        : crops.map((nodeCrop, index) => scoreNode(prediction.crops[index][0].probability, nodeCrop)),
    whole_volume:
      prediction.whole === null || mask === null
        ? null
        : scoreWhole(
            prediction.whole,
            mask,
            truth,
            scan,
            scanCleaner(scan, labelSchemeOf(plan), settings.cleanUp),
          ),
  };
}

async function truthOf(scan: Case, mask: Volume<Uint8Array>, labels: DatasetLabels): Promise<Truth> {
  const given =
    scan.instancesPath === null
      ? numberedComponents(mask)
      : await instancesOf(scan.instancesPath, mask, labels);
  if ("problem" in given) throw new InputError(given.problem);
  return { mask, instances: given, nodes: measureNodes(given, null, "labels") };
}

function cropsOf({ instances, nodes }: Truth, image: Volume, plan: Plan): NodeCrop[] {
  const { patchSize, spacingMm, window } = plan;
  const prepared = prepareImage(image, spacingMm, window);
  const [depth, height, width] = patchSize;
  const onGrid = resampleLabels(reorientToLps(instances), prepared);
  const scan = { ...prepared, data: prepared.hu };
  return nodes.map(({ id, centroidLpsMm }) => {
    const start = nodeCropStart(indexOfPoint(prepared, centroidLpsMm), [width, height, depth]);
    const { data: hu, ...grid } = crop(scan, start, [width, height, depth], window.lowHu);
    return { node: id, image: { ...grid, hu }, instances: crop(onGrid, start, [width, height, depth], 0) };
  });
}

/** A node that is lost between the voxels of the working grid has no figures. */
function scoreNode(probability: Volume<Float32Array>, { node, instances }: NodeCrop) {
  const predicted = restoreMask(probability, probability, FOREGROUND_THRESHOLD);
  const { truth, prediction } = pairOfNode(predicted, instances, node);
  const shortAxisMm = (mask: Volume<Uint8Array>): number | null =>
    measureNodes(mask, null, "labels")[0]?.shortAxisMm ?? null;
  const [trueAxis, predictedAxis] = [shortAxisMm(truth), shortAxisMm(prediction)];
  return {
    node,
    metrics: trueAxis === null ? forEachMetric(() => null) : metricRow(evaluateCase(truth, prediction)),
    short_axis_error_mm: trueAxis === null || predictedAxis === null ? null : predictedAxis - trueAxis,
  };
}

function scoreWhole(
  [{ probability }]: readonly ClassPrediction[],
  mask: Volume<Uint8Array>,
  truth: Truth,
  scan: Volume,
  clean: ReturnType<typeof scanCleaner>,
) {
  const detection = detectNodes(truth.instances, mask, { truthSplit: "labels" });
  return {
    metrics: metricRow(evaluateCase(truth.mask, mask)),
    counts: countsOf(detection),
    nodes: detection.truth.map((node) => ({
      node: node.id,
      hit: node.hit,
      metrics: metricRow(node),
      short_axis_error_mm: node.shortAxisErrorMm,
    })),
    froc: countsAtThresholds(truth.instances, resample(probability, scan, "linear", 0), frocThresholds, {
      truthSplit: "labels",
      clean: (mask) => clean(mask).mask,
    }),
  };
}
