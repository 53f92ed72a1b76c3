// Predicting the cases of an experiment, by a fold's network or the mean of several, and measuring each prediction.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openPredictor, type Volume, writeNifti } from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import type { Prepared } from "@lnsnet/core/transforms";
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
  type PreparedScan,
  prepareScan,
  type ScanPrediction,
  scorePrediction,
  wholeMask,
} from "./scoring.js";

/** Who predicts, and where the masks and figures go: one fold's network, or the mean probability of several. */
interface Target {
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

export function validationTarget({ folder }: Experiment, fold: number): Target {
  return { name: `fold_${fold}`, folder: foldFiles(folder, fold).predictions, folds: [fold] };
}

/** Each fold's network, and their mean, the ensemble. */
export function testTargets(experiment: Experiment): Target[] {
  const folds = foldNumbers(experiment);
  const target = (name: string, members: readonly number[]): Target => ({
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
  targets: readonly Target[],
  stage: string,
  job: Job = {},
): Promise<void> {
  const weights = await weightsOfTargets(experiment, targets);
  for (const { folder } of targets) if (await isFolder(folder)) await removeUnfinished(folder);
  const report = (done: number, text = "") =>
    job.onProgress?.({ stage, unit: "scan", done, total: cases.length, text });
  if (cases.length > 0) report(0);
  for (const [done, one] of cases.entries()) {
    const open: Target[] = [];
    for (const target of targets) {
      const score = await scoreAt(target, one);
      if (score?.weights !== weights.get(target) || score?.data !== dataOf(experiment, one))
        open.push(target);
    }
    if (open.length > 0) await predictCase(experiment, one, open, weights, job);
    report(done + 1, one.id);
  }
}

/** The figures of cases by one target. */
export async function scoresOf(target: Target, cases: readonly Case[]): Promise<CaseScore[]> {
  return Promise.all(cases.map((one) => readJson(scorePath(target, one), caseScoreSchema)));
}

export const maskPath = ({ folder }: Target, { id }: Pick<Case, "id">): string =>
  join(folder, `${id}.nii.gz`);

const scorePath = ({ folder }: Target, { id }: Case): string => join(folder, `${id}.json`);

async function scoreAt(target: Target, one: Case): Promise<CaseScore | null> {
  const path = scorePath(target, one);
  return (await isFile(path)) ? readJson(path, caseScoreSchema) : null;
}

const dataOf = ({ data }: Experiment, { id }: Case): string => hashOfCase(data[id]);

/** For each target, the hash of what predicts there. */
async function weightsOfTargets(
  experiment: Experiment,
  targets: readonly Target[],
): Promise<ReadonlyMap<Target, string>> {
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

/** One network at a time is in memory; of a mean, the sum so far. */
async function predictCase(
  experiment: Experiment,
  one: Case,
  targets: readonly Target[],
  weights: ReadonlyMap<Target, string>,
  job: Job,
): Promise<void> {
  const { configuration } = experiment;
  const scan = await prepareScan(one, experiment);
  const sums = new Map<Target, ScanPrediction>();
  const folds = [...new Set(targets.flatMap((target) => target.folds))].sort((a, b) => a - b);
  for (const fold of folds) {
    const prediction = await predictScan(experiment, fold, scan, job);
    for (const target of targets.filter((target) => target.folds.includes(fold))) {
      const before = sums.get(target);
      const sum = before === undefined ? prediction : combine(before, prediction, (a, b) => a + b);
      sums.set(target, sum);
      if (fold !== target.folds.at(-1)) continue;
      sums.delete(target);
      const count = target.folds.length;
      const mean = count === 1 ? sum : combine(sum, sum, (total) => total / count);
      const mask = wholeMask(mean, scan, configuration);
      await ensureWritableFolder(target.folder);
      if (mask !== null)
        await writeAtomically(
          maskPath(target, one),
          writeNifti(mask, { description: "lnsnet, research use only" }),
        );
      const score: CaseScore = {
        case: one.id,
        weights: weights.get(target) ?? "",
        data: dataOf(experiment, one),
        ...scorePrediction(mean, mask, scan, configuration),
      };
      await writeJson(scorePath(target, one), score);
    }
  }
}

async function predictScan(
  { folder, threads, configuration }: Experiment,
  fold: number,
  { whole, crops }: PreparedScan,
  { signal }: Job,
): Promise<ScanPrediction> {
  signal?.throwIfAborted();
  const model = await modelOfFold(folder, fold);
  const predictor = await openPredictor([model], nodeRuntime, { threads });
  const look = { overlap: configuration.prediction.overlap, ...(signal ? { signal } : {}) };
  const probabilityOf = async (prepared: Prepared) =>
    (await predictor.probability(prepared, look))[0].probability;
  try {
    const ofCrops = [];
    for (const { image } of crops) ofCrops.push(await probabilityOf(image));
    return { whole: whole === null ? null : await probabilityOf(whole), crops: ofCrops };
  } finally {
    await predictor.release();
  }
}

/** Voxel by voxel; both are of one scan. */
function combine(
  a: ScanPrediction,
  b: ScanPrediction,
  rule: (a: number, b: number) => number,
): ScanPrediction {
  const both = (one: Volume<Float32Array>, other: Volume<Float32Array>): Volume<Float32Array> => ({
    ...one,
    data: one.data.map((value, voxel) => rule(value, other.data[voxel])),
  });
  return {
    whole: a.whole && b.whole && both(a.whole, b.whole),
    crops: a.crops.map((one, index) => both(one, b.crops[index])),
  };
}
