// Cross-validation: a network trained and judged on every fold of a data set, then on its test set, in one folder.
import { counted } from "@lnsnet/core/text";
import { scansOfPatients } from "../datasets/splits.js";
import { whileHoldingAll, whileWriting } from "../files/folder-lock.js";
import type { Job } from "../work/job.js";
import { collectExperiment } from "./collecting.js";
import { beginExperiment, type Experiment, type ExperimentRequest } from "./configuration.js";
import { foldFiles } from "./folder.js";
import { trainedFold, trainFold } from "./folds.js";
import { foldNumbers, predictCases, validationCases, validationTarget } from "./predicting.js";
import type { ExperimentResult } from "./report.js";
import { type Elsewhere, partCounter, spreadExperiment } from "./spreading.js";

export interface CrossValidation extends ExperimentRequest {
  /**
   * What is done now, to share the work among processes or machines: all of it; one fold, by its number from 0; or
   * gathering the folds that were trained elsewhere.
   */
  readonly part: "all" | "gathering" | number;
  /** Who trains and predicts; absent or null for this process. With it, all is done at once. */
  readonly elsewhere?: Elsewhere | null;
}

/**
 * Trains and judges a network on every fold, and on the test set where there is one, and writes tables and a report. The
 * same call again goes on where it stopped.
 *
 * @returns the result; null where one fold alone was requested
 * @throws InputError where the folder holds an experiment of other settings or folds, the data cannot be split so, or a
 *   case cannot be used; the signal's reason, after the training that runs has been saved
 */
export async function crossValidate(
  { part, elsewhere = null, ...request }: CrossValidation,
  job: Job = {},
): Promise<ExperimentResult | null> {
  const { configuration, dataset, patients } = request;
  const scans = scansOfPatients(dataset.training, patients);
  const test =
    dataset.test.length === 0 ? "no test set" : `${scansOfPatients(dataset.test, patients)} in the test set`;
  job.log?.(`${dataset.name}: ${scans} for ${counted(configuration.folds, "fold")}, ${test}`);
  const experiment = await beginExperiment(request, job);
  const folds = typeof part === "number" ? [part] : foldNumbers(experiment);
  if (part === "gathering") for (const fold of folds) await trainedFold(experiment, fold);
  const trainsHere = part !== "gathering" && elsewhere === null;
  if (elsewhere !== null && part === "all")
    await spreadExperiment(experiment, elsewhere, partCounter([experiment], job), job.signal);
  for (const fold of folds) await judgeFold(experiment, fold, trainsHere, job);
  return typeof part === "number" ? null : collectFolds(experiment, job);
}

/**
 * Predicts the test set, and writes tables and report, while no other process changes a fold.
 *
 * @throws InputError as {@link collectExperiment}, and where another process holds a fold
 */
export function collectFolds(experiment: Experiment, job: Job = {}): Promise<ExperimentResult> {
  const folders = foldNumbers(experiment).map((fold) => foldFiles(experiment.folder, fold).folder);
  return whileHoldingAll(folders, experiment.holder, () => collectExperiment(experiment, job), job);
}

/** Trains a fold where it is to be trained, and predicts the cases that it is judged on. */
export async function judgeFold(
  experiment: Experiment,
  fold: number,
  trains: boolean,
  job: Job,
): Promise<void> {
  const { folder } = foldFiles(experiment.folder, fold);
  const judge = async () => {
    if (trains) await trainFold(experiment, fold, job);
    const [cases, target] = [validationCases(experiment, fold), validationTarget(experiment, fold)];
    await predictCases(experiment, cases, [target], `predict fold ${fold}`, job);
  };
  await whileWriting(folder, experiment.holder, judge, job);
}
