// Fits a model's confidence on scans it was not trained on: from a node's mean probability to the share of true nodes.
import { dirname } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import type { StandingNodes } from "@lnsnet/core/inference";
import { detectNodes } from "@lnsnet/core/metrics";
import { withCalibration } from "@lnsnet/core/models";
import { reliabilityPlotSvg } from "@lnsnet/core/reports";
import {
  calibrated,
  calibratedByOthers,
  fitCalibration,
  type JudgedProbability,
  leastCalibrated,
  type Reliability,
  reliabilityOf,
} from "@lnsnet/core/statistics";
import { counted } from "@lnsnet/core/text";
import type { Volume } from "@lnsnet/core/volume";
import { splitOf } from "../evaluation/evaluating.js";
import { labelsOfTruth } from "../evaluation/judged-classes.js";
import { type MaskPair, readPair } from "../evaluation/masks.js";
import { pairMasks } from "../evaluation/pairs.js";
import { hashOfFile, readBytes, writeAtomically } from "../files/disk.js";
import { loadModel, type StoredModel } from "../files/model-file.js";
import { requireFreeFiles } from "../files/outputs.js";
import { resultOfMask } from "../segmenting/manifest.js";
import { nodesOf } from "../segmenting/results.js";
import type { Job } from "../work/job.js";

export interface CalibrationOptions {
  /** The model that made the predictions. */
  readonly model: string;
  /** The file to write: the same model with its calibration. */
  readonly output: string;
  /** An SVG file for the reliability plot; null for none. */
  readonly plot: string | null;
  /** The model will leave out nodes so that at most so many false ones remain a scan on average; null to keep all. */
  readonly falsePositives: number | null;
  /** Whether existing files are replaced. */
  readonly force: boolean;
}

export interface CalibratedModel {
  readonly path: string;
  /** What the model was trained on. */
  readonly dataLabel: string;
  readonly calibration: NonNullable<StoredModel["plan"]["calibration"]>;
  /** How many of the predicted nodes are true. */
  readonly trueNodes: number;
  /** The predicted nodes that the model will not leave out for its little confidence. */
  readonly keptNodes: readonly JudgedProbability[];
  readonly before: Reliability;
  /** Of each scan's nodes by a fit on the other scans; null where these allow none. */
  readonly after: Reliability | null;
}

/** Fewer nodes than this make a rough fit, which is said. */
const fewNodes = 50;

/**
 * Fits the calibration of a model on masks that `predictScans` wrote and on their truth, and writes the model with it. A
 * predicted node is true where it is matched with a true one, as in `evaluateFiles`.
 *
 * @param truth a folder of true masks or instances, or one file
 * @param predictions the folder of results with the same names, or one mask in it
 * @throws InputError where a file cannot be used, masks were not made by this model or hold clicked nodes, the share of
 *   true nodes does not rise with the probability, or an output stands there already; the signal's reason
 */
export async function calibrateModel(
  truth: string,
  predictions: string,
  { model: modelPath, output, plot, falsePositives, force }: CalibrationOptions,
  job: Job = {},
): Promise<CalibratedModel> {
  const inputs = [truth, predictions, modelPath];
  await requireFreeFiles(plot === null ? [output] : [output, plot], { inputs, force });
  const { plan } = await loadModel(modelPath);
  if (plan.labels !== undefined && plan.labels.classes.length > 1)
    throw new InputError(
      `${modelPath} has several classes, and the confidence is fitted for one; choose a model of one class.`,
    );
  const ignored = (await labelsOfTruth(truth, null))?.scheme.ignored ?? null;
  const scans = await judgedNodes(await pairMasks(truth, predictions), ignored, modelPath, job);
  const nodes = scans.flat();
  const trueNodes = nodes.filter(({ isTrue }) => isTrue).length;
  const map = fitCalibration(nodes);
  if (map === null)
    throw new InputError(
      `${predictions} holds ${counted(nodes.length, "node")} in ${counted(scans.length, "scan")}, ${trueNodes} of them true, and the share of true nodes does not rise with their probability, so there is nothing to fit; predict more scans that have true and false nodes.`,
    );
  if (nodes.length < fewNodes)
    job.log?.(`${counted(nodes.length, "node")} are few to fit a confidence on, so it is rough.`);
  const calibration = {
    ...map,
    scans: scans.length,
    nodes: nodes.length,
    ...(falsePositives === null
      ? {}
      : { leastConfidence: leastCalibrated(nodes, map, falsePositives * scans.length) }),
  };
  const others = calibratedByOthers(scans);
  const result: CalibratedModel = {
    path: output,
    dataLabel: plan.dataLabel,
    calibration,
    trueNodes,
    keptNodes: nodes.filter(
      ({ probability }) => calibrated(probability, map) >= (calibration.leastConfidence ?? 0),
    ),
    before: reliabilityOf(nodes),
    after: others.length === 0 ? null : reliabilityOf(others),
  };
  await writeAtomically(output, withCalibration(await readBytes(modelPath), calibration, modelPath));
  if (plot !== null) await writeAtomically(plot, plotOf(result));
  return result;
}

/** The predicted nodes of each scan, with whether they are true; without those in voxels that nobody judged. */
async function judgedNodes(
  pairs: readonly MaskPair[],
  ignored: number | null,
  modelPath: string,
  { signal, onProgress }: Job,
): Promise<JudgedProbability[][]> {
  const model = { path: modelPath, sha256: await hashOfFile(modelPath) };
  const scans: JudgedProbability[][] = [];
  for (const pair of pairs) {
    signal?.throwIfAborted();
    const { instances, nodes } = await requireResult(pair.predictionPath, model);
    const { truth, prediction } = await readPair(pair, { ...asTheyAre, ignored });
    const areJudged = mostlyForeground(instances, prediction);
    const detection = detectNodes(truth, instances, {
      truthSplit: splitOf(pair.truthPath, "auto"),
      predictionSplit: "labels",
    });
    const isTrue = new Map(detection.prediction.map(({ id, truthId }) => [id, truthId !== null]));
    scans.push(
      nodes
        .filter(({ id }) => areJudged.has(id))
        .map(({ id, meanProbability }) => ({
          probability: meanProbability,
          isTrue: isTrue.get(id) ?? false,
        })),
    );
    onProgress?.({
      stage: "calibrate",
      unit: "scan",
      done: scans.length,
      total: pairs.length,
      text: pair.case,
    });
  }
  return scans;
}

/** The numbers of which more than half of the voxels are foreground, as where none are to be ignored. */
function mostlyForeground(instances: Volume, { data }: Volume): ReadonlySet<number> {
  const voxels = new Map<number, { all: number; foreground: number }>();
  instances.data.forEach((number, at) => {
    if (number === 0) return;
    const counts = voxels.get(number) ?? { all: 0, foreground: 0 };
    voxels.set(number, counts);
    counts.all++;
    if (data[at] !== 0) counts.foreground++;
  });
  return new Set(
    [...voxels].filter(([, { all, foreground }]) => foreground > all / 2).map(([number]) => number),
  );
}

const asTheyAre = { truthLabel: null, predictionLabel: null, threshold: null };

/** @throws InputError where a mask is no whole result of this model alone */
async function requireResult(
  mask: string,
  model: { readonly path: string; readonly sha256: string },
): Promise<StandingNodes> {
  const result = await resultOfMask(mask);
  if (result === null || !result.manifest.finished)
    throw new InputError(
      `${mask} is not a finished result of lnsnet predict, which says how probable each node is; segment the scans with lnsnet predict.`,
    );
  const { id, manifest } = result;
  const { whole_scan, clicks } = manifest;
  if (whole_scan === null || clicks.length > 0)
    throw new InputError(
      `${mask} holds clicked nodes, and the confidence is fitted on what is found without a person's help; segment the whole scan into another folder.`,
    );
  const made = whole_scan.models.map(({ sha256 }) => sha256);
  if (made.length !== 1 || made[0] !== model.sha256)
    throw new InputError(
      `${mask} was made by ${whole_scan.models.map(({ path }) => path).join(", ")}, and not by ${model.path} alone; name the model that made it, or segment the scans again.`,
    );
  return nodesOf(dirname(mask), id, manifest);
}

function plotOf({ dataLabel, calibration, before, after }: CalibratedModel): string {
  const { scans, nodes } = calibration;
  return reliabilityPlotSvg({
    title: "Reliability of the confidence in a node",
    cases: "nodes",
    before,
    after,
    note: `A model trained on ${dataLabel}; ${counted(nodes, "predicted node")} of ${counted(scans, "held-out scan")}. Calibrated: each scan by a fit on the others. Research use only.`,
  });
}
