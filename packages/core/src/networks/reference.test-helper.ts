// Networks beside the reference implementations' stored cases (fixtures/blocks): blocks with all their gradients, and
// small networks over five training steps.
import { describe, expect, test } from "vitest";
import { differentiate } from "../graph/differentiate.js";
import { sortNodes, type Value } from "../graph/graph.js";
import {
  type Numbers,
  readJson,
  readTensors,
  relativeError,
  runOnEvaluator,
  runOnOnnxRuntime,
} from "../graph/graph.test-helper.js";
import { emitOnnx } from "../graph/onnx.js";
import { concat, reshape, split } from "../graph/operations/layout.js";
import { constant, input, leafName } from "../graph/operations/leaves.js";
import { adamW, clipByNorm, globalNorm, keptByDecay } from "../graph/optimizers.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { diceCrossEntropyLoss } from "../losses/segmentation.js";
import { nodeRuntime } from "../runtime/node.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork, type NetworkSpecification, partsOf } from "./catalogue.js";

interface Trace {
  readonly name: string;
  readonly input: Shape;
  readonly parameters: number;
  readonly adamw: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
  readonly clip_norm: number;
  readonly losses_float64: readonly number[];
  readonly gradient_norms_float64: readonly number[];
  readonly float32_error: Readonly<Record<"logits" | "gradients" | "after.p" | "after.logits_eval", number>>;
  readonly zero_gradient: readonly string[];
}

type Stored = ReturnType<typeof readTensors>;

/** The numbers of a tensor that must be there. */
function numbersOf(tensors: Stored, name: string): Numbers {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`no tensor ${name} in the fixture`);
  return tensor.data;
}

/** The greatest difference between numbers. */
function greatestGap(actual: Numbers, expected: Numbers): number {
  expect(actual.length).toBe(expected.length);
  return Array.from(actual).reduce((gap, x, index) => Math.max(gap, Math.abs(x - expected[index])), 0);
}

const namesFrom = (tensors: Stored, prefix: string): string[] =>
  [...tensors.keys()].flatMap((name) => (name.startsWith(prefix) ? [name.slice(prefix.length)] : []));

const sorted = (names: readonly string[]): string[] => [...names].sort();

/** Builds a block on its inputs, in the order in which a case names them: `x`, then `skip`. */
export type BuildBlock = (builder: NetworkBuilder, x: Value, skip: Value) => Value;

/**
 * Tests that blocks have the value, the parameters and every gradient of the cases `PREFIX_BLOCK_n1` and `_n2`.
 * @param single greatest relative error in float32
 */
export function testBlocks(
  prefix: string,
  blocks: Readonly<Record<string, BuildBlock>>,
  zeroGradient: readonly string[] = [],
  single = 4e-5,
): void {
  const engines = [
    { engine: "ONNX Runtime", run: runOnOnnxRuntime, tolerance: single },
    { engine: "the reference evaluator", run: runOnEvaluator, tolerance: 2e-6 },
  ];
  const rows = Object.keys(blocks).flatMap((block) =>
    [1, 2].flatMap((batch) => engines.map((engine) => ({ block, batch, ...engine }))),
  );
  test.each(rows)("$block, batch $batch, on $engine", async ({ block, batch, run, tolerance }) => {
    const tensors = readTensors(`blocks/${prefix}_${block}_n${batch}.safetensors`);
    const builder = new NetworkBuilder(true);
    const leafOf = (name: string): Value => input(name, tensors.get(name)?.shape ?? []);
    const [x, skip, dy] = [leafOf("x"), leafOf("skip"), leafOf("dy")];
    const images = tensors.has("skip") ? [x, skip] : [x];
    const y = blocks[block](builder, x, skip);
    const parameters = builder.parameters.map(({ value }) => value);
    const gradients = differentiate(y, [...images, ...parameters], dy);
    const outputs: Record<string, Value> = { y };
    const given = new Map<Value, Numbers>(
      [...images, dy].map((leaf) => [leaf, numbersOf(tensors, leafName(leaf))]),
    );
    images.forEach((leaf, index) => {
      outputs[`grad.${leafName(leaf)}`] = gradients[index];
    });
    builder.parameters.forEach(({ name, value, shape }, index) => {
      expect(shape, name).toEqual(tensors.get(`p.${name}`)?.shape);
      given.set(value, numbersOf(tensors, `p.${name}`));
      outputs[`grad.p.${name}`] = gradients[images.length + index];
    });
    expect(sorted(builder.parameters.map(({ name }) => name))).toEqual(sorted(namesFrom(tensors, "p.")));
    // The running statistics play no part in y.
    for (const { value, shape, initial } of builder.buffers)
      if (run === runOnEvaluator) given.set(value, new Array(sizeOf(shape)).fill(initial));

    for (const [name, data] of Object.entries(await run(outputs, given))) {
      const expected = numbersOf(tensors, name);
      // What stands before a norm that takes it out has no gradient but rounding, on either side.
      if (zeroGradient.includes(name.replace("grad.p.", "")))
        expect(greatestGap(data, expected)).toBeLessThan(1e-4);
      else expect(relativeError(data, expected), name).toBeLessThan(tolerance);
    }
  });
}

interface TraceTolerances {
  /** Of a gradient of the first step in double precision, relative. */
  readonly gradient?: number;
  /** Of the norm on ONNX Runtime, relative: a voxel at the kink of a rectifier may fall on the other side in float32. */
  readonly norm?: number;
  /** Of the logits in inference after five steps, relative. */
  readonly evaluated?: number;
  /** Of a gradient that is rounding, in double precision: 1/n of a mean over n elements is a constant in float32. */
  readonly zero?: number;
  /** Of the logits of the first step, in multiples of what PyTorch's own float32 is off. */
  readonly logits?: number;
  /** Further parameters whose gradient is rounding, such as a convolution of one channel before a norm. */
  readonly zeroGradient?: readonly string[];
}

/** Tests a small network against the five training steps of a stored trace: AdamW, clipping, running statistics. */
export function testTrace(
  name: string,
  specification: NetworkSpecification,
  {
    gradient = 1e-5,
    norm: normTolerance = 2e-4,
    evaluated = 3e-4,
    zero = 1e-9,
    logits: timesPyTorch = 2,
    zeroGradient = [],
  }: TraceTolerances = {},
): void {
  const trace = readJson<{ cases: Trace[] }>("blocks/index.json").cases.find(
    (entry) => entry.name === name,
  ) as Trace;
  const tensors = readTensors(`blocks/${name}.safetensors`);
  const build = (training: boolean) => {
    const image = input("x", trace.input);
    const builder = new NetworkBuilder(training);
    return { image, builder, ...buildNetwork(specification, image, builder) };
  };
  const isZero = (parameter: string): boolean =>
    trace.zero_gradient.includes(parameter) || zeroGradient.includes(parameter);
  const floats = (tensor: string): Numbers => numbersOf(tensors, tensor);

  test("has the authors' parameters, by name and shape", () => {
    const { builder } = build(true);
    const names = builder.parameters.map((entry) => entry.name);
    expect(sorted(names)).toEqual(sorted(namesFrom(tensors, "p.")));
    for (const entry of builder.parameters)
      expect(entry.shape, entry.name).toEqual(tensors.get(`p.${entry.name}`)?.shape);
    const buffers = namesFrom(tensors, "after.buffer.");
    expect(sorted(builder.buffers.map((entry) => entry.name))).toEqual(
      sorted(buffers.filter((buffer) => !buffer.endsWith("num_batches_tracked"))),
    );
    expect(builder.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0)).toBe(trace.parameters);
  });

  /** A whole training step over flat vectors, as one graph. */
  function trainingStep() {
    const { image, builder, logits } = build(true);
    const label = input("label", trace.input);
    const sizes = builder.parameters.map(({ shape }) => sizeOf(shape));
    const count = sizes.reduce((a, b) => a + b);
    const vectors = { theta: input("theta", [count]), m: input("m", [count]), v: input("v", [count]) };
    const [correction1, correction2] = ["correction1", "correction2"].map((leaf) => input(leaf, []));
    const parts = split(vectors.theta, 0, sizes);
    const bindings = new Map(
      builder.parameters.map(({ value, shape }, index) => [value, reshape(parts[index], shape)]),
    );
    const loss = diceCrossEntropyLoss(logits, label);
    const parameters = builder.parameters.map(({ value }) => value);
    const flatGradients = differentiate(loss, parameters).map((value) =>
      reshape(value, [sizeOf(value.shape)]),
    );
    const gradient = concat(flatGradients, 0);
    const norm = globalNorm(gradient);
    const { lr, betas, eps, weight_decay: decay } = trace.adamw;
    const rate = constant([], [lr]);
    const next = adamW(
      vectors,
      clipByNorm(gradient, norm, trace.clip_norm),
      { kept: keptByDecay(decay, rate), learningRate: rate, correction1, correction2 },
      { beta1: betas[0], beta2: betas[1], epsilon: eps },
    );
    const buffers = builder.buffers.map(({ value }) => value);
    return {
      builder,
      sizes,
      bindings,
      inputs: [image, label, ...Object.values(vectors), correction1, correction2, ...buffers],
      outputs: {
        loss,
        norm,
        logits,
        gradient,
        "next.theta": next.theta,
        "next.m": next.m,
        "next.v": next.v,
        ...Object.fromEntries(builder.buffers.map((buffer) => [`next.${buffer.name}`, buffer.next] as const)),
      },
    };
  }

  /** Steps from the stored parameters on; `run` gets all inputs by name and gives all outputs. `check` sees each step. */
  async function train(
    { builder, sizes }: ReturnType<typeof trainingStep>,
    steps: number,
    run: (numbers: Record<string, Numbers>) => Promise<Record<string, Numbers>>,
    check: (results: Record<string, Numbers>, step: number) => void,
  ): Promise<Record<string, Numbers>> {
    const zeros = new Array<number>(sizes.reduce((a, b) => a + b)).fill(0);
    let state: Record<string, Numbers> = {
      theta: builder.parameters.flatMap((entry) => Array.from(floats(`p.${entry.name}`))),
      m: zeros,
      v: zeros,
    };
    for (const { name: buffer, shape, initial } of builder.buffers)
      state[buffer] = new Array(sizeOf(shape)).fill(initial);
    const [beta1, beta2] = trace.adamw.betas;
    for (let step = 0; step < steps; step++) {
      const results = await run({
        ...state,
        x: floats("x"),
        label: floats("label"),
        correction1: [1 - beta1 ** (step + 1)],
        correction2: [1 - beta2 ** (step + 1)],
      });
      check(results, step);
      state = Object.fromEntries(Object.keys(state).map((key) => [key, results[`next.${key}`]]));
    }
    return state;
  }

  test("the first step in double precision", async () => {
    const graph = trainingStep();
    const run = async (numbers: Record<string, Numbers>) => {
      const given = new Map(graph.inputs.map((value) => [value, numbers[leafName(value)]]));
      const parameters = cut(numbers.theta, graph.sizes);
      graph.builder.parameters.forEach(({ value }, index) => {
        given.set(value, parameters[index]);
      });
      return runOnEvaluator(graph.outputs, given);
    };
    await train(graph, 1, run, (results, step) => {
      expect(relativeError(results.loss, [trace.losses_float64[step]]), `loss ${step}`).toBeLessThan(1e-7);
      expect(relativeError(results.norm, [trace.gradient_norms_float64[step]]), `norm ${step}`).toBeLessThan(
        2e-7,
      );
      expect(relativeError(results.logits, floats("logits"))).toBeLessThan(1e-6);
      const slopes = cut(results.gradient, graph.sizes);
      graph.builder.parameters.forEach((entry, index) => {
        const expected = floats(`grad.p.${entry.name}`);
        if (isZero(entry.name)) expect(greatestGap(slopes[index], expected), entry.name).toBeLessThan(zero);
        else expect(relativeError(slopes[index], expected), entry.name).toBeLessThan(gradient);
      });
    });
  });

  test("five steps on ONNX Runtime, then inference", async () => {
    const graph = trainingStep();
    const { builder, sizes, inputs, outputs, bindings } = graph;
    const session = await nodeRuntime.createSession(emitOnnx({ inputs, outputs, bindings }));
    const run = async (numbers: Record<string, Numbers>) => {
      const feeds = inputs.map((value) => {
        const leaf = leafName(value);
        return [leaf, { shape: value.shape, data: Float32Array.from(numbers[leaf]) }];
      });
      const results = await session.run(Object.fromEntries(feeds));
      return Object.fromEntries(Object.entries(results).map(([key, { data }]) => [key, data]));
    };
    const state = await train(graph, 5, run, (results, step) => {
      expect(relativeError(results.loss, [trace.losses_float64[step]]), `loss ${step}`).toBeLessThan(1e-6);
      expect(relativeError(results.norm, [trace.gradient_norms_float64[step]]), `norm ${step}`).toBeLessThan(
        normTolerance,
      );
      if (step > 0) return;
      expect(greatestGap(results.logits, floats("logits"))).toBeLessThan(
        timesPyTorch * trace.float32_error.logits,
      );
      const slopes = cut(results.gradient, sizes);
      builder.parameters.forEach((entry, index) => {
        const expected = floats(`grad.p.${entry.name}`);
        // Ten times what PyTorch's own float32 is off anywhere, or the rounding of a sum over all voxels.
        const rounding = 1e-5 * Math.max(...Array.from(expected, Math.abs));
        expect(greatestGap(slopes[index], expected), entry.name).toBeLessThan(
          Math.max(10 * trace.float32_error.gradients, rounding),
        );
      });
    });
    await session.release();

    const after = cut(state.theta, sizes);
    builder.parameters.forEach((entry, index) => {
      if (isZero(entry.name)) return;
      const gap = greatestGap(after[index], floats(`after.p.${entry.name}`));
      expect(gap, entry.name).toBeLessThan(10 * trace.float32_error["after.p"]);
    });
    for (const buffer of builder.buffers)
      expect(
        relativeError(state[buffer.name], floats(`after.buffer.${buffer.name}`)),
        buffer.name,
      ).toBeLessThan(2e-5);

    const inference = build(false);
    const given = new Map<Value, Numbers>([[inference.image, floats("x")]]);
    const trained = new Map(builder.parameters.map((entry, index) => [entry.name, after[index]]));
    for (const entry of inference.builder.parameters) given.set(entry.value, trained.get(entry.name) ?? []);
    for (const buffer of inference.builder.buffers) given.set(buffer.value, state[buffer.name]);
    const results = await runOnOnnxRuntime({ logits: inference.logits }, given);
    expect(relativeError(results.logits, floats("after.logits_eval"))).toBeLessThan(evaluated);
  });
}

/** A vector cut into parts. */
function cut(data: Numbers, sizes: readonly number[]): Numbers[] {
  const all = Array.from(data);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return all.slice(start - size, start);
  });
}

/** What a network costs, as two counters of the reference implementation agree. */
export interface CostRow {
  readonly classes?: number;
  readonly size: readonly [number, number, number];
  readonly parameters: number;
  readonly multiplyAdds?: number;
  /** By thop's rule for convolutions and linear layers. */
  readonly thop?: number;
}

/** Tests parameter counts, multiply-adds and the shape of the logits at full size. */
export function testCosts(
  specificationOf: (classes: number) => NetworkSpecification,
  rows: readonly CostRow[],
): void {
  describe.each(rows)("at $size, $parameters parameters", ({ classes = 1, size, parameters, ...costs }) => {
    const specification = specificationOf(classes);

    test("has them", () => {
      const parts = partsOf(specification, size);
      expect(parts.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0)).toBe(parameters);
      expect(new Set(parts.parameters.map(({ name }) => name)).size).toBe(parts.parameters.length);
    });

    test("gives logits of the image's size, with the reference's multiply-adds", () => {
      const image = input("image", [1, specification.configuration.inputs, ...size]);
      const { logits } = buildNetwork(specification, image, new NetworkBuilder(false));
      expect(logits.shape).toEqual([1, classes, ...size]);
      const nodes = sortNodes([logits]);
      const total = (of: "multiplyAdds" | "multiplyAddsThop"): number =>
        nodes.reduce((sum, node) => sum + (node.operation.cost?.(node)[of] ?? 0), 0);
      if (costs.multiplyAdds !== undefined) expect(total("multiplyAdds")).toBe(costs.multiplyAdds);
      if (costs.thop !== undefined) expect(total("multiplyAddsThop")).toBe(costs.thop);
    });
  });
}
