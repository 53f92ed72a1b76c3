// Runs training steps: holds the flat state, draws the random masks, and feeds the step's model.
import { type Shape, sizeOf } from "../graph/shape.js";
import { indexedStream, uniform } from "../random.js";
import type { Runtime, RuntimeTensor, Session } from "../runtime/types.js";
import { nextName, type TrainingStep } from "./step.js";
import { flatWeights, initialWeights, namedWeights } from "./weights.js";

/** Everything that the next step depends on, except the batch. */
export interface TrainingState {
  /** Updates done so far. */
  readonly step: number;
  readonly theta: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** Exponential moving average of θ; what validation and prediction use. */
  readonly average: Float32Array;
  /** Running statistics by name. */
  readonly buffers: Buffers;
  /** Their moving average, with the same decay as `average`. */
  readonly averageBuffers: Buffers;
}

type Buffers = Readonly<Record<string, Float32Array>>;

/** Initial weights and running statistics of a training. */
export type StartingPoint = Pick<TrainingState, "theta" | "buffers">;

/** Images [N, C, D, H, W] and labels of the step's shapes, flat. */
export interface TrainingBatch {
  readonly image: Float32Array;
  readonly label: Float32Array;
}

export interface StepResult {
  readonly loss: number;
  /** Global norm of the gradient before clipping. */
  readonly norm: number;
}

export interface TrainerOptions {
  readonly seed: number;
  readonly threads?: number;
  /** Decay of the moving average of the weights, once warmed up; 0.998 by default. */
  readonly averageDecay?: number;
  /** A state to continue from. */
  readonly state?: TrainingState;
  /** Weights and running statistics to begin from where there is no state; drawn from the seed where absent. */
  readonly start?: StartingPoint;
}

export const DEFAULT_AVERAGE_DECAY = 0.998;

/** Random streams with smaller numbers belong to patches. */
const WEIGHT_STREAM = 2 ** 50;
const MASK_STREAM = 2 ** 51;

/** Training of one network, from its first step or from a saved state. Release it when done. */
export class Trainer {
  /** Replaced by each step; earlier states are not changed. */
  state: TrainingState;

  private constructor(
    private readonly description: TrainingStep,
    private readonly update: Session,
    private readonly accumulate: Session | null,
    private readonly options: TrainerOptions,
  ) {
    this.state = options.state ?? initialState(description, options);
  }

  static async create(
    runtime: Runtime,
    description: TrainingStep,
    options: TrainerOptions,
  ): Promise<Trainer> {
    const threads = options.threads ?? 0;
    const update = await runtime.createSession(description.updateModel, { threads });
    const accumulate = description.accumulateModel
      ? await runtime.createSession(description.accumulateModel, { threads })
      : null;
    return new Trainer(description, update, accumulate, options);
  }

  /**
   * One update from `accumulation` batches.
   * @throws RangeError where the number of batches is another.
   */
  async step(batches: readonly TrainingBatch[], learningRate: number): Promise<StepResult> {
    const { accumulation } = this.description;
    if (batches.length !== accumulation)
      throw new RangeError(`a step takes ${accumulation} batches, not ${batches.length}`);
    const { losses, accumulated, buffers } = await this.accumulateShares(batches.slice(0, -1));
    const step = this.state.step + 1;
    // The moving average is short at first, so that the random initial weights are soon forgotten.
    const keep = Math.min(this.options.averageDecay ?? DEFAULT_AVERAGE_DECAY, step / (step + 9));
    const result = await this.update.run({
      ...this.batchInputs(batches[accumulation - 1], accumulation - 1, buffers),
      ...this.updateInputs(learningRate, keep),
      ...(accumulated ? { accumulated: this.vector(accumulated) } : {}),
    });
    losses.push(result.loss.data[0]);
    const nextBuffers = this.nextBuffers(result);
    this.state = {
      step,
      theta: result.next_theta.data,
      m: result.next_m.data,
      v: result.next_v.data,
      average: result.next_average.data,
      buffers: nextBuffers,
      averageBuffers: averaged(this.state.averageBuffers, nextBuffers, keep),
    };
    return { loss: losses.reduce((a, b) => a + b, 0) / losses.length, norm: result.norm.data[0] };
  }

  async release(): Promise<void> {
    await this.update.release();
    await this.accumulate?.release();
  }

  /** The summed shares of the gradient of all batches but the last, their losses, and the running statistics after them. */
  private async accumulateShares(batches: readonly TrainingBatch[]) {
    const losses: number[] = [];
    let { buffers } = this.state;
    let accumulated: Float32Array | null = this.accumulate && new Float32Array(this.description.count);
    for (let part = 0; this.accumulate && accumulated && part < batches.length; part++) {
      const result = await this.accumulate.run({
        ...this.batchInputs(batches[part], part, buffers),
        theta: this.vector(this.state.theta),
        accumulated: this.vector(accumulated),
      });
      losses.push(result.loss.data[0]);
      accumulated = result.next_accumulated.data;
      buffers = this.nextBuffers(result);
    }
    return { losses, accumulated, buffers };
  }

  private updateInputs(learningRate: number, keep: number): Record<string, RuntimeTensor> {
    const { theta, m, v, average, step } = this.state;
    const { beta1, beta2 } = this.description.optimizer;
    return {
      theta: this.vector(theta),
      m: this.vector(m),
      v: this.vector(v),
      average: this.vector(average),
      learning_rate: scalar(learningRate),
      correction1: scalar(1 - beta1 ** (step + 1)),
      correction2: scalar(1 - beta2 ** (step + 1)),
      average_keep: scalar(keep),
    };
  }

  private batchInputs(
    { image, label }: TrainingBatch,
    part: number,
    statistics: Buffers,
  ): Record<string, RuntimeTensor> {
    const { imageShape, labelShape, masks, buffers, accumulation } = this.description;
    const random = indexedStream(this.options.seed, MASK_STREAM + this.state.step * accumulation + part);
    const drawn = masks.map(({ name, shape, keep }): [string, RuntimeTensor] => {
      const data = Float32Array.from({ length: sizeOf(shape) }, () =>
        uniform(random) < keep ? 1 / keep : 0,
      );
      return [name, { shape, data }];
    });
    return {
      image: tensor(imageShape, image),
      label: tensor(labelShape, label),
      ...Object.fromEntries(drawn),
      ...Object.fromEntries(buffers.map(({ name, shape }) => [name, tensor(shape, statistics[name])])),
    };
  }

  private nextBuffers(result: Readonly<Record<string, RuntimeTensor>>): Buffers {
    return Object.fromEntries(
      this.description.buffers.map((buffer) => [buffer.name, result[nextName(buffer)].data]),
    );
  }

  private vector(data: Float32Array): RuntimeTensor {
    return { shape: [this.description.count], data };
  }
}

/** keep·average + (1 − keep)·next, by name. */
function averaged(average: Buffers, next: Buffers, keep: number): Buffers {
  return Object.fromEntries(
    Object.entries(average).map(([name, values]) => [
      name,
      values.map((value, index) => keep * value + (1 - keep) * next[name][index]),
    ]),
  );
}

/** The state before the first step: the given weights, or weights drawn from the seed. */
export function initialState(
  { count, parameters, buffers }: TrainingStep,
  { seed, start }: Pick<TrainerOptions, "seed" | "start">,
): TrainingState {
  const theta = start?.theta.slice() ?? initialWeights(parameters, indexedStream(seed, WEIGHT_STREAM));
  const first = (): Buffers =>
    Object.fromEntries(
      buffers.map(({ name, shape, initial }) => [
        name,
        start?.buffers[name].slice() ?? new Float32Array(sizeOf(shape)).fill(initial),
      ]),
    );
  return {
    step: 0,
    theta,
    m: new Float32Array(count),
    v: new Float32Array(count),
    average: theta.slice(),
    buffers: first(),
    averageBuffers: first(),
  };
}

/** The averaged weights and running statistics by name, which are the trained network. */
export function averagedWeights(
  { average, averageBuffers }: TrainingState,
  { parameters }: TrainingStep,
): Map<string, Float32Array> {
  return new Map([...namedWeights(average, parameters), ...Object.entries(averageBuffers)]);
}

/** The averaged weights and running statistics as {@link forwardModel} takes them. */
export function averagedInputs(
  { average, averageBuffers }: TrainingState,
  { buffers }: TrainingStep,
): Record<string, RuntimeTensor> {
  return {
    theta: tensor([average.length], average),
    ...Object.fromEntries(buffers.map(({ name, shape }) => [name, tensor(shape, averageBuffers[name])])),
  };
}

/**
 * Named weights of a trained network as the starting point of a training.
 *
 * @throws RangeError where one is missing or of another length
 */
export function startingPoint(
  weights: ReadonlyMap<string, Float32Array>,
  { parameters, buffers }: TrainingStep,
): StartingPoint {
  const running = buffers.map(({ name, shape }) => {
    const data = weights.get(name);
    if (data?.length !== sizeOf(shape))
      throw new RangeError(`${name} has ${data?.length ?? "no"} numbers, and ${sizeOf(shape)} are expected.`);
    return [name, data];
  });
  return { theta: flatWeights(weights, parameters), buffers: Object.fromEntries(running) };
}

const tensor = (shape: Shape, data: Float32Array): RuntimeTensor => ({ shape, data });
const scalar = (value: number): RuntimeTensor => ({ shape: [], data: Float32Array.of(value) });
