// Predicts the cases of an experiment with a fold's network or an ensemble, and scores each prediction.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import { openPredictor, type Prediction, type Predictor, probabilityOfScan } from "@lnsnet/core/inference";
import { nodeRuntime } from "@lnsnet/core/node";
import { hashOfCase } from "../datasets/data-state.js";
import type { Case } from "../datasets/dataset.js";
import {
  ensureWritableFolder,
  isFile,
  isFolder,
  readJson,
  removeUnfinished,
  writeAtomically,
  writeJson,
} from "../files/disk.js";
import type { Job } from "../work/job.js";
import type { Experiment } from "./configuration.js";
import { foldFiles, testFolder } from "./folder.js";
import { modelOfFold, trainedFold } from "./folds.js";
import {
  type CaseScore,
  caseScoreSchema,
  prepareScan,
  type ScanPrediction,
  type StoredScore,
  scoreOfClass,
  scorePrediction,
  wholeMask,
} from "./scoring.js";

/** Predictions by a fold's network or by the mean probability of several, and the folder for their masks and scores. */
interface PredictionTarget {
  readonly name: string;
  readonly folder: string;
  /** Ascending. */
  readonly folds: readonly number[];
}

export const foldNumbers = ({ splits }: Experiment): number[] => splits.map((_, fold) => fold);

/** The cases that a fold is judged on, and by which no other fold is. */
export function validationCases({ dataset, splits }: Experiment, fold: number): Case[] {
  const ids = new Set(splits[fold].val);
  return dataset.training.filter(({ id }) => ids.has(id));
}

export function validationTarget({ folder }: Experiment, fold: number): PredictionTarget {
  return { name: `fold_${fold}`, folder: foldFiles(folder, fold).predictions, folds: [fold] };
}

/** Each fold's network, and their mean, the ensemble. */
export function testTargets(experiment: Experiment): PredictionTarget[] {
  const folds = foldNumbers(experiment);
  const target = (name: string, members: readonly number[]): PredictionTarget => ({
    name,
    folder: testFolder(experiment.folder, name),
    folds: members,
  });
  return [...folds.map((fold) => target(`fold_${fold}`, [fold])), target("ensemble", folds)];
}

/**
 * Sees to it that every target has every case: the mask, and then the figures, which say that both are there. What is
 * there of the same weights and of the same content of the case's files stays.
 *
 * @throws InputError where a case or a fold's model cannot be used; the signal's reason
 */
export async function predictCases(
  experiment: Experiment,
  cases: readonly Case[],
  targets: readonly PredictionTarget[],
  stage: string,
  job: Job = {},
): Promise<void> {
  const weights = await weightsOfTargets(experiment, targets);
  for (const { folder } of targets) if (await isFolder(folder)) await removeUnfinished(folder);
  const report = (done: number, text = "") =>
    job.onProgress?.({ stage, unit: "scan", done, total: cases.length, text });
  if (cases.length > 0) report(0);
  const networks = createNetworks(experiment, targets);
  try {
    for (const [done, scan] of cases.entries()) {
      job.signal?.throwIfAborted();
      const open = await openTargets(experiment, scan, weights);
      if (open.length > 0) await predictCase(experiment, scan, open, { networks, weights }, job);
      report(done + 1, scan.id);
    }
  } finally {
    await networks.release();
  }
}

/**
 * The cases that a target lacks, or has of other weights or of another content.
 *
 * @throws InputError where a fold's model cannot be used
 */
export async function unpredictedCases(
  experiment: Experiment,
  cases: readonly Case[],
  targets: readonly PredictionTarget[],
): Promise<Case[]> {
  const weights = await weightsOfTargets(experiment, targets);
  const lacking: Case[] = [];
  for (const scan of cases) if ((await openTargets(experiment, scan, weights)).length > 0) lacking.push(scan);
  return lacking;
}

/** Those of the targets that lack the case. */
async function openTargets(
  experiment: Experiment,
  scan: Case,
  weights: ReadonlyMap<PredictionTarget, string>,
): Promise<PredictionTarget[]> {
  const open: PredictionTarget[] = [];
  for (const [target, hash] of weights) {
    const score = await scoreAt(target, scan);
    if (score?.weights !== hash || score?.data !== dataOf(experiment, scan)) open.push(target);
  }
  return open;
}

/** The figures of cases by one target, for the class at a position. */
export async function scoresOf(
  target: PredictionTarget,
  cases: readonly Case[],
  position: number,
): Promise<CaseScore[]> {
  const scores = await Promise.all(cases.map((scan) => readJson(scorePath(target, scan), caseScoreSchema)));
  return scores.map((score) => scoreOfClass(score, position));
}

export const maskPath = ({ folder }: PredictionTarget, { id }: Pick<Case, "id">): string =>
  join(folder, `${id}.nii.gz`);

const scorePath = ({ folder }: PredictionTarget, { id }: Case): string => join(folder, `${id}.json`);

async function scoreAt(target: PredictionTarget, scan: Case): Promise<StoredScore | null> {
  const path = scorePath(target, scan);
  return (await isFile(path)) ? readJson(path, caseScoreSchema) : null;
}

const dataOf = ({ data }: Experiment, { id }: Case): string => hashOfCase(data[id]);

/** For each target, the hash of what predicts there. */
async function weightsOfTargets(
  experiment: Experiment,
  targets: readonly PredictionTarget[],
): Promise<ReadonlyMap<PredictionTarget, string>> {
  const hashes = new Map<number, string>();
  for (const fold of new Set(targets.flatMap(({ folds }) => folds)))
    hashes.set(fold, (await trainedFold(experiment, fold)).weights);
  return new Map(
    targets.map((target) => {
      const ofFolds = target.folds.map((fold) => hashes.get(fold));
      return [target, createHash("sha256").update(ofFolds.join(" ")).digest("hex")];
    }),
  );
}

/** The networks of all targets, each loaded once, and not before a case asks for them. */
interface Networks {
  readonly open: () => Promise<Predictor>;
  /** The prediction of a target, from the predictions of all networks. */
  readonly answerOf: <Answer extends Prediction>(
    target: PredictionTarget,
    predictions: readonly Answer[],
  ) => readonly Answer[];
  readonly release: () => Promise<void>;
}

function createNetworks({ folder, threads }: Experiment, targets: readonly PredictionTarget[]): Networks {
  const folds = [...new Set(targets.flatMap((target) => target.folds))].sort((a, b) => a - b);
  let opened: Promise<Predictor> | null = null;
  const load = async () => {
    const models = await Promise.all(folds.map((fold) => modelOfFold(folder, fold)));
    return openPredictor(models, nodeRuntime, { threads });
  };
  return {
    open: () => {
      opened ??= load();
      return opened;
    },
    answerOf: (target, predictions) => {
      if (target.folds.length === folds.length) return predictions;
      const member = folds.indexOf(target.folds[0]);
      return predictions.map((prediction) => ({
        ...prediction,
        probability: prediction.ofMembers[member],
        disagreement: null,
      }));
    },
    release: async () => (await opened)?.release(),
  };
}

async function predictCase(
  experiment: Experiment,
  datasetCase: Case,
  targets: readonly PredictionTarget[],
  {
    networks,
    weights,
  }: { readonly networks: Networks; readonly weights: ReadonlyMap<PredictionTarget, string> },
  { signal }: Job,
): Promise<void> {
  const { configuration } = experiment;
  const { overlap, mirrored, searched } = configuration.prediction;
  const scan = await prepareScan(datasetCase, experiment);
  const predictor = await networks.open();
  const eachMember = targets.some(({ folds }) => folds.length < predictor.members);
  const settings = { overlap, mirrored, eachMember, ...(signal ? { signal } : {}) };
  const whole =
    configuration.protocol === "node-level"
      ? null
      : (await named(datasetCase, probabilityOfScan(scan.channels, predictor, { ...settings, searched })))
          .predictions;
  const crops: (readonly Prediction[])[] = [];
  for (const { image } of scan.crops) crops.push(await predictor.probability(image, settings));
  for (const target of targets) {
    const answer: ScanPrediction = {
      whole: whole && networks.answerOf(target, whole),
      crops: crops.map((crop) => networks.answerOf(target, crop)),
    };
    const mask = wholeMask(answer, scan, configuration);
    await ensureWritableFolder(target.folder);
    if (mask !== null)
      await writeAtomically(
        maskPath(target, datasetCase),
        writeNifti(mask, { description: "lnsnet, research use only" }),
      );
    const score = {
      case: datasetCase.id,
      weights: weights.get(target) ?? "",
      data: dataOf(experiment, datasetCase),
      ...scorePrediction(answer, mask, scan, configuration),
    };
    await writeJson(scorePath(target, datasetCase), score);
  }
}

/** Adds the scan's name to an error. */
async function named<T>({ imagePath }: Case, work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof InputError ? new InputError(`${imagePath}: ${error.message}`) : error;
  });
}
