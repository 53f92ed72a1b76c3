// Trains a network on a data set, in a folder of its own, from the beginning or from where it stopped.

import { InputError } from "@lnsnet/core/errors";
import { SingleValueError } from "@lnsnet/core/graph";
import type { Plan } from "@lnsnet/core/models";
import { buildNetwork, isOfHead, networkTitle, partsOf } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import {
  type BuildNetwork,
  buildTrainingStep,
  flatCount,
  lossOf,
  type PatientRule,
  type PreparedCase,
  type SavedTraining,
  type TrainingHistory,
  type TrainingStep,
  train as trainStep,
  usualSchedule,
} from "@lnsnet/core/training";
import { labelSchemeOf } from "@lnsnet/core/transforms";
import type { Part } from "../datasets/data-state.js";
import type { Dataset } from "../datasets/dataset.js";
import { ensureWritableFolder } from "../files/disk.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { openBatchClicks } from "./batch-clicks.js";
import { divideCases, divisionText, requireValidationScans, type TrainingScans } from "./division.js";
import { openTrainingFolder, type TrainingStart, trainingFiles } from "./folder.js";
import { runIdentity } from "./identity.js";
import { createBatchLoader, prepareCases } from "./loading.js";
import { budgetText, requireTrainable, type TrainingOptions } from "./options.js";
import { type FolderPlace, folderPlace } from "./place.js";
import { startingWeights } from "./starting-weights.js";
import { loadState } from "./state.js";
import { stationNames, stationScheme, withoutStations, withStationHead } from "./stations.js";
import { openValidator, VALIDATION_OVERLAP } from "./validation.js";

/** Where a training run lives, and what it begins from. */
export interface TrainingRun {
  /** Held by the caller, see `holdFolder`. */
  readonly folder: string;
  /** A run goes on with the same plan, options, cases, content of their files, and weights; steps alone may be more. */
  readonly start: TrainingStart;
  /** Where `lnsnet preprocess` put the prepared cases; without it they are prepared anew. */
  readonly cacheFolder?: string | null;
  /** A model of the same network, whose weights are begun from. */
  readonly weightsPath?: string | null;
  /** By default the names of the data set alone. */
  readonly patients?: PatientRule;
}

export interface TrainingResult {
  /** The averaged weights at the end. */
  readonly modelPath: string;
  /** The averaged weights at the best validation; null where there was none. */
  readonly bestPath: string | null;
  readonly history: TrainingHistory;
  readonly parameters: number;
  /** Steps done: fewer than asked for where patience or minutes ended the run. */
  readonly steps: number;
  /** Ids of the scans that were trained on, and of those set aside to watch. */
  readonly training: readonly string[];
  readonly validation: readonly string[];
}

/**
 * Trains. The folder then holds `model.safetensors` (the averaged weights), `best.safetensors` (those of the best
 * validation), `state.safetensors` (to go on from), `training.json` (what the result rests on), `log.jsonl`, an event file
 * for TensorBoard and `curve.svg`; all of them from the first minute on.
 *
 * @throws InputError for data, weights or a state that cannot be used, and where the training diverges; the signal's
 *   reason, after saving
 */
export async function train(
  dataset: Dataset,
  plan: Plan,
  options: TrainingOptions,
  run: TrainingRun,
  job: Job = {},
): Promise<TrainingResult> {
  requireTrainable(options, run);
  if ((plan.clickMaps === undefined) !== (options.leftOut === undefined))
    throw new InputError(
      "A promptable plan (clickMaps) and the option leftOut, which says what is not to be learned from clicks, go together; give both or neither.",
    );
  await ensureWritableFolder(run.folder);
  const patients = run.patients ?? { named: dataset.patients };
  const scans = divideCases(dataset.training, options, patients);
  requireValidationScans(scans, options, patients);
  const stations = options.stationWeight === undefined ? [] : await stationNames(dataset.training, plan);
  const step = stepOf(plan, options, stations);
  const begun = await openRun({ dataset, plan, options, run, patients, scans, step }, job);
  const cases = await prepareCases(
    dataset,
    [...scans.training, ...scans.validation],
    { ...plan, cacheFolder: run.cacheFolder ?? null, leftOut: options.leftOut, stations },
    job,
  );
  refuseLargePatch(plan.patchSize, cases);
  job.log?.(divisionText(scans, options, patients));
  const { state, history } = await runLoop({ plan, options, scans, step, stations, cases, ...begun }, job);
  const files = trainingFiles(run.folder);
  return {
    modelPath: files.model,
    bestPath: history.validation.length > 0 ? files.best : null,
    history,
    parameters: flatCount(partsOf(plan.network, plan.patchSize).parameters),
    steps: state.step,
    training: scans.training.map(({ id }) => id),
    validation: scans.validation.map(({ id }) => id),
  };
}

/** The network that is trained: with a head for stations, which the plan's has not. */
function trainedNetwork(plan: Plan, stations: readonly string[]): BuildNetwork {
  const network = withStationHead(plan, stations);
  return (image, builder) => buildNetwork(network, image, builder);
}

/** @throws InputError where batches are too small for the network's batch norm */
function stepOf(plan: Plan, options: TrainingOptions, stations: readonly string[]): TrainingStep {
  try {
    return buildStep(plan, options, stations);
  } catch (error) {
    if (!(error instanceof SingleValueError)) throw error;
    throw new InputError(
      `${networkTitle(plan.network)} cannot be trained on batches of ${options.batchSize} with a patch of ${plan.patchSize.join(",")} voxels, of which its deepest batch norm would see a single value; give the option patch larger sizes, or the option batch 2.`,
      { cause: error },
    );
  }
}

function buildStep(plan: Plan, options: TrainingOptions, stations: readonly string[]): TrainingStep {
  return buildTrainingStep(trainedNetwork(plan, stations), {
    imageShape: [options.batchSize, plan.network.configuration.inputs, ...plan.patchSize],
    loss: lossOf(labelSchemeOf(plan), options.diceSmoothing),
    ...(options.stationWeight === undefined ? {} : { stationWeight: options.stationWeight }),
    optimizer: { weightDecay: options.weightDecay, clipNorm: options.clipNorm },
    accumulation: options.accumulation,
    trains: (name) => options.trained === "all" || isOfHead(plan.network, name),
  });
}

/** All that a run is made of. */
interface RunParts {
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly options: TrainingOptions;
  readonly run: TrainingRun;
  readonly patients: PatientRule;
  readonly scans: TrainingScans;
  readonly step: TrainingStep;
}

/** What of its cases a training reads. */
function partsRead({ clickMaps }: Plan, { stationWeight }: TrainingOptions): Part[] {
  if (clickMaps !== undefined) return ["image", "label", "instances"];
  return ["image", "label", "look-alikes", ...(stationWeight === undefined ? [] : (["instances"] as const))];
}

/** What the run begins or goes on from, and where it is kept; nothing is written yet. */
async function openRun({ dataset, plan, options, run, patients, scans, step }: RunParts, { log }: Job) {
  const { folder, weightsPath = null } = run;
  const files = trainingFiles(folder);
  const start = weightsPath === null ? null : await startingWeights(weightsPath, plan, step);
  if (weightsPath !== null)
    for (const path of Object.values(files))
      await requireFreeFile(path, { inputs: [weightsPath], force: true });
  const opened = await openTrainingFolder(
    folder,
    [...scans.training, ...scans.validation],
    run.start,
    partsRead(plan, options),
  );
  const identity = runIdentity(plan, options, scans, start);
  const saved = opened.goesOn ? await loadState(files.state, identity, step) : null;
  if (saved) tellStepsLeft(saved, options, files.state, log);
  const schedule = usualSchedule(options.steps, options.learningRate, options.decay);
  const record = {
    ...{ dataset: dataset.name, plan, options, schedule, patients, weightsPath, ...scans },
    validationOverlap: VALIDATION_OVERLAP,
  };
  const stepsBefore = saved?.state.step ?? 0;
  const place = folderPlace({ folder, opened, step, identity, record, stepsBefore });
  return { start, saved, schedule, place };
}

interface LoopParts
  extends Pick<RunParts, "plan" | "options" | "scans" | "step">,
    Omit<Awaited<ReturnType<typeof openRun>>, "place"> {
  /** Those that train, then those that watch. */
  readonly cases: readonly PreparedCase[];
  readonly stations: readonly string[];
  readonly place: FolderPlace;
}

/** Trains from batches that worker threads make, and lets go of all that it opened. */
async function runLoop(
  { plan, options, scans, step, stations, cases, start, saved, schedule, place }: LoopParts,
  job: Job,
): Promise<SavedTraining> {
  const { foregroundShare, augmentation, threads, minutes, leftOut: _, diceSmoothing: __, ...loop } = options;
  const seconds = minutes && 60 * minutes;
  const count = scans.training.length;
  const watching = cases.slice(count).map((scan) => (stations.length === 0 ? scan : withoutStations(scan)));
  const validator = await openValidator(trainedNetwork(plan, stations), plan, threads, watching, job.log);
  const clicks = await openBatchClicks(trainedNetwork(plan, stations), plan, options);
  const batches = createBatchLoader({
    cases: cases.slice(0, count),
    seed: options.seed,
    batchSize: options.batchSize,
    sampler: {
      ...plan,
      // Patches are drawn as without stations.
      ...(stations.length === 0 ? {} : { labels: stationScheme(plan, stations), balancesClasses: false }),
      foregroundShare,
      augmentation,
    },
  });
  const nowSeconds = () => performance.now() / 1000;
  try {
    const training = await trainStep(
      step,
      { ...loop, seconds, threads, schedule, start, saved },
      {
        ...{ runtime: nodeRuntime, batches, place, nowSeconds },
        ...{ complete: clicks?.complete ?? null, validate: validator?.validate ?? null },
      },
      job,
    );
    await place.finish(training);
    return training;
  } finally {
    await batches.close();
    await clicks?.release();
    await validator?.release();
  }
}

/**
 * Says where a run goes on to another number of steps than it was begun with. From there on its learning rate is that
 * of a run begun with the new number, so that it rises again where the old schedule had come to its end.
 *
 * @throws InputError where more steps are done than asked for
 */
function tellStepsLeft(
  { state, plannedSteps }: SavedTraining,
  options: TrainingOptions,
  path: string,
  log: Job["log"],
): void {
  const { steps } = options;
  if (steps === plannedSteps) return;
  if (state.step > steps)
    throw new InputError(
      `${path} is of a run that has done ${state.step} steps, and the option steps is ${steps}; give more steps, or the option force to begin anew.`,
    );
  log?.(
    `going on after step ${state.step}; from here the learning rate is that of a training of ${budgetText(options)}.`,
  );
}

/** @throws InputError where the patch is longer than every scan along an axis, so that a part of it would always be empty. */
function refuseLargePatch(patchSize: Plan["patchSize"], cases: readonly PreparedCase[]): void {
  // Sizes are (i, j, k), patches depth, height, width.
  const largest = [2, 1, 0].map((axis) => Math.max(...cases.map(({ size }) => size[axis])));
  if (patchSize.every((length, axis) => length <= largest[axis])) return;
  throw new InputError(
    `The patch is ${patchSize.join(",")} voxels, and the largest of the training scans has ${largest.join(",")} along depth, height and width at the working spacing; give a smaller patch or a finer spacing.`,
  );
}
