// Training: the same state gives the same steps, parts of a batch count as the whole, and the loss falls.
import { describe, expect, test } from "vitest";
import { type Value, within } from "../graph/graph.js";
import { emitOnnx } from "../graph/onnx.js";
import { add, leakyRelu, multiply } from "../graph/operations/elementwise.js";
import { reshape } from "../graph/operations/layout.js";
import { input } from "../graph/operations/leaves.js";
import { sum } from "../graph/operations/reduction.js";
import { range, sizeOf } from "../graph/shape.js";
import { convolutionLayer, pointwiseLayer } from "../networks/blocks/layers.js";
import { batchNormLayer } from "../networks/blocks/normalization.js";
import { NetworkBuilder } from "../networks/builder.js";
import { he } from "../networks/initialization.js";
import type { NetworkOutputs } from "../networks/network.js";
import { nodeRuntime } from "../runtime/node.js";
import type { RuntimeTensor } from "../runtime/types.js";
import { forwardModel } from "./forward.js";
import { buildTrainingStep, type Loss, type StepOptions } from "./step.js";
import { imageShape, tinyBatch, tinyNetwork } from "./tiny-task.test-helper.js";
import {
  averagedInputs,
  averagedWeights,
  type StartingPoint,
  startingPoint,
  Trainer,
  type TrainerOptions,
  type TrainingState,
} from "./trainer.js";
import { namedWeights } from "./weights.js";

const options: StepOptions = { imageShape };

const create = (stepOptions: StepOptions, more: Partial<TrainerOptions> = {}) =>
  Trainer.create(nodeRuntime, buildTrainingStep(tinyNetwork, stepOptions), {
    seed: 7,
    threads: 1,
    averageDecay: 0.99,
    ...more,
  });

/** Steps from the trainer's own up to `end`, and the losses. */
async function train(trainer: Trainer, end: number): Promise<number[]> {
  const losses: number[] = [];
  while (trainer.state.step < end)
    losses.push((await trainer.step([tinyBatch(trainer.state.step)], 0.01)).loss);
  return losses;
}

const copyOf = (state: TrainingState): TrainingState => structuredClone(state);

describe("running statistics", () => {
  /** A convolution with batch norm, and one to logits. */
  const normalized = (image: Value, builder: NetworkBuilder): NetworkOutputs => {
    const first = within("first", () => convolutionLayer(image, 4, builder, { initialization: he() }));
    const active = leakyRelu(within("norm", () => batchNormLayer(first, builder)));
    return { logits: within("second", () => pointwiseLayer(active, 1, builder)) };
  };
  const step = buildTrainingStep(normalized, options);
  const open = (more: Partial<TrainerOptions> = {}) =>
    Trainer.create(nodeRuntime, step, { seed: 7, threads: 1, averageDecay: 0.99, ...more });

  test("begin at 0 and 1, follow the batches, and are averaged with the weights' memory", async () => {
    const trainer = await open();
    const { buffers } = trainer.state;
    expect(buffers["norm.running_mean"]).toEqual(new Float32Array(4));
    expect(buffers["norm.running_var"]).toEqual(new Float32Array(4).fill(1));
    await train(trainer, 1);
    // The first update keeps a tenth.
    trainer.state.averageBuffers["norm.running_mean"].forEach((value, n) => {
      expect(trainer.state.buffers["norm.running_mean"][n]).not.toBe(0);
      expect(value).toBeCloseTo(0.9 * trainer.state.buffers["norm.running_mean"][n], 6);
    });
    expect(buffers["norm.running_mean"], "the state before is left as it was").toEqual(new Float32Array(4));
    await trainer.release();
  });

  test("go on from a saved state bit for bit, and from a trained network's weights", async () => {
    const whole = await open();
    await train(whole, 6);
    const first = await open();
    await train(first, 2);
    const second = await open({ state: copyOf(first.state) });
    await train(second, 6);
    expect(second.state).toEqual(whole.state);
    const tuned = await open({ start: startingPoint(averagedWeights(whole.state, step), step) });
    expect(tuned.state).toMatchObject({
      step: 0,
      theta: whole.state.average,
      buffers: whole.state.averageBuffers,
      averageBuffers: whole.state.averageBuffers,
    });
    for (const trainer of [whole, first, second, tuned]) await trainer.release();
  });

  test("give validation what the trained network gives in use", async () => {
    const trainer = await open();
    await train(trainer, 3);
    const image = { shape: imageShape, data: tinyBatch(9).image };
    const leaf = input("image", imageShape);
    const { logits } = normalized(leaf, new NetworkBuilder(false));
    const weights = averagedWeights(trainer.state, step);
    const models: [Uint8Array, Record<string, RuntimeTensor>][] = [
      [forwardModel(normalized, imageShape), averagedInputs(trainer.state, step)],
      [emitOnnx({ inputs: [leaf], outputs: { logits }, weights }), {}],
    ];
    const results: Float32Array[] = [];
    for (const [model, more] of models) {
      const session = await nodeRuntime.createSession(model, { threads: 1 });
      results.push((await session.run({ image, ...more })).logits.data);
      await session.release();
    }
    results[0].forEach((value, n) => {
      expect(value).toBeCloseTo(results[1][n], 5);
    });
    await trainer.release();
  });

  test("that a network's weights lack are requested by name", () => {
    const weights = new Map([["norm.running_mean", new Float32Array(4)]]);
    expect(() => startingPoint(weights, step)).toThrow(
      "norm.running_var has no numbers, and 4 are expected.",
    );
  });
});

describe("deep supervision", () => {
  test("adds the loss of coarser logits beside a coarser label, half as heavy", async () => {
    const supervised = (image: Value, builder: NetworkBuilder): NetworkOutputs => {
      const coarse = within("coarse", () => convolutionLayer(image, 1, builder, { kernel: 2, stride: 2 }));
      return { logits: within("fine", () => pointwiseLayer(image, 1, builder)), coarserLogits: [coarse] };
    };
    const values = (loss: Loss) =>
      Trainer.create(nodeRuntime, buildTrainingStep(supervised, { ...options, loss }), {
        seed: 7,
        threads: 1,
        averageDecay: 0.99,
      });
    // The number of voxels that are compared, as a loss: 512 of the fine and 64 of the coarse label.
    const trainer = await values((logits, label) => {
      expect(label.shape).toEqual(logits.shape);
      const ones = add(multiply(sum(logits, range(5)), 0), sizeOf(logits.shape));
      return reshape(ones, []);
    });
    const { loss } = await trainer.step([tinyBatch(0)], 0);
    expect(loss).toBeCloseTo((2 / 3) * 512 + (1 / 3) * 64, 3);
    await trainer.release();
  });
});

describe("a trainer", () => {
  test("that goes on from a saved state is bit for bit the one that never stopped", async () => {
    const whole = await create(options);
    await train(whole, 12);
    const first = await create(options);
    await train(first, 5);
    const saved = copyOf(first.state);
    await first.release();
    const second = await create(options, { state: saved });
    await train(second, 12);
    expect(second.state).toEqual(whole.state);
    await whole.release();
    await second.release();
  });

  test("draws its weights and masks from the seed", async () => {
    const [firstRun, same, other] = [
      await create(options),
      await create(options),
      await create(options, { seed: 8 }),
    ];
    for (const trainer of [firstRun, same, other]) await train(trainer, 3);
    expect(same.state).toEqual(firstRun.state);
    expect(other.state.theta).not.toEqual(firstRun.state.theta);
    for (const trainer of [firstRun, same, other]) await trainer.release();
  });

  test("learns: the loss falls to a third", async () => {
    const trainer = await create(options);
    const losses = await train(trainer, 200);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(losses.slice(-20))).toBeLessThan(mean(losses.slice(0, 20)) / 3);
    await trainer.release();
  });

  test("takes the same batch thrice as the batch once, and other batches otherwise", async () => {
    // Without random masks, which each part draws anew.
    const steady: StepOptions = { ...options, optimizer: { clipNorm: 1e9 } };
    const plain = (image: Value, builder: NetworkBuilder) => ({
      logits: convolutionLayer(image, 1, builder, { initialization: he() }),
    });
    const make = (accumulation: number) =>
      Trainer.create(nodeRuntime, buildTrainingStep(plain, { ...steady, accumulation }), {
        seed: 7,
        threads: 1,
        averageDecay: 0.99,
      });
    const [once, thrice, mixed] = [await make(1), await make(3), await make(3)];
    for (let step = 0; step < 3; step++) {
      const a = await once.step([tinyBatch(0)], 0.01);
      const b = await thrice.step([tinyBatch(0), tinyBatch(0), tinyBatch(0)], 0.01);
      await mixed.step([tinyBatch(0), tinyBatch(1), tinyBatch(2)], 0.01);
      expect(b.loss).toBeCloseTo(a.loss, 6);
      expect(b.norm).toBeCloseTo(a.norm, 6);
    }
    thrice.state.theta.forEach((value, n) => {
      expect(value).toBeCloseTo(once.state.theta[n], 5);
    });
    expect(mixed.state.theta).not.toEqual(thrice.state.theta);
    await expect(thrice.step([tinyBatch(0)], 0.01)).rejects.toThrow("3 batches");
    for (const trainer of [once, thrice, mixed]) await trainer.release();
  });

  test("trains what it is told to and leaves the rest to the last bit", async () => {
    const whole = buildTrainingStep(tinyNetwork, options);
    const head = buildTrainingStep(tinyNetwork, { ...options, trains: (name) => name.startsWith("second.") });
    const make = (step: typeof whole, start?: StartingPoint) =>
      Trainer.create(nodeRuntime, step, {
        seed: 7,
        threads: 1,
        averageDecay: 0.99,
        ...(start ? { start } : {}),
      });
    const first = await make(whole);
    await train(first, 3);
    const named = namedWeights(first.state.theta, whole.parameters);
    const tuned = await make(head, startingPoint(named, head));
    await train(tuned, 3);
    const after = namedWeights(tuned.state.theta, head.parameters);
    const averaged = namedWeights(tuned.state.average, head.parameters);
    for (const [name, before] of named) {
      if (name.startsWith("second.")) expect(after.get(name)).not.toEqual(before);
      else expect([after.get(name), averaged.get(name)], name).toEqual([before, before]);
    }
    for (const trainer of [first, tuned]) await trainer.release();
  });

  test("trained in part, has the gradient of the whole there", async () => {
    // Without clipping, which is by the norm of all that is trained.
    const unclipped = { ...options, optimizer: { clipNorm: 1e9 } };
    const [whole, part] = [
      await create(unclipped),
      await create({ ...unclipped, trains: (name) => name !== "first.weight" }),
    ];
    for (const trainer of [whole, part]) await trainer.step([tinyBatch(0)], 0.01);
    const { parameters } = buildTrainingStep(tinyNetwork, options);
    const moments = ({ state }: Trainer) => namedWeights(state.m, parameters);
    for (const [name, expected] of moments(whole)) {
      const found = moments(part).get(name);
      expect(found?.every((value) => value === 0)).toBe(name === "first.weight");
      if (name !== "first.weight")
        expected.forEach((value, n) => {
          expect(found?.[n]).toBeCloseTo(value, 6);
        });
    }
    for (const trainer of [whole, part]) await trainer.release();
  });

  test("averages its weights with a memory that is short at first", async () => {
    const trainer = await create(options);
    const start = trainer.state.theta.slice();
    await train(trainer, 1);
    const keep = 1 / 10;
    trainer.state.average.forEach((value, n) => {
      expect(value).toBeCloseTo(keep * start[n] + (1 - keep) * trainer.state.theta[n], 6);
    });
    await trainer.release();
  });
});
