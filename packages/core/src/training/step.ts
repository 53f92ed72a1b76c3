// The training step as one graph: forward, loss, backward, clipping, AdamW, weight average.
import { differentiate } from "../graph/differentiate.js";
import type { Value } from "../graph/graph.js";
import { peakBytes } from "../graph/memory.js";
import { emitOnnx } from "../graph/onnx.js";
import { add, multiply } from "../graph/operations/elementwise.js";
import { concat, reshape, split } from "../graph/operations/layout.js";
import { constant, input } from "../graph/operations/leaves.js";
import { expand } from "../graph/operations/reduction.js";
import { adamW, clipByNorm, globalNorm, movingAverage } from "../graph/optimizers.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { coarserLabel } from "../losses/coarser-label.js";
import { deepSupervisionLoss } from "../losses/segmentation.js";
import {
  type BufferEntry,
  type MaskEntry,
  NetworkBuilder,
  type ParameterEntry,
} from "../networks/builder.js";
import type { Initial } from "../networks/initialization.js";
import type { NetworkOutputs } from "../networks/network.js";
import { type RandomGenerator, uniform } from "../transforms/random.js";

/** A network as a function of its input image. */
export type BuildNetwork = (image: Value, builder: NetworkBuilder) => NetworkOutputs;

export interface StepOptions {
  /** Shape of one batch of images, [N, C, D, H, W]. */
  readonly imageShape: Shape;
  /** Loss of logits and label, of shape []; with deep supervision, of each resolution's. */
  readonly loss: (logits: Value, label: Value) => Value;
  readonly weightDecay: number;
  /** Greatest global norm of the gradient; larger ones are scaled down to it. */
  readonly clipNorm: number;
  /** Batches whose gradients are averaged before one update. */
  readonly accumulation: number;
  /** Whether a parameter of this name is trained; the others stay as they are. All, by default. */
  readonly trains?: (name: string) => boolean;
}

/** AdamW's constants; those of every framework. */
export const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** A compiled description of training one network: two models and the tables that say what their vectors hold. */
export interface TrainingStep {
  /** Forward, backward and update. Reads `accumulated` only where `accumulation` > 1. */
  readonly updateModel: Uint8Array;
  /** Forward and backward, adding to `accumulated`; null without accumulation. */
  readonly accumulateModel: Uint8Array | null;
  /** What the flat vectors hold, in order: first what decays, then what does not. */
  readonly parameters: readonly ParameterEntry[];
  readonly masks: readonly MaskEntry[];
  readonly buffers: readonly BufferEntry[];
  /** Length of the flat vectors. */
  readonly count: number;
  readonly imageShape: Shape;
  readonly labelShape: Shape;
  readonly accumulation: number;
  /** What the tensors of an update hold at once, in bytes: an estimate, without what the runtime needs beside them. */
  readonly peakBytes: number;
}

/** Builds the training step of a network. */
export function buildTrainingStep(build: BuildNetwork, options: StepOptions): TrainingStep {
  const { imageShape, accumulation, trains = () => true } = options;
  const builder = new NetworkBuilder(true);
  const image = input("image", imageShape);
  const { logits, coarserLogits = [] } = build(image, builder);
  const label = input("label", logits.shape);
  const supervised = [logits, ...coarserLogits].map((coarse) => ({
    logits: coarse,
    label: coarserLabel(label, coarse.shape),
  }));
  const loss = deepSupervisionLoss(supervised, options.loss);

  const parameters = inFlatOrder(builder.parameters);
  const count = parameters.reduce((total, entry) => total + sizeOf(entry.shape), 0);
  const theta = input("theta", [count]);
  const bindings = new Map(
    zip(parameters, viewsOf(theta, parameters)).map(([entry, view]) => [entry.value, view]),
  );
  const gradient = flatGradient(loss, parameters, trains);

  const accumulated = input("accumulated", [count]);
  const share = accumulation > 1 ? add(accumulated, multiply(gradient, 1 / accumulation)) : gradient;
  const norm = globalNorm(share);
  const scalars = {
    learningRate: input("learning_rate", []),
    correction1: input("correction1", []),
    correction2: input("correction2", []),
  };
  const keep = input("average_keep", []);
  const state = { theta, m: input("m", [count]), v: input("v", [count]) };
  const decay = decayOf(parameters, options.weightDecay, trains);
  const next = adamW(state, clipByNorm(share, norm, options.clipNorm), { decay, ...scalars }, ADAM);
  const average = input("average", [count]);
  const nextAverage = movingAverage(average, next.theta, keep);

  const batchInputs = [
    image,
    label,
    ...builder.masks.map((mask) => mask.value),
    ...builder.buffers.map((buffer) => buffer.value),
  ];
  const updated = [loss, norm, next.theta, next.m, next.v, nextAverage];
  const bufferOutputs = Object.fromEntries(builder.buffers.map((buffer) => [nextName(buffer), buffer.next]));
  const updateModel = emitOnnx({
    inputs: [
      ...batchInputs,
      theta,
      state.m,
      state.v,
      average,
      ...(accumulation > 1 ? [accumulated] : []),
      ...Object.values(scalars),
      keep,
    ],
    outputs: {
      loss,
      norm,
      next_theta: next.theta,
      next_m: next.m,
      next_v: next.v,
      next_average: nextAverage,
      ...bufferOutputs,
    },
    bindings,
  });
  const accumulateModel =
    accumulation > 1
      ? emitOnnx({
          inputs: [...batchInputs, theta, accumulated],
          outputs: { loss, next_accumulated: share, ...bufferOutputs },
          bindings,
        })
      : null;
  return {
    updateModel,
    accumulateModel,
    parameters,
    masks: builder.masks,
    buffers: builder.buffers,
    count,
    imageShape,
    labelShape: logits.shape,
    accumulation,
    peakBytes: peakBytes(updated),
  };
}

/** Name under which a step returns a running statistic. */
export const nextName = (buffer: BufferEntry): string => `next_${buffer.name}`;

/** What decays first: then decay is two numbers, not a mask. */
export function inFlatOrder(parameters: readonly ParameterEntry[]): ParameterEntry[] {
  return [...parameters.filter((entry) => entry.decays), ...parameters.filter((entry) => !entry.decays)];
}

/** The flat vector cut into its parameters. */
export function viewsOf(theta: Value, parameters: readonly ParameterEntry[]): Value[] {
  const parts = split(
    theta,
    0,
    parameters.map((entry) => sizeOf(entry.shape)),
  );
  return zip(parameters, parts).map(([entry, part]) => reshape(part, entry.shape));
}

/** d loss / d θ, zero where nothing is trained. */
function flatGradient(
  loss: Value,
  parameters: readonly ParameterEntry[],
  trains: (name: string) => boolean,
): Value {
  const trained = parameters.filter(({ name }) => trains(name));
  const gradients = differentiate(
    loss,
    trained.map((entry) => entry.value),
  );
  const byName = new Map(zip(trained, gradients).map(([{ name }, value]) => [name, value]));
  return concat(
    parameters.map(({ name, shape }) => {
      const length = sizeOf(shape);
      const value = byName.get(name);
      return value === undefined ? repeated(0, length) : reshape(value, [length]);
    }),
    0,
  );
}

/** The decay of every weight, in as few pieces as it has. */
function decayOf(
  parameters: readonly ParameterEntry[],
  weightDecay: number,
  trains: (name: string) => boolean,
): Value {
  const pieces: { value: number; length: number }[] = [];
  for (const { name, shape, decays } of parameters) {
    const value = decays && trains(name) ? weightDecay : 0;
    const last = pieces.at(-1);
    if (last?.value === value) last.length += sizeOf(shape);
    else pieces.push({ value, length: sizeOf(shape) });
  }
  return concat(
    pieces.map(({ value, length }) => repeated(value, length)),
    0,
  );
}

const repeated = (value: number, length: number): Value => expand(constant([1], [value]), [length]);

function zip<A, B>(a: readonly A[], b: readonly B[]): [A, B][] {
  return a.map((value, index) => [value, b[index]]);
}

/** Draws the weights a network begins with, in the order of the flat vectors. */
export function initialWeights(parameters: readonly ParameterEntry[], random: RandomGenerator): Float32Array {
  const count = parameters.reduce((total, entry) => total + sizeOf(entry.shape), 0);
  const theta = new Float32Array(count);
  let offset = 0;
  for (const { shape, initial } of parameters) {
    const part = theta.subarray(offset, offset + sizeOf(shape));
    for (let index = 0; index < part.length; index++) part[index] = drawInitial(initial, random);
    offset += part.length;
  }
  return theta;
}

function drawInitial(initial: Initial, random: RandomGenerator): number {
  switch (initial.kind) {
    case "constant":
      return initial.value;
    case "uniform":
      return uniform(random, -initial.limit, initial.limit);
    case "normal": {
      const { deviation, limit = Number.POSITIVE_INFINITY } = initial;
      let value = deviation * normal(random);
      while (Math.abs(value) > limit) value = deviation * normal(random);
      return value;
    }
  }
}

/** A standard normal number (Box and Muller 1958). */
function normal(random: RandomGenerator): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(random)));
  return radius * Math.cos(2 * Math.PI * uniform(random));
}

/** The parts of a flat vector by full name, as views of it. */
export function namedWeights(
  theta: Float32Array,
  parameters: readonly ParameterEntry[],
): Map<string, Float32Array> {
  const named = new Map<string, Float32Array>();
  let offset = 0;
  for (const { name, shape } of parameters) {
    named.set(name, theta.subarray(offset, offset + sizeOf(shape)));
    offset += sizeOf(shape);
  }
  return named;
}

/**
 * Named weights as one flat vector, the inverse of {@link namedWeights}.
 *
 * @throws RangeError where a parameter is missing or of another length
 */
export function flatWeights(
  named: ReadonlyMap<string, Float32Array>,
  parameters: readonly ParameterEntry[],
): Float32Array {
  const theta = new Float32Array(parameters.reduce((total, { shape }) => total + sizeOf(shape), 0));
  for (const [name, part] of namedWeights(theta, parameters)) {
    const weights = named.get(name);
    if (weights?.length !== part.length)
      throw new RangeError(
        `${name} has ${weights?.length ?? "no"} weights, and ${part.length} are expected.`,
      );
    part.set(weights);
  }
  return theta;
}
