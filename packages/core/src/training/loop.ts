// The training loop: updates, learning curve, validation, best weights, early stopping and saving. The host provides
// the runtime, the batches, a clock and a place to save.
import { InputError } from "../errors.js";
import type { Job } from "../job.js";
import type { Runtime, RuntimeTensor } from "../runtime/types.js";
import type { BatchSource } from "./batch.js";
import { bestValidation, emptyHistory, isExhausted, type TrainingHistory } from "./history.js";
import { type LearningRateSchedule, learningRateAt, usualSchedule } from "./schedule.js";
import type { TrainingStep } from "./step.js";
import {
  averagedInputs,
  type StartingPoint,
  type StepResult,
  Trainer,
  type TrainingBatch,
  type TrainingState,
} from "./trainer.js";

export interface LoopOptions {
  /** Updates of the whole run, or the most where `seconds` end it. */
  readonly steps: number;
  /**
   * Seconds of updates after which the run ends, counted over all resumed parts, with the waiting for batches and without
   * validation and saving; by default no limit. The schedule then follows the greater of the two shares, of the steps and
   * of the seconds. How many steps fit depends on the machine, so such a run is not repeated bit for bit.
   */
  readonly seconds?: number | undefined;
  /** Seed of the initial weights and of random masks. */
  readonly seed: number;
  /** By default {@link usualSchedule} of the steps. */
  readonly schedule?: LearningRateSchedule;
  /** Decay of the moving average of the weights, once warmed up; 0.998 by default. */
  readonly averageDecay?: number;
  /** Updates between validations; 0, the default, never validates. */
  readonly validateEvery?: number;
  /** The run ends after this many validations in a row without improvement; 0, the default, never ends it early. */
  readonly patience?: number;
  /** Threads of the runtime; 0, the default, for one a core. */
  readonly threads?: number;
  /** Weights and running statistics to begin from; drawn from the seed by default. */
  readonly start?: StartingPoint | null;
  /** A saved run to continue. With the same options and batches the result is bit for bit that of a run that never stopped. */
  readonly saved?: SavedTraining | null;
}

/** What is needed to continue a run. */
export interface SavedTraining {
  readonly state: TrainingState;
  readonly history: TrainingHistory;
  /** Number of steps that was planned when the run was saved. */
  readonly plannedSteps: number;
}

/** Figures after a step: those of updates, or of a validation. */
export interface LogEntry {
  readonly step: number;
  /** Mean loss of the updates since the last entry. */
  readonly loss?: number;
  /** Global norm of the gradient before clipping. */
  readonly norm?: number;
  readonly learningRate?: number;
  readonly validationDsc?: number;
  /** Of a promptable network: the mean DSC after one click, two, …; their mean is `validationDsc`. */
  readonly validationDscAfterClicks?: readonly number[];
  /** Seconds of updates, over all resumed parts of the run. */
  readonly seconds?: number;
  /** Seconds since the run was started or resumed in which the step waited for batches. */
  readonly waitedSeconds?: number;
}

/** Where a run is saved. The loop waits for each call; what it passes does not change later. */
export interface TrainingPlace {
  /** Called once, when the network is loaded and before anything else. */
  begin?(): Promise<void>;
  /** Saves what is needed to continue the run, in place of the previous save. */
  save(training: SavedTraining): Promise<void>;
  /** Saves the state of the best validation so far; its averaged weights are the best network. */
  saveBest(state: TrainingState): Promise<void>;
  /** Receives the figures of the learning curve. */
  record?(entry: LogEntry): Promise<void>;
}

/** What a validation found. */
export interface ValidationFigures {
  /** The mean DSC by which the best weights are chosen. */
  readonly dsc: number;
  /** Of a promptable network: after one click, two, …. */
  readonly dscAfterClicks?: readonly number[];
}

/** What a training needs of the machine that it runs on. */
export interface TrainingHost {
  readonly runtime: Runtime;
  readonly batches: BatchSource;
  /** Validates with these inputs of {@link forwardModel}; nothing is validated without it. */
  readonly validate?:
    | ((weights: Readonly<Record<string, RuntimeTensor>>) => Promise<ValidationFigures>)
    | null;
  /**
   * Completes a batch by what depends on the network so far: its clicks, for a promptable one. Gets the batch's number, and
   * the weights as inputs of {@link forwardModel}.
   */
  readonly complete?:
    | ((
        batch: TrainingBatch,
        index: number,
        weights: Readonly<Record<string, RuntimeTensor>>,
      ) => Promise<void>)
    | null;
  readonly place: TrainingPlace;
  /** A clock that never goes back. */
  nowSeconds(): number;
}

const LOG_EVERY_STEPS = 10;
/** A killed process loses at most a minute of training. */
const SAVE_EVERY_SECONDS = 55;

/**
 * Trains. The run is saved at least once a minute, at its end, and when the job's signal stops it.
 *
 * @returns the run at its end, with fewer steps than planned if patience ended it
 * @throws InputError where the training diverged, naming the step; the signal's reason, after saving
 */
export async function train(
  step: TrainingStep,
  options: LoopOptions,
  host: TrainingHost,
  job: Job = {},
): Promise<SavedTraining> {
  const { seed, threads = 0, averageDecay, start, saved } = options;
  const trainer = await Trainer.create(host.runtime, step, {
    seed,
    threads,
    ...(averageDecay === undefined ? {} : { averageDecay }),
    ...(start ? { start } : {}),
    ...(saved ? { state: saved.state } : {}),
  });
  try {
    await host.place.begin?.();
    const run = new Run(trainer, step, options, host);
    while (!run.isOver) {
      if (job.signal?.aborted) {
        await run.save();
        job.log?.(`stopped after ${doneText(run, options)}; the training is saved and can be resumed`);
        job.signal.throwIfAborted();
      }
      const loss = await run.update();
      await run.validate();
      job.onProgress?.({
        ...{ stage: "train", unit: "step", done: run.done, total: run.expectedSteps },
        text: progressText(run.history, loss),
      });
      await run.saveWhenDue();
    }
    await run.save();
    return run.kept;
  } finally {
    await trainer.release();
  }
}

/** A run in memory: the trainer and the run's history so far. */
class Run {
  history: TrainingHistory;
  private readonly schedule: LearningRateSchedule;
  private savedSeconds: number;
  private waitedSeconds = 0;

  constructor(
    private readonly trainer: Trainer,
    private readonly step: TrainingStep,
    private readonly options: LoopOptions,
    private readonly host: TrainingHost,
  ) {
    this.history = options.saved?.history ?? emptyHistory;
    this.schedule = options.schedule ?? usualSchedule(options.steps);
    this.savedSeconds = host.nowSeconds();
  }

  /** Updates done. */
  get done(): number {
    return this.trainer.state.step;
  }

  /** All steps, or as many as the seconds are likely to allow at the speed so far. */
  get expectedSteps(): number {
    return Math.min(this.options.steps, Math.max(this.done, Math.round(this.done / this.shareOfSeconds)));
  }

  get isOver(): boolean {
    const { steps, patience = 0 } = this.options;
    return this.done >= steps || this.shareOfSeconds >= 1 || isExhausted(this.history.validation, patience);
  }

  get kept(): SavedTraining {
    return { state: this.trainer.state, history: this.history, plannedSteps: this.options.steps };
  }

  /** One update, recorded in the learning curve. @returns its loss */
  async update(): Promise<number> {
    const begin = this.host.nowSeconds();
    const learningRate = learningRateAt(this.placeInSchedule, this.schedule);
    const result = await this.trainer.step(await this.nextBatches(), learningRate);
    requireFinite(result, this.done);
    const seconds = this.history.seconds + this.host.nowSeconds() - begin;
    this.history = { ...this.history, seconds, unlogged: [...this.history.unlogged, result.loss] };
    if (this.isDue(LOG_EVERY_STEPS)) await this.recordUpdates(result.norm, learningRate);
    return result.loss;
  }

  /** Validates when it is due, and saves the weights if they are the best so far. */
  async validate(): Promise<void> {
    const { validate, place } = this.host;
    const { validateEvery = 0 } = this.options;
    if (!validate || validateEvery === 0 || !this.isDue(validateEvery)) return;
    const { done } = this;
    const { dsc, dscAfterClicks } = await validate(averagedInputs(this.trainer.state, this.step));
    const validation = [...this.history.validation, { step: done, dsc }];
    this.history = { ...this.history, validation };
    const afterClicks = dscAfterClicks === undefined ? {} : { validationDscAfterClicks: dscAfterClicks };
    await place.record?.({ step: done, validationDsc: dsc, ...afterClicks });
    if (bestValidation(validation)?.step === done) await place.saveBest(this.trainer.state);
  }

  async saveWhenDue(): Promise<void> {
    if (this.host.nowSeconds() - this.savedSeconds <= SAVE_EVERY_SECONDS) return;
    await this.save();
    this.savedSeconds = this.host.nowSeconds();
  }

  save(): Promise<void> {
    return this.host.place.save(this.kept);
  }

  private isDue(every: number): boolean {
    return this.done % every === 0 || this.isOver;
  }

  /** Spent of the seconds that end the run; 0 where none do. */
  private get shareOfSeconds(): number {
    return this.history.seconds / (this.options.seconds ?? Number.POSITIVE_INFINITY);
  }

  /** In steps: those done, or as many of them as seconds are spent, in share, where that is more. */
  private get placeInSchedule(): number {
    return Math.max(this.done, this.shareOfSeconds * this.schedule.totalSteps);
  }

  private async nextBatches() {
    const { batches, complete } = this.host;
    const start = this.host.nowSeconds();
    const first = this.done * this.step.accumulation;
    const taken: TrainingBatch[] = [];
    for (let part = 0; part < this.step.accumulation; part++) taken.push(await batches.next(first + part));
    this.waitedSeconds += this.host.nowSeconds() - start;
    if (complete) {
      const weights = averagedInputs(this.trainer.state, this.step);
      for (const [part, batch] of taken.entries()) await complete(batch, first + part, weights);
    }
    return taken;
  }

  private async recordUpdates(norm: number, learningRate: number): Promise<void> {
    const { steps, unlogged, seconds } = this.history;
    const loss = unlogged.reduce((a, b) => a + b, 0) / unlogged.length;
    const entry = { step: this.done, loss };
    this.history = { ...this.history, steps: [...steps, entry], unlogged: [] };
    const { waitedSeconds } = this;
    await this.host.place.record?.({ ...entry, norm, learningRate, seconds, waitedSeconds });
  }
}

/** With a norm that is not finite the next weights would be NaN. @throws InputError */
function requireFinite({ loss, norm }: StepResult, step: number): void {
  if (Number.isFinite(loss) && Number.isFinite(norm)) return;
  const found = Number.isFinite(loss) ? `the gradient's norm became ${norm}` : `the loss became ${loss}`;
  throw new InputError(
    `The training diverged: ${found} at step ${step}. Train with a lower learning rate; what was saved before is unchanged.`,
  );
}

function doneText({ done, history }: Run, { steps, seconds }: LoopOptions): string {
  return seconds === undefined
    ? `step ${done} of ${steps}`
    : `step ${done} and ${Math.round(history.seconds)} of ${seconds} seconds`;
}

function progressText({ steps, validation }: TrainingHistory, loss: number): string {
  const last = validation.at(-1);
  const mean = steps.at(-1)?.loss ?? loss;
  return `loss ${mean.toFixed(3)}${last ? ` · validation DSC ${last.dsc.toFixed(3)}` : ""}`;
}
