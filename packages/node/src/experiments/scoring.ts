// Scores the prediction of a case, at node level and over the whole volume.

import { InputError } from "@lnsnet/core/errors";
import {
  type ClassPrediction,
  classLabels,
  FOREGROUND_THRESHOLD,
  nodesOfPredictions,
  type Prediction,
  scanCleaner,
} from "@lnsnet/core/inference";
import { countsAtThresholds, countsOf, detectNodes, evaluateCase, pairOfNode } from "@lnsnet/core/metrics";
import type { Plan } from "@lnsnet/core/models";
import {
  ctChannelOf,
  IGNORED,
  type LabelScheme,
  labelSchemeOf,
  outsideOf,
  type Prepared,
  prepareChannels,
  restoreClass,
  scalingsOf,
  targetNumbers,
  targetTable,
  truthOfClass,
  workingGrid,
} from "@lnsnet/core/transforms";
import {
  crop,
  type IntegerVoxelArray,
  indexOfPoint,
  maskWhere,
  nodeCropStart,
  reorientToLps,
  resample,
  resampleLabels,
  type Volume,
} from "@lnsnet/core/volume";
import { measureNodes, type NodeMeasurement, numberedComponents } from "@lnsnet/core/voxels";
import { z } from "zod";
import { type Case, loadCase } from "../datasets/dataset.js";
import type { DatasetLabels } from "../datasets/foreground.js";
import { instancesOf, instancesWithin } from "../datasets/survey.js";
import { forEachMetric, metricNames, metricRow } from "../evaluation/metric-names.js";
import type { Experiment } from "./configuration.js";

/** A case as it is predicted and judged. */
export interface PreparedScan {
  readonly channels: readonly Volume[];
  /** Null where the case has no label. */
  readonly truth: Truth | null;
  /** One for each true node; none where the protocol is the whole volume alone. */
  readonly crops: readonly NodeCrop[];
}

/** On the scan's own grid. */
interface Truth {
  /** In the order of the plan's classes. */
  readonly classes: readonly ClassTruth[];
  /** 1 where nobody judged; null where all was judged. */
  readonly unjudged: Volume<Uint8Array> | null;
}

interface ClassTruth {
  readonly mask: Volume<Uint8Array>;
  /** A label a node. */
  readonly instances: Volume<IntegerVoxelArray>;
  readonly nodes: readonly NodeMeasurement[];
}

/** A box of the network's patch size around a node, on the working grid. */
interface NodeCrop {
  /** Position of the node's class. */
  readonly position: number;
  readonly node: number;
  readonly image: Prepared;
  /** The nodes of the class. */
  readonly instances: Volume<IntegerVoxelArray>;
  readonly unjudged: Volume<Uint8Array> | null;
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

/** The figures of a class of a case. A value that does not exist is null. */
const figuresSchema = z.object({
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

type ClassFigures = z.infer<typeof figuresSchema>;

const origin = {
  case: z.string(),
  /** A hash of the weights that predicted. */
  weights: z.string(),
  /** A hash of the case's files. */
  data: z.string(),
};

/** The scores of a case, as in its JSON file: a list of classes where there are several. */
export const caseScoreSchema = z.union([
  z.object({ ...origin, classes: z.array(z.object({ class: z.string(), ...figuresSchema.shape })) }),
  z.object({ ...origin, ...figuresSchema.shape }),
]);

export type StoredScore = z.infer<typeof caseScoreSchema>;

/** The scores of one class of a case. */
export type CaseScore = Omit<StoredScore, "classes"> & ClassFigures;

/** The scores of a case for the class at a position. */
export function scoreOfClass(score: StoredScore, position: number): CaseScore {
  if (!("classes" in score)) return score;
  const { classes, ...rest } = score;
  const { class: _, ...figures } = classes[position];
  return { ...rest, ...figures };
}

/** @throws InputError where the case cannot be used, or its instances are not those of its label */
export async function prepareScan(
  scan: Case,
  { dataset, configuration: { plan, protocol } }: Pick<Experiment, "dataset" | "configuration">,
): Promise<PreparedScan> {
  const { channels, label } = await loadCase(scan, dataset.labels);
  const truth = label === null ? null : await truthOf(scan, label, dataset.labels);
  const crops = truth === null || protocol === "whole-volume" ? [] : cropsOf(truth, channels, plan);
  return { channels, truth, crops };
}

/** The mask of the whole scan, on its own grid, as `lnsnet predict` writes it. */
export function wholeMask(
  { whole }: ScanPrediction,
  { channels }: PreparedScan,
  { plan, prediction }: Experiment["configuration"],
): Volume<Uint8Array> | null {
  if (whole === null) return null;
  return classLabels(nodesOfPredictions(channels, plan, whole, prediction.cleanUp), labelSchemeOf(plan));
}

/** @param mask as {@link wholeMask} gives it */
export function scorePrediction(
  prediction: ScanPrediction,
  mask: Volume<Uint8Array> | null,
  scan: PreparedScan,
  configuration: Experiment["configuration"],
): ClassFigures | { readonly classes: readonly ({ readonly class: string } & ClassFigures)[] } {
  const { classes } = labelSchemeOf(configuration.plan);
  const figures = classes.map((_, position) => scoreClass(position, prediction, mask, scan, configuration));
  if (classes.length === 1) return figures[0];
  return { classes: figures.map((ofClass, position) => ({ class: classes[position].name, ...ofClass })) };
}

function scoreClass(
  position: number,
  prediction: ScanPrediction,
  mask: Volume<Uint8Array> | null,
  { truth, channels, crops }: PreparedScan,
  { prediction: settings, protocol, plan }: Experiment["configuration"],
): ClassFigures {
  if (truth === null) return { true_nodes: null, node_level: null, whole_volume: null };
  const scheme = labelSchemeOf(plan);
  const ct = ctChannelOf(plan);
  const { [position]: ofClass } = truth.classes;
  const alone = { ...scheme, classes: [scheme.classes[position]] };
  return {
    true_nodes: ofClass.nodes.map(({ id, volumeMl, shortAxisMm }) => ({
      node: id,
      volume_ml: volumeMl,
      short_axis_mm: shortAxisMm,
    })),
    node_level:
      protocol === "whole-volume"
        ? null
        : crops.flatMap((nodeCrop, index) =>
            nodeCrop.position === position ? scoreNode(prediction.crops[index], nodeCrop, scheme) : [],
          ),
    whole_volume:
      prediction.whole === null || mask === null
        ? null
        : scoreWhole(
            without(
              resample(
                prediction.whole[position].probability,
                channels[0],
                "linear",
                0,
              ) as Volume<Float32Array>,
              truth.unjudged,
            ),
            without(maskOfClass(mask, scheme, position), truth.unjudged),
            ofClass,
            scanCleaner(ct === null ? null : channels[ct], alone, settings.cleanUp),
          ),
  };
}

/** A class of a mask that {@link wholeMask} gave; of a region, the voxels of all its values. */
function maskOfClass(mask: Volume<Uint8Array>, scheme: LabelScheme, position: number): Volume<Uint8Array> {
  if (scheme.classes.length === 1) return mask;
  const table = targetTable(scheme);
  return { ...mask, data: truthOfClass(targetNumbers(mask.data, table), table, position) };
}

/** Voxels as they are, and 0 where nobody judged. */
function without<T extends Uint8Array | Float32Array>(
  volume: Volume<T>,
  unjudged: Volume<Uint8Array> | null,
): Volume<T> {
  if (unjudged === null) return volume;
  const data = volume.data.slice() as T;
  for (let n = 0; n < data.length; n++) if (unjudged.data[n] === 1) data[n] = 0;
  return { ...volume, data };
}

async function truthOf(scan: Case, label: Volume<Uint8Array>, labels: DatasetLabels): Promise<Truth> {
  const given = scan.instancesPath === null ? null : await instancesOf(scan.instancesPath, label, labels);
  if (given !== null && "problem" in given) throw new InputError(given.problem);
  const table = targetTable(labels.scheme);
  const classes = labels.scheme.classes.map((_, position): ClassTruth => {
    const mask = { ...label, data: truthOfClass(label.data, table, position) };
    const instances = given === null ? numberedComponents(mask) : instancesWithin(given, mask);
    return { mask, instances, nodes: measureNodes(instances, null, "labels") };
  });
  const unjudged = label.data.includes(IGNORED)
    ? { ...label, data: maskWhere(label.data, (number) => number === IGNORED) }
    : null;
  return { classes, unjudged };
}

function cropsOf({ classes, unjudged }: Truth, channels: readonly Volume[], plan: Plan): NodeCrop[] {
  const { patchSize, spacingMm } = plan;
  const scalings = scalingsOf(plan);
  const grid = workingGrid(channels[0], spacingMm);
  const { hu, further = [] } = prepareChannels(channels, grid, scalings);
  const [depth, height, width] = patchSize;
  const onGrid = <T extends IntegerVoxelArray>(labels: Volume<T>) =>
    resampleLabels(reorientToLps(labels), grid);
  const unjudgedOnGrid = unjudged && onGrid(unjudged);
  return classes.flatMap(({ instances, nodes }, position) => {
    const instancesOnGrid = onGrid(instances);
    return nodes.map(({ id, centroidLpsMm }) => {
      const start = nodeCropStart(indexOfPoint(grid, centroidLpsMm), [width, height, depth]);
      const cut = <T extends IntegerVoxelArray>(data: T, outside: number) =>
        crop({ ...grid, data }, start, [width, height, depth], outside);
      const { data, ...place } = cut(hu, outsideOf(scalings[0]));
      const others = further.map((channel, at) => cut(channel, outsideOf(scalings[at + 1])).data);
      return {
        position,
        node: id,
        image: { ...place, hu: data, ...(others.length > 0 ? { further: others } : {}) },
        instances: cut(instancesOnGrid.data, 0),
        unjudged: unjudgedOnGrid && cut(Uint8Array.from(unjudgedOnGrid.data), 0),
      };
    });
  });
}

/** A node that is lost between the voxels of the working grid has no figures. */
function scoreNode(
  predictions: readonly Prediction[],
  { position, node, instances, unjudged }: NodeCrop,
  scheme: LabelScheme,
) {
  const probabilities = predictions.map(({ probability }) => probability);
  const predicted = restoreClass(probabilities, position, probabilities[0], scheme, FOREGROUND_THRESHOLD);
  const { truth, prediction } = pairOfNode(without(predicted, unjudged), instances, node);
  const shortAxisMm = (mask: Volume<Uint8Array>): number | null =>
    measureNodes(mask, null, "labels")[0]?.shortAxisMm ?? null;
  const [trueAxis, predictedAxis] = [shortAxisMm(truth), shortAxisMm(prediction)];
  return {
    node,
    metrics: trueAxis === null ? forEachMetric(() => null) : metricRow(evaluateCase(truth, prediction)),
    short_axis_error_mm: trueAxis === null || predictedAxis === null ? null : predictedAxis - trueAxis,
  };
}

/** All on the scan's grid. */
function scoreWhole(
  probability: Volume<Float32Array>,
  mask: Volume<Uint8Array>,
  truth: ClassTruth,
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
    froc: countsAtThresholds(truth.instances, probability, frocThresholds, {
      truthSplit: "labels",
      clean: (mask) => clean(mask).mask,
    }),
  };
}
