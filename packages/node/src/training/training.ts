// Trains a network on a data set, in a folder of its own, from the beginning or from where it stopped.
import { createHash } from "node:crypto";
import {
  buildNetwork,
  buildTrainingStep,
  counted,
  countOverlap,
  dice,
  InputError,
  type Plan,
  predictProbability,
  Trainer,
  type TrainingState,
  type TrainingStep,
} from "@lnsnet/core";
import { FOREGROUND_THRESHOLD } from "@lnsnet/core/inference";
import { isOfHead, partsOf } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { learningCurveSvg } from "@lnsnet/core/reports";
import {
  averagedInputs,
  averagedWeights,
  bestValidation,
  forwardModel,
  isExhausted,
  learningRateAt,
  lossOf,
  type PatientRule,
  type PreparedCase,
  patientOfCase,
  type StartingPoint,
  startingPoint,
  usualSchedule,
} from "@lnsnet/core/training";
import { classPairs, indexedStream, labelSchemeOf } from "@lnsnet/core/transforms";
import type { Case, Dataset } from "../datasets/dataset.js";
import { patientsOf, scansOfPatients } from "../datasets/splits.js";
import { ensureWritableFolder, writeAtomically } from "../files/disk.js";
import { loadModel, saveModel } from "../files/model-file.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { openTrainingFolder, type TrainingStart, trainingFiles } from "./folder.js";
import { createBatchLoader, prepareCases } from "./loading.js";
import type { TrainingOptions } from "./options.js";
import { type RecordedRun, type TrainingScans, writeTrainingRecord } from "./record.js";
import { openRunLog } from "./run-log.js";
import { loadState, type SavedTraining, stateBytes, type TrainingHistory } from "./state.js";

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
  /** Steps done: fewer than asked for where patience ended. */
  readonly steps: number;
  /** Ids of the scans that were trained on, and of those set aside to watch. */
  readonly training: readonly string[];
  readonly validation: readonly string[];
}

const LOG_EVERY = 10;
const SAVE_EVERY_SECONDS = 55;
const VALIDATION_STREAM = 2 ** 49;
const VALIDATION_OVERLAP = 0.25;

/**
 * Trains. The folder then holds `model.safetensors` (the averaged weights), `best.safetensors` (those of the best
 * validation), `state.safetensors` (to go on from), `training.json` (what the result rests on), `log.jsonl`, an event file
 * for TensorBoard and `curve.svg`; all of them from the first minute on.
 *
 * @throws InputError for data, weights or a state that cannot be used; the signal's reason, after saving
 */
export async function train(
  dataset: Dataset,
  plan: Plan,
  options: TrainingOptions,
  run: TrainingRun,
  job: Job = {},
): Promise<TrainingResult> {
  const { signal, onProgress, log: note } = job;
  await ensureWritableFolder(run.folder);
  const step = buildTrainingStep((image, builder) => buildNetwork(plan.network, image, builder), {
    imageShape: [options.batchSize, plan.network.configuration.inputs, ...plan.patchSize],
    loss: lossOf(labelSchemeOf(plan)),
    optimizer: { weightDecay: options.weightDecay, clipNorm: options.clipNorm },
    accumulation: options.accumulation,
    trains: (name) => options.trained === "all" || isOfHead(plan.network, name),
  });
  const files = trainingFiles(run.folder);
  const patients = run.patients ?? { named: dataset.patients };
  const { training, validation } = divideCases(dataset.training, options, patients);
  const start = run.weightsPath ? await startingWeights(run.weightsPath, step) : null;
  const identity = runIdentity(plan, options, { training, validation }, start);
  if (run.weightsPath)
    for (const path of Object.values(files))
      await requireFreeFile(path, { inputs: [run.weightsPath], force: true });
  const place = await openTrainingFolder(run.folder, [...training, ...validation], run.start);
  const saved = place.goesOn ? await loadState(files.state, identity, step) : null;
  if (saved) sayStepsLeft(saved, options.steps, files.state, note);
  const history = saved?.history ?? { steps: [], validation: [], unlogged: [], seconds: 0 };

  const cases = await prepareCases(
    dataset,
    [...training, ...validation],
    { ...plan, cacheFolder: run.cacheFolder ?? null },
    job,
  );
  refuseLargePatch(plan.patchSize, cases);
  const trainer = await Trainer.create(nodeRuntime, step, {
    seed: options.seed,
    threads: options.threads,
    averageDecay: options.averageDecay,
    ...(start ? { start } : {}),
    ...(saved ? { state: saved.state } : {}),
  });
  const validate = await createValidator(plan, options, step, watchersOf(cases.slice(training.length), note));
  const loader = createBatchLoader({
    cases: cases.slice(0, training.length),
    seed: options.seed,
    batchSize: options.batchSize,
    sampler: { ...plan, foregroundShare: options.foregroundShare, augmentation: options.augmentation },
  });
  sayWhoTrains({ training, validation }, options, patients, note);
  await place.begin();
  const schedule = usualSchedule(options.steps, options.learningRate, options.decay);
  const record: RecordedRun = {
    dataset: dataset.name,
    plan,
    options,
    schedule,
    validationOverlap: VALIDATION_OVERLAP,
    training,
    validation,
    patients,
    weightsPath: run.weightsPath ?? null,
  };
  await writeTrainingRecord(run.folder, record, null);
  const log = await openRunLog(run.folder, trainer.state.step);

  const saveWeights = async (path: string): Promise<void> => {
    const averaged = averagedWeights(trainer.state, step);
    await saveModel(path, { plan, steps: trainer.state.step, weights: averaged }, false);
  };
  const save = async (): Promise<void> => {
    await writeAtomically(
      files.state,
      stateBytes({ state: trainer.state, history, plannedSteps: options.steps }, identity),
    );
    await saveWeights(files.model);
    await writeAtomically(
      files.curve,
      learningCurveSvg({ title: "Learning curve", note: plan.dataLabel, ...history }),
    );
  };
  let sittingStart = performance.now();
  let savedAt = performance.now();
  try {
    while (trainer.state.step < options.steps && !isExhausted(history.validation, options.patience)) {
      if (signal?.aborted) {
        await save();
        note?.(`stopped after step ${trainer.state.step}; the same command with --resume goes on from there`);
        signal.throwIfAborted();
      }
      const first = trainer.state.step * options.accumulation;
      const batches = [];
      for (let part = 0; part < options.accumulation; part++) batches.push(await loader.next(first + part));
      const learningRate = learningRateAt(trainer.state.step, schedule);
      const { loss, norm } = await trainer.step(batches, learningRate);
      if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} at step ${trainer.state.step}`);
      history.unlogged.push(loss);
      const done = trainer.state.step;
      history.seconds += (performance.now() - sittingStart) / 1000;
      sittingStart = performance.now();
      if (done % LOG_EVERY === 0 || done === options.steps) {
        const losses = history.unlogged.splice(0);
        const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
        history.steps.push({ step: done, loss: mean });
        const { seconds } = history;
        const { waitedSeconds } = loader;
        await log.write({ step: done, loss: mean, norm, learningRate, seconds, waitedSeconds });
      }
      if (validate && (done % options.validateEvery === 0 || done === options.steps)) {
        const dsc = await validate(trainer.state);
        history.validation.push({ step: done, dsc });
        await log.write({ step: done, validationDsc: dsc });
        if (bestValidation(history.validation)?.step === done) await saveWeights(files.best);
      }
      onProgress?.({
        stage: "train",
        unit: "step",
        done,
        total: options.steps,
        text: progressText(history, loss),
      });
      if (performance.now() - savedAt > SAVE_EVERY_SECONDS * 1000) {
        await save();
        savedAt = performance.now();
      }
    }
    await save();
    const best = bestValidation(history.validation);
    await writeTrainingRecord(run.folder, record, { steps: trainer.state.step, bestValidation: best });
  } finally {
    await loader.close();
    await trainer.release();
  }
  return {
    modelPath: files.model,
    bestPath: history.validation.length > 0 ? files.best : null,
    history,
    parameters: step.count,
    steps: trainer.state.step,
    training: training.map(({ id }) => id),
    validation: validation.map(({ id }) => id),
  };
}

/**
 * Says where a run goes on to another number of steps than it was begun with. From there on its learning rate is that
 * of a run begun with the new number, so that it rises again where the old schedule had come to its end.
 *
 * @throws InputError where more steps are done than asked for
 */
function sayStepsLeft(
  { state, plannedSteps }: SavedTraining,
  steps: number,
  path: string,
  log: Job["log"],
): void {
  if (steps === plannedSteps) return;
  if (state.step > steps)
    throw new InputError(
      `${path} is of a run that has done ${state.step} steps, and --steps is ${steps}; give more steps, or --force to begin anew.`,
    );
  log?.(
    `going on after step ${state.step} of ${plannedSteps} to step ${steps}; the learning rate is that of a training of ${steps} steps from here.`,
  );
}

/** What must be the same for a resumed run to be the same run; the number of steps may differ. */
function runIdentity(
  plan: Plan,
  { threads: _, steps: __, ...options }: TrainingOptions,
  { training, validation }: { readonly training: readonly Case[]; readonly validation: readonly Case[] },
  start: StartingPoint | null,
): string {
  const idsOf = (cases: readonly Case[]) => cases.map(({ id }) => id);
  return JSON.stringify({
    plan,
    options,
    training: idsOf(training),
    validation: idsOf(validation),
    weights: start && hashOf([start.theta, ...Object.values(start.buffers)]),
  });
}

function hashOf(parts: readonly Float32Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}

/** @throws InputError where the file is no model, or one of another network */
async function startingWeights(path: string, step: TrainingStep): Promise<StartingPoint> {
  const model = await loadModel(path);
  const { parameters, buffers } = partsOf(model.plan.network, model.plan.patchSize);
  const held = new Map([...parameters, ...buffers].map(({ name, shape }) => [name, shape.join("×")]));
  const expectedParts = [...step.parameters, ...step.buffers];
  for (const { name, shape } of expectedParts) {
    const expected = shape.join("×");
    if (held.get(name) === expected) continue;
    throw new InputError(
      `${path} holds weights of another network: ${held.has(name) ? `${name} is ${held.get(name)}, and ${expected} is` : `${name} is missing, and ${expected} are`} expected; give the weights of a network trained with the same --network.`,
    );
  }
  if (held.size !== expectedParts.length)
    throw new InputError(
      `${path} holds weights of another network, of ${held.size} parameters where ${expectedParts.length} are expected; give the weights of a network trained with the same --network.`,
    );
  return startingPoint(model.weights, step);
}

function progressText({ steps, validation }: TrainingHistory, loss: number): string {
  const last = validation.at(-1);
  const mean = steps.at(-1)?.loss ?? loss;
  return `loss ${mean.toFixed(3)}${last ? ` · validation DSC ${last.dsc.toFixed(3)}` : ""}`;
}

/** More patients than a quarter do not watch: a fold of few would be left with one to train on. */
const GREATEST_WATCHING_SHARE = 1 / 4;

/**
 * Cases for training and for validation, drawn by the seed: as many scans as asked for, with all scans of their patients,
 * and of a quarter of the patients at most. Below four patients none watches.
 */
export function divideCases(
  cases: readonly Case[],
  {
    validationCases,
    validateEvery,
    seed,
  }: Pick<TrainingOptions, "validationCases" | "validateEvery" | "seed">,
  rule: PatientRule,
): { training: Case[]; validation: Case[] } {
  const wanted = validateEvery > 0 ? validationCases : 0;
  const patientOf = ({ id }: Case) => patientOfCase(id, rule);
  const drawn = cases
    .map((one, index) => ({ one, key: indexedStream(seed, VALIDATION_STREAM + index).next() >>> 0 }))
    .sort((a, b) => a.key - b.key)
    .slice(0, wanted)
    .map(({ one }) => patientOf(one));
  const most = Math.floor(patientsOf(cases, rule).size * GREATEST_WATCHING_SHARE);
  const aside = new Set([...new Set(drawn)].slice(0, most));
  return {
    training: cases.filter((one) => !aside.has(patientOf(one))),
    validation: cases.filter((one) => aside.has(patientOf(one))),
  };
}

/** Says who trains and who watches. @throws InputError where nobody watches, and patience waits for them */
function sayWhoTrains(
  { training, validation }: TrainingScans,
  { validateEvery, validationCases, patience }: TrainingOptions,
  rule: PatientRule,
  log: Job["log"],
): void {
  const isAsked = validateEvery > 0 && validationCases > 0;
  if (patience > 0 && validation.length === 0)
    throw new InputError(
      `--patience is ${patience}, and none of ${scansOfPatients(training, rule)} can be spared to watch, since at most a quarter of the patients may; leave --patience out, or add scans.`,
    );
  const fewer = isAsked && validation.length < validationCases;
  const watching =
    validation.length === 0 ? "watched by none" : `watched by ${scansOfPatients(validation, rule)}`;
  log?.(
    `trains on ${scansOfPatients(training, rule)}, ${watching}${fewer ? ` (asked for: ${validationCases}; at most a quarter of the patients watch)` : ""}`,
  );
}

/** The scans that can watch: of one without foreground, the DSC is 0 or 1 and says nothing of how well nodes are outlined. */
function watchersOf(cases: readonly PreparedCase[], log: Job["log"]): PreparedCase[] {
  const watchers = cases.filter(({ foreground }) => foreground.length > 0);
  const without = cases.length - watchers.length;
  if (without > 0)
    log?.(
      `${counted(without, "scan")} of the ${cases.length} that watch ${without === 1 ? "has" : "have"} no foreground, and no validation DSC counts ${without === 1 ? "it" : "them"}`,
    );
  return watchers;
}

/** @throws InputError where the patch is longer than every scan along an axis, so that a part of it would always be empty. */
function refuseLargePatch(patchSize: Plan["patchSize"], cases: readonly PreparedCase[]): void {
  // Sizes are (i, j, k), patches depth, height, width.
  const largest = [2, 1, 0].map((axis) => Math.max(...cases.map(({ size }) => size[axis])));
  if (patchSize.every((length, axis) => length <= largest[axis])) return;
  throw new InputError(
    `The patch is ${patchSize.join(",")} voxels, and the largest of the training scans has ${largest.join(",")} along depth, height and width at the working spacing; give a smaller --patch or a finer --spacing.`,
  );
}

/** Mean DSC of whole validation volumes and classes on the working grid, by the averaged weights; null without validation. */
async function createValidator(
  plan: Plan,
  { threads, validateEvery }: TrainingOptions,
  step: TrainingStep,
  cases: readonly PreparedCase[],
): Promise<((state: TrainingState) => Promise<number>) | null> {
  if (cases.length === 0 || validateEvery === 0) return null;
  const build: Parameters<typeof forwardModel>[0] = (image, builder) =>
    buildNetwork(plan.network, image, builder);
  const session = await nodeRuntime.createSession(
    forwardModel(build, [1, plan.network.configuration.inputs, ...plan.patchSize]),
    {
      threads,
    },
  );
  const scheme = labelSchemeOf(plan);
  return async (state) => {
    let sum = 0;
    for (const one of cases) {
      const grid = { ...one, originMm: [0, 0, 0] as const, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] as const };
      const predictions = await predictProbability(grid, [session], {
        ...plan,
        overlap: VALIDATION_OVERLAP,
        constants: averagedInputs(state, step),
      });
      const probabilities = predictions.map(({ probability }) => probability.data);
      const pairs = classPairs(one.label, probabilities, scheme, FOREGROUND_THRESHOLD);
      for (const { truth, prediction } of pairs) sum += dice(countOverlap(truth, prediction)) / pairs.length;
    }
    return sum / cases.length;
  };
}
