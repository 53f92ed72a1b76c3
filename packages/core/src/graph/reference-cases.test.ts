// Every operation, loss and optimiser against PyTorch (fixtures/ops), on ONNX Runtime and on the reference evaluator.
import { describe, expect, test } from "vitest";
import {
  binaryCrossEntropyLoss,
  categoricalCrossEntropyLoss,
  diceCrossEntropyLoss,
  focalLoss,
  softDiceLoss,
} from "../losses/segmentation.js";
import { differentiate } from "./differentiate.js";
import {
  attention,
  batchNormInference,
  batchNormTraining,
  channelLayerNorm,
  gelu,
  groupNorm,
  instanceNorm,
  layerNorm,
  partialConvolution,
  prelu,
  upsampleLinear,
  upsampleNearest,
} from "./functions.js";
import type { Value } from "./graph.js";
import {
  type Numbers,
  readJson,
  readTensors,
  relativeError,
  runOnEvaluator,
  runOnOnnxRuntime,
  weightedSum,
} from "./graph.test-helper.js";
import { convolution, transposedConvolution } from "./operations/convolution.js";
import { add, elu, leakyRelu, relu, sigmoid } from "./operations/elementwise.js";
import { concat, pad, reshape, roll, split } from "./operations/layout.js";
import { constant, input } from "./operations/leaves.js";
import { linear, matmul } from "./operations/matmul.js";
import { averagePool, maxPool } from "./operations/pooling.js";
import { mean, softmax } from "./operations/reduction.js";
import { adamW, clipByNorm, globalNorm, keptByDecay, nesterov } from "./optimizers.js";
import type { Shape } from "./shape.js";

/** The attributes of all operations; a case has those of its own. */
interface Attributes {
  readonly stride: Shape;
  readonly padding: Shape;
  readonly dilation: Shape;
  readonly output_padding: Shape;
  readonly kernel: Shape;
  readonly groups: number;
  readonly eps: number;
  readonly momentum: number;
  readonly alpha: number | null;
  readonly axis: number;
  readonly axes: Shape;
  readonly mode: "trilinear" | "nearest";
  readonly scale: Shape;
  readonly align_corners: boolean;
  readonly sizes: Shape;
  readonly before: Shape;
  readonly after: Shape;
  readonly value: number;
  readonly shifts: Shape;
  readonly batch: boolean;
  readonly smooth: number;
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly weight_decay: number;
  readonly steps: number;
  readonly clip_norm: number | null;
  readonly learning_rates: readonly number[] | null;
}

interface Case {
  readonly name: string;
  readonly file: string;
  readonly op: string;
  readonly attrs: Attributes;
  readonly inputs: Readonly<Record<string, Shape>>;
  readonly outputs: Readonly<Record<string, Shape>>;
  readonly upstream: Readonly<Record<string, Shape>>;
  readonly gradients: Readonly<Record<string, Shape>>;
  readonly float32_error: Readonly<Record<string, number>>;
}

type Values = Readonly<Record<string, Value>>;
/** A value alone is the output `y`, or the loss; several are outputs by name. */
type Build = (x: Values, attributes: Attributes) => Value | Map<string, Value>;

const affineOf = (x: Values) => (x.scale ? { weight: x.scale, bias: x.bias } : null);
const last = (x: Value, axis: number): number => (axis < 0 ? x.shape.length + axis : axis);

/** How each operation of the index is said with ours. */
const builders: Readonly<Record<string, Build>> = {
  conv3d: ({ x, w, b }, attributes) => convolution(x, w, b, attributes),
  conv_transpose3d: ({ x, w, b }, { output_padding, stride, padding, groups }) =>
    transposedConvolution(x, w, b, { stride, padding, groups, outputPadding: output_padding }),
  partial_conv3d: ({ x, w }) => partialConvolution(x, w),
  instance_norm: (x, { eps }) => instanceNorm(x.x, affineOf(x), eps),
  batch_norm_train: (x, { eps, momentum }) => {
    const start = {
      mean: constant([5], new Array(5).fill(0)),
      variance: constant([5], new Array(5).fill(1)),
    };
    const { y, runningMean, runningVariance } = batchNormTraining(x.x, affineOf(x), start, {
      epsilon: eps,
      momentum,
    });
    return new Map(Object.entries({ y, running_mean: runningMean, running_variance: runningVariance }));
  },
  batch_norm_eval: (x, { eps }) =>
    batchNormInference(x.x, affineOf(x), { mean: x.mean, variance: x.variance }, eps),
  group_norm: (x, { eps, groups }) => groupNorm(x.x, groups, affineOf(x), eps),
  layer_norm: (x, { eps, axis }) => (axis === 1 ? channelLayerNorm : layerNorm)(x.x, affineOf(x), eps),
  leaky_relu: ({ x }, { alpha }) => leakyRelu(x, alpha ?? undefined),
  relu: ({ x }) => relu(x),
  elu: ({ x }, { alpha }) => elu(x, alpha ?? undefined),
  prelu: ({ x, slope }) => prelu(x, slope),
  gelu: ({ x }) => gelu(x),
  sigmoid: ({ x }) => sigmoid(x),
  softmax: ({ x }, { axis }) => softmax(x, last(x, axis)),
  matmul: (x) => matmul(x.input, x.other),
  linear: ({ x, w, b }) => add(linear(x, w), b),
  attention: ({ q, k, v, bias }) => attention(q, k, v, bias),
  max_pool3d: ({ x }, { kernel }) => maxPool(x, kernel),
  avg_pool3d: ({ x }, { kernel }) => averagePool(x, kernel),
  mean: ({ x }, { axes }) => mean(x, axes),
  upsample: ({ x }, { mode, scale, align_corners }) =>
    mode === "nearest" ? upsampleNearest(x, scale) : upsampleLinear(x, scale, align_corners),
  concat: ({ a, b, c }, { axis }) => concat([a, b, c], axis),
  split: ({ x }, { axis, sizes }) => {
    const [y0, y1, y2] = split(x, axis, sizes);
    return new Map(Object.entries({ y0, y1, y2 }));
  },
  pad: ({ x }, { before, after, value }) => pad(x, before, after, value),
  roll: ({ x }, { shifts, axes }) => shifts.reduce((y, shift, index) => roll(y, shift, axes[index]), x),
  soft_dice: ({ logits, label }, attributes) => softDiceLoss(logits, label, attributes),
  bce_with_logits: ({ logits, label }) => binaryCrossEntropyLoss(logits, label),
  focal: ({ logits, label }, { alpha }) => focalLoss(logits, label, { alpha }),
  dice_bce: ({ logits, label }, attributes) => diceCrossEntropyLoss(logits, label, attributes),
  cross_entropy: ({ logits, label }) => categoricalCrossEntropyLoss(logits, label),
};

const { cases } = readJson<{ cases: Case[] }>("ops/index.json");
const optimiserCases = cases.filter(({ op }) => op === "adamw" || op === "sgd");
const operationCases = cases.filter((entry) => !optimiserCases.includes(entry));

/** Tolerances are parts of the greatest magnitude of a tensor. */
const engines = [
  {
    engine: "ONNX Runtime",
    run: runOnOnnxRuntime,
    // Ten times what float32 costs PyTorch itself.
    tolerance: (float32Error: number) => Math.max(2e-5, 10 * float32Error),
  },
  // In double precision; but the stored values and the constants of a graph are float32.
  { engine: "the reference evaluator", run: runOnEvaluator, tolerance: () => 5e-7 },
];

test("all 144 cases are there, and every operation has a builder", () => {
  expect(cases).toHaveLength(144);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(144);
  expect(Object.keys(builders).sort()).toEqual([...new Set(operationCases.map(({ op }) => op))].sort());
});

describe.each(engines)("on $engine", ({ run, tolerance }) => {
  const expectNear = (actual: Numbers, expected: Numbers, float32Error: number, name: string): void =>
    expect(relativeError(actual, expected), name).toBeLessThanOrEqual(tolerance(float32Error));

  test.each(operationCases)("$name", async (entry) => {
    const tensors = readTensors(`ops/${entry.file}`);
    const isLoss = "loss" in entry.outputs;
    const inputs: Record<string, Value> = {};
    const given = new Map<Value, Numbers>();
    const give = (name: string, shape: Shape, data: Numbers): Value => {
      const value = input(name, shape);
      given.set(value, data);
      return value;
    };
    for (const [name, shape] of Object.entries(entry.inputs)) {
      const data = tensors.get(name)?.data ?? [];
      const isClasses = entry.op === "cross_entropy" && name === "label";
      inputs[name] = isClasses
        ? give(name, entry.inputs.logits, oneHot(data, entry.inputs.logits))
        : give(name, shape, data);
    }
    const built = builders[entry.op](inputs, entry.attrs);
    const alone = (value: Value) => (isLoss ? { loss: reshape(value, [1]) } : { y: value });
    const outputs: Values = built instanceof Map ? Object.fromEntries(built) : alone(built);
    const targets = Object.keys(entry.gradients).map((name) => inputs[name.slice("grad.".length)]);
    const seeds = Object.keys(entry.upstream).map((name) => ({
      value: outputs[name.slice(1)],
      weight: give(name, entry.upstream[name], tensors.get(name)?.data ?? []),
    }));
    const gradients =
      seeds.length === 1
        ? differentiate(seeds[0].value, targets, seeds[0].weight)
        : differentiate(isLoss ? outputs.loss : weightedSum(seeds), targets);
    const named = Object.fromEntries(
      Object.keys(entry.gradients).map((name, index) => [name, gradients[index]]),
    );

    const results = await run({ ...outputs, ...named }, given);
    expect(Object.keys(results).sort()).toEqual(
      [...Object.keys(entry.outputs), ...Object.keys(entry.gradients)].sort(),
    );
    for (const [name, data] of Object.entries(results))
      expectNear(data, tensors.get(name)?.data ?? [], entry.float32_error[name], name);
  });

  test.each(optimiserCases)("$name", async (entry) => {
    const tensors = readTensors(`ops/${entry.file}`);
    const parameters = Object.keys(entry.inputs).flatMap((name) =>
      name.startsWith("theta0.") ? [name.slice(7)] : [],
    );
    // All parameters as one vector, as a training step holds them.
    const flat = (prefix: string): number[] =>
      parameters.flatMap((name) => Array.from(tensors.get(`${prefix}.${name}`)?.data ?? []));
    const start = flat("theta0");
    const { learning_rates: rates, steps, lr, betas, clip_norm: limit } = entry.attrs;
    const graph = optimiserGraph(entry, start.length);
    const zeros = new Array<number>(start.length).fill(0);
    let state: Record<string, Numbers> = { nextTheta: start, nextM: zeros, nextV: zeros };
    for (let step = 1; step <= steps; step++) {
      const numbers: Record<string, Numbers> = {
        theta: state.nextTheta,
        m: state.nextM,
        v: state.nextV,
        gradient: flat(`grad${step}`),
        learningRate: [rates ? rates[step - 1] : lr],
        correction1: [1 - betas?.[0] ** step],
        correction2: [1 - betas?.[1] ** step],
      };
      state = await run(
        graph.outputs,
        new Map(Object.entries(graph.inputs).map(([name, value]) => [value, numbers[name]])),
      );
      const errorOf = (prefix: string): number =>
        Math.max(...parameters.map((name) => entry.float32_error[`${prefix}${step}.${name}`]));
      expectNear(state.nextTheta, flat(`theta${step}`), errorOf("theta"), `theta${step}`);
      expectNear(state.nextM, flat(`m${step}`), errorOf("m"), `m${step}`);
      if (entry.op === "adamw") expectNear(state.nextV, flat(`v${step}`), errorOf("v"), `v${step}`);
      if (limit !== null) {
        const name = `norm${step}`;
        expectNear(state.norm, tensors.get(name)?.data ?? [], entry.float32_error[name], name);
      }
    }
  });
});

/** One step of the optimiser of a case, over flat vectors. */
function optimiserGraph(entry: Case, count: number): { inputs: Values; outputs: Values } {
  const { betas, eps, weight_decay: decay, clip_norm: limit, momentum: factor } = entry.attrs;
  const vector = (name: string): Value => input(name, [count]);
  const number = (name: string): Value => input(name, []);
  const [theta, m, v, gradient] = ["theta", "m", "v", "gradient"].map(vector);
  const [learningRate, correction1, correction2] = ["learningRate", "correction1", "correction2"].map(number);
  if (entry.op === "sgd") {
    const next = nesterov({ theta, momentum: m }, gradient, { learningRate, factor, decay });
    return {
      inputs: { theta, m, gradient, learningRate },
      outputs: { nextTheta: next.theta, nextM: next.momentum },
    };
  }
  const norm = globalNorm(gradient);
  const next = adamW(
    { theta, m, v },
    limit === null ? gradient : clipByNorm(gradient, norm, limit),
    { kept: keptByDecay(decay, learningRate), learningRate, correction1, correction2 },
    { beta1: betas[0], beta2: betas[1], epsilon: eps },
  );
  return {
    inputs: { theta, m, v, gradient, learningRate, correction1, correction2 },
    outputs: {
      nextTheta: next.theta,
      nextM: next.m,
      nextV: next.v,
      ...(limit === null ? {} : { norm: reshape(norm, [1]) }),
    },
  };
}

/** Classes of voxels as one channel a class, in the shape of the logits. */
function oneHot(classes: Numbers, [batch, channels, ...space]: Shape): number[] {
  const voxels = space.reduce((a, b) => a * b, 1);
  return Array.from({ length: batch * channels * voxels }, (_, element) => {
    const channel = Math.floor(element / voxels) % channels;
    const sample = Math.floor(element / (voxels * channels));
    return classes[sample * voxels + (element % voxels)] === channel ? 1 : 0;
  });
}
