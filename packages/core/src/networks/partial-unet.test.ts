// The 3D Partial U-Net against its authors' own modules (fixtures/blocks): blocks, a whole network, five training steps.
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
import { adamW, clipByNorm, globalNorm } from "../graph/optimizers.js";
import { type Shape, ShapeError, sizeOf } from "../graph/shape.js";
import { diceCrossEntropyLoss } from "../losses/segmentation.js";
import { nodeRuntime } from "../runtime/node.js";
import { NetworkBuilder } from "./builder.js";
import {
  partialUnet,
  partialUnetBlock,
  partialUnetDefaults,
  partialUnetDown,
  partialUnetHead,
  partialUnetUp,
} from "./partial-unet.js";

interface Trace {
  readonly name: string;
  readonly input: Shape;
  readonly parameters: number;
  readonly adamw: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
  readonly clip_norm: number;
  readonly losses_float64: readonly number[];
  readonly gradient_norms_float64: readonly number[];
  readonly float32_error: Readonly<Record<"logits" | "gradients" | "after.p", number>>;
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

describe("blocks", () => {
  const blocks: Readonly<Record<string, (x: Value, builder: NetworkBuilder) => Value>> = {
    block: (x, builder) => partialUnetBlock(x, 0, builder),
    down: (x, builder) => partialUnetDown(x, 6, builder),
    up: (x, builder) => partialUnetUp(x, 4, builder),
    head: (x, builder) => partialUnetHead(x, 1, builder),
  };
  const engines = [
    { engine: "ONNX Runtime", run: runOnOnnxRuntime, tolerance: 2e-5 },
    { engine: "the reference evaluator", run: runOnEvaluator, tolerance: 2e-6 },
  ];
  const rows = Object.keys(blocks).flatMap((block) =>
    [1, 2].flatMap((batch) => engines.map((engine) => ({ block, batch, ...engine }))),
  );

  test.each(rows)("$block, batch $batch, on $engine", async ({ block, batch, run, tolerance }) => {
    const tensors = readTensors(`blocks/partial_unet_${block}_n${batch}.safetensors`);
    const builder = new NetworkBuilder(true);
    const leafOf = (name: string): Value => input(name, tensors.get(name)?.shape ?? []);
    const [x, dy] = [leafOf("x"), leafOf("dy")];
    const y = blocks[block](x, builder);
    const parameters = builder.parameters.map(({ value }) => value);
    const gradients = differentiate(y, [x, ...parameters], dy);
    const outputs: Record<string, Value> = { y, "grad.x": gradients[0] };
    const given = new Map<Value, Numbers>([x, dy].map((leaf) => [leaf, numbersOf(tensors, leafName(leaf))]));
    builder.parameters.forEach(({ name, value, shape }, index) => {
      expect(shape).toEqual(tensors.get(`p.${name}`)?.shape);
      given.set(value, numbersOf(tensors, `p.${name}`));
      outputs[`grad.p.${name}`] = gradients[index + 1];
    });
    expect(builder.parameters).toHaveLength(
      [...tensors.keys()].filter((name) => name.startsWith("p.")).length,
    );
    // The running statistics play no part in y.
    for (const { value, shape, initial } of builder.buffers)
      if (run === runOnEvaluator) given.set(value, new Array(sizeOf(shape)).fill(initial));

    for (const [name, data] of Object.entries(await run(outputs, given))) {
      const expected = numbersOf(tensors, name);
      // A bias before a norm has no gradient but rounding, on either side.
      if (name === "grad.p.dwconv.bias") expect(greatestGap(data, expected)).toBeLessThan(1e-4);
      else expect(relativeError(data, expected), name).toBeLessThan(tolerance);
    }
  });
});

describe("the trace of a small network", () => {
  const trace = readJson<{ cases: Trace[] }>("blocks/index.json").cases.find(
    ({ name }) => name === "trace_partial_unet",
  ) as Trace;
  const tensors = readTensors("blocks/trace_partial_unet.safetensors");
  const configuration = { inputs: 1, classes: 1, stages: [4, 8, 16, 32], dropPath: 0 } as const;
  const build = (training: boolean) => {
    const image = input("x", trace.input);
    const builder = new NetworkBuilder(training);
    return { image, builder, logits: partialUnet(image, configuration, builder) };
  };

  test("has the authors' parameters, by name and shape", () => {
    const { builder } = build(true);
    const stored = [...tensors].flatMap(([name, { shape }]) =>
      name.startsWith("p.") ? [[name.slice(2), shape]] : [],
    );
    expect(builder.parameters.map(({ name, shape }) => [name, shape])).toEqual(stored);
    const buffers = [...tensors.keys()].flatMap((name) =>
      name.startsWith("after.buffer.") ? [name.slice(13)] : [],
    );
    expect(builder.buffers.map(({ name }) => name)).toEqual(buffers);
    expect(builder.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0)).toBe(trace.parameters);
  });

  /** A whole training step over flat vectors, as one graph. */
  function trainingStep() {
    const { image, builder, logits } = build(true);
    const label = input("label", trace.input);
    const sizes = builder.parameters.map(({ shape }) => sizeOf(shape));
    const count = sizes.reduce((a, b) => a + b);
    const vectors = { theta: input("theta", [count]), m: input("m", [count]), v: input("v", [count]) };
    const [correction1, correction2] = ["correction1", "correction2"].map((name) => input(name, []));
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
    const next = adamW(
      vectors,
      clipByNorm(gradient, norm, trace.clip_norm),
      { decay: constant([], [decay]), learningRate: constant([], [lr]), correction1, correction2 },
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
        ...Object.fromEntries(builder.buffers.map(({ name, next: after }) => [`next.${name}`, after])),
      },
    };
  }

  const floats = (name: string): Numbers => numbersOf(tensors, name);

  /** Steps from the stored parameters on; `run` gets all inputs by name and gives all outputs. `check` sees each step. */
  async function train(
    { builder, sizes }: ReturnType<typeof trainingStep>,
    steps: number,
    run: (numbers: Record<string, Numbers>) => Promise<Record<string, Numbers>>,
    check: (results: Record<string, Numbers>, step: number) => void,
  ): Promise<Record<string, Numbers>> {
    const zeros = new Array<number>(sizes.reduce((a, b) => a + b)).fill(0);
    let state: Record<string, Numbers> = {
      theta: builder.parameters.flatMap(({ name }) => Array.from(floats(`p.${name}`))),
      m: zeros,
      v: zeros,
    };
    for (const { name, shape, initial } of builder.buffers)
      state[name] = new Array(sizeOf(shape)).fill(initial);
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
      state = Object.fromEntries(Object.keys(state).map((name) => [name, results[`next.${name}`]]));
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
      graph.builder.parameters.forEach(({ name }, index) => {
        if (trace.zero_gradient.includes(name))
          expect(greatestGap(slopes[index], floats(`grad.p.${name}`))).toBeLessThan(1e-9);
        else expect(relativeError(slopes[index], floats(`grad.p.${name}`)), name).toBeLessThan(1e-5);
      });
    });
  });

  test("five steps on ONNX Runtime, then inference", async () => {
    const graph = trainingStep();
    const { builder, sizes, inputs, outputs, bindings } = graph;
    const session = await nodeRuntime.createSession(emitOnnx({ inputs, outputs, bindings }));
    const run = async (numbers: Record<string, Numbers>) => {
      const feeds = inputs.map((value) => {
        const name = leafName(value);
        return [name, { shape: value.shape, data: Float32Array.from(numbers[name]) }];
      });
      const results = await session.run(Object.fromEntries(feeds));
      return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
    };
    const state = await train(graph, 5, run, (results, step) => {
      expect(relativeError(results.loss, [trace.losses_float64[step]]), `loss ${step}`).toBeLessThan(1e-6);
      // In float32 a voxel at the kink of Leaky ReLU may fall on the other side, and the norm feels it; the loss does not.
      expect(relativeError(results.norm, [trace.gradient_norms_float64[step]]), `norm ${step}`).toBeLessThan(
        2e-4,
      );
      if (step > 0) return;
      expect(greatestGap(results.logits, floats("logits"))).toBeLessThan(trace.float32_error.logits);
      const slopes = cut(results.gradient, sizes);
      builder.parameters.forEach(({ name }, index) => {
        const gap = greatestGap(slopes[index], floats(`grad.p.${name}`));
        expect(gap, name).toBeLessThan(10 * trace.float32_error.gradients);
      });
    });
    await session.release();

    const after = cut(state.theta, sizes);
    builder.parameters.forEach(({ name }, index) => {
      if (trace.zero_gradient.includes(name)) return;
      const gap = greatestGap(after[index], floats(`after.p.${name}`));
      expect(gap, name).toBeLessThan(10 * trace.float32_error["after.p"]);
    });
    for (const { name } of builder.buffers)
      expect(relativeError(state[name], floats(`after.buffer.${name}`)), name).toBeLessThan(2e-5);

    const inference = build(false);
    const given = new Map<Value, Numbers>([[inference.image, floats("x")]]);
    inference.builder.parameters.forEach(({ value }, index) => {
      given.set(value, after[index]);
    });
    for (const { name, value } of inference.builder.buffers) given.set(value, state[name]);
    const evaluated = await runOnOnnxRuntime({ logits: inference.logits }, given);
    expect(relativeError(evaluated.logits, floats("after.logits_eval"))).toBeLessThan(3e-4);
  });
});

/** A vector cut into parts. */
function cut(data: Numbers, sizes: readonly number[]): Numbers[] {
  const all = Array.from(data);
  let start = 0;
  return sizes.map((size) => {
    start += size;
    return all.slice(start - size, start);
  });
}

describe("the authors' configuration", () => {
  const build = (size: Shape, classes: number) => {
    const builder = new NetworkBuilder(false);
    const logits = partialUnet(input("image", [1, 1, ...size]), { ...partialUnetDefaults, classes }, builder);
    return { builder, logits };
  };

  test.each([
    { classes: 1, parameters: 1_834_742 },
    { classes: 2, parameters: 1_837_004 },
  ])("has $parameters parameters for $classes classes", ({ classes, parameters }) => {
    const { builder, logits } = build([64, 48, 48], classes);
    expect(builder.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0)).toBe(parameters);
    expect(logits.shape).toEqual([1, classes, 64, 48, 48]);
  });

  // As two counters of the peer's modules agree, and as thop counts.
  test.each([
    { size: [64, 48, 48], multiplyAdds: 4_039_704_576, thop: 7_739_080_704 },
    { size: [64, 64, 64], multiplyAdds: 7_181_697_024, thop: 13_758_365_696 },
  ])("needs $multiplyAdds multiply-adds at $size", ({ size, multiplyAdds, thop }) => {
    const costs = sortNodes([build(size, 1).logits]).map((node) => node.operation.cost?.(node));
    expect(costs.reduce((total, cost) => total + (cost?.multiplyAdds ?? 0), 0)).toBe(multiplyAdds);
    expect(costs.reduce((total, cost) => total + (cost?.multiplyAddsThop ?? 0), 0)).toBe(thop);
  });

  test("drops every branch at the same rate while it trains", () => {
    const builder = new NetworkBuilder(true);
    partialUnet(input("image", [2, 1, 8, 8, 8]), partialUnetDefaults, builder);
    expect(builder.masks).toHaveLength(24);
    expect(new Set(builder.masks.map(({ keep }) => keep))).toEqual(new Set([0.8]));
    expect(builder.masks[0]).toMatchObject({ name: "encoder1.conv1.keep", shape: [2, 1, 1] });
  });

  test("refuses a size that does not divide by 8", () => {
    expect(() => build([64, 48, 44], 1)).toThrow(ShapeError);
    expect(() => build([64, 48, 44], 1)).toThrow("64,48,44");
  });
});
