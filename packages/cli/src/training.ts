// Trains a network on a data set, in a folder of its own, from the beginning or from where it stopped.
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Augmentation,
  buildNetwork,
  buildTrainingStep,
  diceCrossEntropyLoss,
  forwardModel,
  InputError,
  indexedStream,
  learningCurveSvg,
  learningRateAt,
  namedWeights,
  type PreparedCase,
  predictProbability,
  readSafetensors,
  type StoredTensor,
  Trainer,
  type TrainingState,
  type TrainingStep,
  writeSafetensors,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { z } from "zod";
import type { Case, Dataset } from "./dataset.js";
import { ensureWritableFolder, isFile, readBytes, writeAtomically } from "./files.js";
import { Interrupted, interruptSignal } from "./interrupt.js";
import { createBatchLoader, prepareCases } from "./loading.js";
import { type FileKind, type Plan, saveModel } from "./model.js";
import { createProgress } from "./progress.js";

export interface TrainingOptions {
  readonly steps: number;
  /** Patches a batch. */
  readonly batchSize: number;
  /** Batches an update. */
  readonly accumulation: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly averageDecay: number;
  readonly foregroundShare: number;
  readonly augmentation: Augmentation;
  readonly seed: number;
  readonly threads: number;
  /** Steps between validations; 0 never validates. */
  readonly validateEvery: number;
  /** Training cases set aside for validation. */
  readonly validationCases: number;
}

/** What a training run has shown so far; kept in its state file. */
export interface TrainingHistory {
  readonly steps: { step: number; loss: number }[];
  readonly validation: { step: number; dsc: number }[];
  /** Seconds of training, over all sittings. */
  seconds: number;
}

export interface TrainingResult {
  readonly modelPath: string;
  readonly history: TrainingHistory;
  readonly parameters: number;
}

const LOG_EVERY = 10;
const SAVE_EVERY_SECONDS = 55;
const VALIDATION_STREAM = 2 ** 49;
const VALIDATION_OVERLAP = 0.25;

const historySchema: z.ZodType<TrainingHistory> = z.object({
  steps: z.array(z.object({ step: z.number(), loss: z.number() })),
  validation: z.array(z.object({ step: z.number(), dsc: z.number() })),
  seconds: z.number(),
});

/**
 * Trains. The folder then holds `model.safetensors` (the averaged weights), `state.safetensors` (to go on from),
 * `log.jsonl` and `curve.svg`; all of them from the first minute on.
 *
 * @param resume goes on from the folder's state, which must be of the same plan and options
 * @param cacheFolder where `lnsnet preprocess` put the prepared cases; null prepares them anew
 * @throws InputError for data or a state that cannot be used; Interrupted on Ctrl-C, after saving
 */
export async function train(
  dataset: Dataset,
  plan: Plan,
  options: TrainingOptions,
  folder: string,
  resume: boolean,
  cacheFolder: string | null = null,
): Promise<TrainingResult> {
  await ensureWritableFolder(folder);
  const signal = interruptSignal();
  const step = buildTrainingStep((image, builder) => buildNetwork(plan.network, image, builder), {
    imageShape: [options.batchSize, plan.network.configuration.inputs, ...plan.patchSize],
    loss: diceCrossEntropyLoss,
    weightDecay: options.weightDecay,
    clipNorm: options.clipNorm,
    accumulation: options.accumulation,
  });
  const files = filesOf(folder);
  const saved = resume ? await loadState(files.state, plan, options, step) : null;
  const history = saved?.history ?? { steps: [], validation: [], seconds: 0 };

  const { training, validation } = divideCases(dataset.training, options);
  const cases = await prepareCases(dataset, [...training, ...validation], { ...plan, cacheFolder, signal });
  refuseLargePatch(plan.patchSize, cases);
  const trainer = await Trainer.create(nodeRuntime, step, {
    seed: options.seed,
    threads: options.threads,
    averageDecay: options.averageDecay,
    ...(saved ? { state: saved.state } : {}),
  });
  const validate = await createValidator(plan, options, cases.slice(training.length));
  const loader = createBatchLoader({
    cases: cases.slice(0, training.length),
    seed: options.seed,
    batchSize: options.batchSize,
    sampler: { ...plan, foregroundShare: options.foregroundShare, augmentation: options.augmentation },
  });

  const save = async (): Promise<void> => {
    await writeAtomically(files.state, stateBytes(trainer.state, history, plan, options));
    const weights = namedWeights(trainer.state.average, step.parameters);
    await saveModel(files.model, { plan, steps: trainer.state.step, weights }, false);
    await writeAtomically(
      files.curve,
      learningCurveSvg({ title: "Learning curve", note: plan.dataLabel, ...history }),
    );
  };
  const progress = createProgress("train", "step");
  const schedule = {
    peak: options.learningRate,
    warmUpSteps: Math.max(1, Math.round(options.steps / 20)),
    totalSteps: options.steps,
    final: options.learningRate / 100,
  };
  let sittingStart = performance.now();
  let savedAt = performance.now();
  const recent: number[] = [];
  try {
    while (trainer.state.step < options.steps) {
      if (signal.aborted) {
        await save();
        throw new Interrupted(
          `stopped after step ${trainer.state.step}; the same command with --resume goes on from there`,
        );
      }
      const first = trainer.state.step * options.accumulation;
      const batches = [];
      for (let part = 0; part < options.accumulation; part++) batches.push(await loader.next(first + part));
      const rate = learningRateAt(trainer.state.step, schedule);
      const { loss, norm } = await trainer.step(batches, rate);
      if (!Number.isFinite(loss)) throw new Error(`the loss became ${loss} at step ${trainer.state.step}`);
      recent.push(loss);
      const done = trainer.state.step;
      history.seconds += (performance.now() - sittingStart) / 1000;
      sittingStart = performance.now();
      if (done % LOG_EVERY === 0 || done === options.steps) {
        const mean = recent.reduce((a, b) => a + b, 0) / recent.length;
        recent.length = 0;
        history.steps.push({ step: done, loss: mean });
        await log(files.log, {
          step: done,
          loss: mean,
          norm,
          learningRate: rate,
          seconds: history.seconds,
          waitedSeconds: loader.waitedSeconds,
        });
      }
      if (validate && (done % options.validateEvery === 0 || done === options.steps)) {
        const dsc = await validate(trainer.state.average);
        history.validation.push({ step: done, dsc });
        await log(files.log, { step: done, validationDsc: dsc });
      }
      progress.update({ done, total: options.steps, text: progressText(history, loss) });
      if (performance.now() - savedAt > SAVE_EVERY_SECONDS * 1000) {
        await save();
        savedAt = performance.now();
      }
    }
    await save();
    progress.finish();
  } finally {
    await loader.close();
    await trainer.release();
  }
  return { modelPath: files.model, history, parameters: step.count };
}

const filesOf = (folder: string) => ({
  state: join(folder, "state.safetensors"),
  model: join(folder, "model.safetensors"),
  log: join(folder, "log.jsonl"),
  curve: join(folder, "curve.svg"),
});

function progressText({ steps, validation }: TrainingHistory, loss: number): string {
  const last = validation.at(-1);
  const mean = steps.at(-1)?.loss ?? loss;
  return `loss ${mean.toFixed(3)}${last ? ` · validation DSC ${last.dsc.toFixed(3)}` : ""}`;
}

/** Cases for training and for validation, drawn by the seed. */
export function divideCases(
  cases: readonly Case[],
  {
    validationCases,
    validateEvery,
    seed,
  }: Pick<TrainingOptions, "validationCases" | "validateEvery" | "seed">,
): { training: Case[]; validation: Case[] } {
  const wanted = validateEvery > 0 ? validationCases : 0;
  if (wanted > 0 && wanted >= cases.length)
    throw new InputError(
      `The data set has ${cases.length} training cases and ${wanted} are to be set aside for validation; give fewer with --validation-cases.`,
    );
  const order = cases.map((one, index) => ({
    one,
    key: indexedStream(seed, VALIDATION_STREAM + index).next() >>> 0,
  }));
  const aside = new Set(
    [...order]
      .sort((a, b) => a.key - b.key)
      .slice(0, wanted)
      .map(({ one }) => one),
  );
  return {
    training: cases.filter((one) => !aside.has(one)),
    validation: cases.filter((one) => aside.has(one)),
  };
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

/** Mean DSC of whole validation volumes on the working grid, by the averaged weights; null without validation. */
async function createValidator(
  plan: Plan,
  { threads, validateEvery }: TrainingOptions,
  cases: readonly PreparedCase[],
): Promise<((theta: Float32Array) => Promise<number>) | null> {
  if (cases.length === 0 || validateEvery === 0) return null;
  const build: Parameters<typeof forwardModel>[0] = (image, builder) =>
    buildNetwork(plan.network, image, builder);
  const session = await nodeRuntime.createSession(forwardModel(build, [1, 1, ...plan.patchSize]), {
    threads,
  });
  return async (theta) => {
    let sum = 0;
    for (const one of cases) {
      const grid = { ...one, originMm: [0, 0, 0] as const, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] as const };
      const { data } = await predictProbability(grid, session, {
        ...plan,
        overlap: VALIDATION_OVERLAP,
        constants: { theta: { shape: [theta.length], data: theta } },
      });
      let both = 0;
      let either = 0;
      for (let voxel = 0; voxel < data.length; voxel++) {
        const predicted = data[voxel] >= 0.5 ? 1 : 0;
        const truth = one.label[voxel] !== 0 ? 1 : 0;
        both += predicted & truth;
        either += predicted + truth;
      }
      sum += either === 0 ? 1 : (2 * both) / either;
    }
    return sum / cases.length;
  };
}

async function log(path: string, entry: Readonly<Record<string, number>>): Promise<void> {
  await appendFile(path, `${JSON.stringify(entry)}\n`);
}

/** What must be the same for a resumed run to be the same run. */
const fingerprintOf = (plan: Plan, { threads: _, ...options }: TrainingOptions): string =>
  JSON.stringify({ plan, options });

function stateBytes(
  state: TrainingState,
  history: TrainingHistory,
  plan: Plan,
  options: TrainingOptions,
): Uint8Array {
  const vector = (data: Float32Array): StoredTensor => ({ dtype: "F32", shape: [data.length], data });
  const tensors = new Map<string, StoredTensor>([
    ["theta", vector(state.theta)],
    ["m", vector(state.m)],
    ["v", vector(state.v)],
    ["average", vector(state.average)],
    ...Object.entries(state.buffers).map(([name, data]): [string, StoredTensor] => [
      `buffer.${name}`,
      vector(data),
    ]),
  ]);
  const kind: FileKind = "lnsnet-training-state";
  return writeSafetensors(tensors, {
    kind,
    step: String(state.step),
    history: JSON.stringify(history),
    run: fingerprintOf(plan, options),
  });
}

async function loadState(
  path: string,
  plan: Plan,
  options: TrainingOptions,
  { count, buffers }: TrainingStep,
): Promise<{ state: TrainingState; history: TrainingHistory } | null> {
  if (!(await isFile(path))) return null;
  const { tensors, metadata } = readSafetensors(await readBytes(path), path);
  if (metadata.kind !== ("lnsnet-training-state" satisfies FileKind))
    throw new InputError(
      `${path} is no training state of lnsnet; give another --output, or leave --resume out to begin anew.`,
    );
  if (metadata.run !== fingerprintOf(plan, options))
    throw new InputError(
      `${path} was written by a run with other settings (network, data, steps, seed or another option), and --resume needs the same; repeat its options, or give another --output.`,
    );
  const vector = (name: string, length: number): Float32Array => {
    const data = tensors.get(name)?.data;
    if (!(data instanceof Float32Array) || data.length !== length)
      throw new InputError(
        `${path} lacks ${length} numbers of ${name}: it is the state of another network; give another --output.`,
      );
    return data;
  };
  return {
    state: {
      step: Number(metadata.step),
      theta: vector("theta", count),
      m: vector("m", count),
      v: vector("v", count),
      average: vector("average", count),
      buffers: Object.fromEntries(
        buffers.map(({ name, shape }) => [
          name,
          vector(
            `buffer.${name}`,
            shape.reduce((a, b) => a * b, 1),
          ),
        ]),
      ),
    },
    history: historySchema.parse(JSON.parse(metadata.history ?? "null")),
  };
}
