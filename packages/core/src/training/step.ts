// The training step as one graph: forward, loss, backward, clipping, AdamW, weight average.
import { differentiate } from "../graph/differentiate.js";
import type { Value } from "../graph/graph.js";
import { peakBytes } from "../graph/memory.js";
import { emitOnnx } from "../graph/onnx.js";
import { add, multiply } from "../graph/operations/elementwise.js";
import { concat, reshape, split } from "../graph/operations/layout.js";
import { constant, input } from "../graph/operations/leaves.js";
import { expand } from "../graph/operations/reduction.js";
import { adamW, clipByNorm, globalNorm, keptByDecay, movingAverage } from "../graph/optimizers.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { coarserLabel } from "../losses/coarser-label.js";
import {
  deepSupervisionLoss,
  diceCrossEntropyLoss,
  stationCrossEntropyLoss,
} from "../losses/segmentation.js";
import {
  type BufferEntry,
  type MaskEntry,
  NetworkBuilder,
  type ParameterEntry,
} from "../networks/builder.js";
import type { NetworkOutputs } from "../networks/network.js";
import { flatCount, inFlatOrder, viewsOf } from "./weights.js";

/** A network as a function of its input image. */
export type BuildNetwork = (image: Value, builder: NetworkBuilder) => NetworkOutputs;

/** The loss, of shape [], of logits [N, C, D, H, W] and a label of the same shape. */
export type Loss = (logits: Value, label: Value) => Value;

/** AdamW with clipping of the gradient. */
export interface OptimizerSettings {
  /** Decay of the moving averages of the gradient and of its square. */
  readonly beta1: number;
  readonly beta2: number;
  /** Added to the root of the second average. */
  readonly epsilon: number;
  /** Decoupled decay of the weights of convolutions and linear layers; norms and biases do not decay. */
  readonly weightDecay: number;
  /** Greatest global norm of the gradient; larger ones are scaled down to it. */
  readonly clipNorm: number;
}

export const defaultOptimizer: OptimizerSettings = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  clipNorm: 1,
};

export interface StepOptions {
  /** Shape of one batch of images, [N, C, D, H, W]. */
  readonly imageShape: Shape;
  /** Soft Dice and binary cross-entropy by default. With deep supervision it is taken at each resolution. */
  readonly loss?: Loss;
  /** What the cross-entropy of a network's stations counts beside the loss; 0.2 by default, this project's choice. */
  readonly stationWeight?: number;
  /** Missing settings are those of {@link defaultOptimizer}. */
  readonly optimizer?: Partial<OptimizerSettings>;
  /** Batches whose gradients are averaged before one update; 1 by default. */
  readonly accumulation?: number;
  /** Whether a parameter of this name is trained; the others stay as they are. All, by default. */
  readonly trains?: (name: string) => boolean;
}

/** The training step of one network: its ONNX models, and tables that describe their flat vectors. */
export interface TrainingStep {
  /** Forward, backward and update. Reads `accumulated` only where `accumulation` > 1. */
  readonly updateModel: Uint8Array;
  /** Forward and backward, adding to `accumulated`; null without accumulation. */
  readonly accumulateModel: Uint8Array | null;
  /** The parameters in the flat vectors, in order: first those that decay. */
  readonly parameters: readonly ParameterEntry[];
  readonly masks: readonly MaskEntry[];
  readonly buffers: readonly BufferEntry[];
  /** Length of the flat vectors. */
  readonly count: number;
  readonly imageShape: Shape;
  readonly labelShape: Shape;
  readonly accumulation: number;
  readonly optimizer: OptimizerSettings;
  /** Estimated memory of an update's tensors at their peak, in bytes, without the runtime's own memory. */
  readonly peakBytes: number;
}

/** Builds the training step of a network. */
export function buildTrainingStep(build: BuildNetwork, options: StepOptions): TrainingStep {
  const {
    imageShape,
    loss: lossOf = diceCrossEntropyLoss,
    stationWeight = DEFAULT_STATION_WEIGHT,
    accumulation = 1,
    trains = () => true,
  } = options;
  const optimizer = { ...defaultOptimizer, ...options.optimizer };
  const builder = new NetworkBuilder(true);
  const image = input("image", imageShape);
  const network = build(image, builder);
  const label = input("label", labelShapeOf(network));
  const parameters = inFlatOrder(builder.parameters);
  const count = flatCount(parameters);
  const theta = input("theta", [count]);
  const loss = lossOfOutputs(network, label, lossOf, stationWeight);
  const gradient = flatGradient(loss, parameters, trains);
  const accumulated = input("accumulated", [count]);
  const share = accumulation > 1 ? add(accumulated, multiply(gradient, 1 / accumulation)) : gradient;
  const decays = decayOf(parameters, optimizer.weightDecay, trains);
  const update = updateOf(theta, share, decays, optimizer);

  const { masks, buffers } = builder;
  const batchInputs = [
    image,
    label,
    ...masks.map(({ value }) => value),
    ...buffers.map(({ value }) => value),
  ];
  const statistics = Object.fromEntries(buffers.map((buffer) => [nextName(buffer), buffer.next]));
  const bindings = viewsOf(theta, parameters);
  const updateModel = emitOnnx({
    inputs: [...batchInputs, ...update.state, ...(accumulation > 1 ? [accumulated] : []), ...update.scalars],
    outputs: { loss, ...update.outputs, ...statistics },
    bindings,
  });
  const accumulateModel =
    accumulation > 1
      ? emitOnnx({
          inputs: [...batchInputs, theta, accumulated],
          outputs: { loss, next_accumulated: share, ...statistics },
          bindings,
        })
      : null;
  return {
    updateModel,
    accumulateModel,
    parameters,
    masks,
    buffers,
    count,
    imageShape,
    labelShape: label.shape,
    accumulation,
    optimizer,
    peakBytes: peakBytes([loss, ...Object.values(update.outputs)]),
  };
}

/** Name under which a step returns a running statistic. */
export const nextName = (buffer: BufferEntry): string => `next_${buffer.name}`;

const DEFAULT_STATION_WEIGHT = 0.2;

/** A channel for each of the logits, then one for each station. */
function labelShapeOf({ logits, stationLogits }: NetworkOutputs): Shape {
  const [batch, classes, ...space] = logits.shape;
  return [batch, classes + (stationLogits?.shape[1] ?? 0), ...space];
}

/** The loss of the logits, with deep supervision at all resolutions; and that of the stations, where there are any. */
function lossOfOutputs(
  { logits, coarserLogits = [], stationLogits }: NetworkOutputs,
  label: Value,
  loss: Loss,
  stationWeight: number,
): Value {
  const classes = logits.shape[1];
  const [target, stations] = split(
    label,
    1,
    [classes, label.shape[1] - classes].filter((count) => count > 0),
  );
  const supervised = [logits, ...coarserLogits].map((coarse) => ({
    logits: coarse,
    label: coarserLabel(target, coarse.shape),
  }));
  const main = deepSupervisionLoss(supervised, loss);
  if (!stationLogits) return main;
  return add(main, multiply(stationCrossEntropyLoss(stationLogits, stations), stationWeight));
}

/** The optimiser's part of the step: its inputs beside the gradient, and all that an update returns beside the loss. */
function updateOf(
  theta: Value,
  gradient: Value,
  decays: readonly DecayPiece[],
  optimizer: OptimizerSettings,
) {
  const [m, v, average] = ["m", "v", "average"].map((name) => input(name, theta.shape));
  const learningRate = input("learning_rate", []);
  const correction1 = input("correction1", []);
  const correction2 = input("correction2", []);
  const keep = input("average_keep", []);
  const norm = globalNorm(gradient);
  const clipped = clipByNorm(gradient, norm, optimizer.clipNorm);
  // From the learning rate, piece by piece: of a constant decay for each weight, a runtime would keep the whole vector.
  const kept = concat(
    decays.map(({ value, length }) => expand(reshape(keptByDecay(value, learningRate), [1]), [length])),
    0,
  );
  const next = adamW({ theta, m, v }, clipped, { kept, learningRate, correction1, correction2 }, optimizer);
  return {
    state: [theta, m, v, average],
    scalars: [learningRate, correction1, correction2, keep],
    outputs: {
      norm,
      next_theta: next.theta,
      next_m: next.m,
      next_v: next.v,
      next_average: movingAverage(average, next.theta, keep),
    },
  };
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
  const byName = new Map(trained.map(({ name }, index) => [name, gradients[index]]));
  return concat(
    parameters.map(({ name, shape }) => {
      const length = sizeOf(shape);
      const value = byName.get(name);
      return value === undefined ? repeated(0, length) : reshape(value, [length]);
    }),
    0,
  );
}

/** Weights one after another that decay alike. */
interface DecayPiece {
  readonly value: number;
  readonly length: number;
}

/** The decay of every weight, in as few pieces as it has. */
function decayOf(
  parameters: readonly ParameterEntry[],
  weightDecay: number,
  trains: (name: string) => boolean,
): DecayPiece[] {
  const pieces: { value: number; length: number }[] = [];
  for (const { name, shape, decays } of parameters) {
    const value = decays && trains(name) ? weightDecay : 0;
    const last = pieces.at(-1);
    if (last?.value === value) last.length += sizeOf(shape);
    else pieces.push({ value, length: sizeOf(shape) });
  }
  return pieces;
}

const repeated = (value: number, length: number): Value => expand(constant([1], [value]), [length]);
