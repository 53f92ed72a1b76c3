// One measured thing in a process of its own, so that its peak memory is its own. Started by network-speed.ts and costs.ts, see Player.
import { createInterface } from "node:readline";
import { buildNetwork, buildTrainingStep, inferenceModel, networkPresets, Trainer } from "@lnsnet/core";
import { add, emitOnnx, input, matmul, parameter, type Shape, sizeOf, sum } from "@lnsnet/core/graph";
import { partsOf } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { namedWeights } from "@lnsnet/core/training";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { PRODUCT_EDGES, SUM_LENGTH, type Task } from "./task.js";

const WARM_UP_RUNS = 2;
type Run = () => Promise<unknown>;

await serve(JSON.parse(process.argv[2]));

async function serve(task: Task): Promise<void> {
  const runs = await runsOf(task);
  for (const run of Object.values(runs)) for (let count = 0; count < WARM_UP_RUNS; count++) await run();
  const answer = (message: unknown): void => {
    process.stdout.write(`${JSON.stringify(message)}\n`);
  };
  answer({ ready: true });
  for await (const word of createInterface({ input: process.stdin })) {
    if (word === "quit") break;
    if (!Object.hasOwn(runs, word)) {
      answer({ error: `unknown word ${word}; known are ${Object.keys(runs).join(", ")}` });
      continue;
    }
    const begin = performance.now();
    await runs[word]();
    const seconds = (performance.now() - begin) / 1000;
    answer({ seconds, peak_mb: (process.resourceUsage().maxRSS * 1024) / 1e6 });
  }
  process.exit(0);
}

async function runsOf(task: Task): Promise<Record<string, Run>> {
  if (task.kind === "forward") return { forward: await forwardRun(task) };
  if (task.kind === "step") return { step: await stepRun(task) };
  const products = await Promise.all(
    PRODUCT_EDGES.map(async (edge) => [`product${edge}`, await productRun(edge, task.threads)] as const),
  );
  return { ...Object.fromEntries(products), sum: await sumRun(task.threads) };
}

/** Inference: the weights are in the model. */
async function forwardRun({ network: preset, imageShape, threads }: Task): Promise<Run> {
  const network = networkPresets[preset];
  const { parameters, buffers } = partsOf(network, imageShape.slice(2));
  const weights = numbers([parameters.reduce((total, { shape }) => total + sizeOf(shape), 0)], 0.1);
  const statistics = buffers.map(
    ({ name, shape, initial }) => [name, new Float32Array(sizeOf(shape)).fill(initial)] as const,
  );
  const model = inferenceModel(
    network,
    imageShape,
    new Map([...namedWeights(weights, parameters), ...statistics]),
  );
  const session = await nodeRuntime.createSession(model, { threads });
  const image = { shape: imageShape, data: numbers(imageShape) };
  return () => session.run({ image });
}

/** Forward, loss, backward, clipping, AdamW and weight average, as `lnsnet train` runs them. */
async function stepRun({ network: preset, imageShape, threads }: Task): Promise<Run> {
  const network = networkPresets[preset];
  const description = buildTrainingStep((image, builder) => buildNetwork(network, image, builder), {
    imageShape,
  });
  const trainer = await Trainer.create(nodeRuntime, description, { seed: 0, threads, averageDecay: 0.999 });
  const image = numbers(description.imageShape);
  const label = numbers(description.labelShape).map((value) => (value > 0.8 ? 1 : 0));
  return () => trainer.step([{ image, label }], 1e-3);
}

/** A matrix product with one side known beforehand, as the weights of a layer are. */
async function productRun(edge: number, threads: number): Promise<Run> {
  const shape = [edge, edge];
  const a = input("a", shape);
  const y = matmul(a, parameter("b", shape));
  const model = emitOnnx({
    inputs: [a],
    outputs: { y },
    weights: new Map([["b", numbers(shape)]]),
  });
  const session = await nodeRuntime.createSession(model, { threads });
  const given = { a: { shape, data: numbers(shape) } };
  return () => session.run(given);
}

/**
 * The sum of two vectors too large for any cache, what elementwise passes are bound by; and its total, since handing
 * 64 MB to JavaScript costs ten times what making them does.
 */
async function sumRun(threads: number): Promise<Run> {
  const shape = [SUM_LENGTH];
  const [a, b] = [input("a", shape), input("b", shape)];
  const model = emitOnnx({ inputs: [a, b], outputs: { y: sum(add(a, b), [0]) } });
  const session = await nodeRuntime.createSession(model, { threads });
  const given = { a: { shape, data: numbers(shape) }, b: { shape, data: numbers(shape) } };
  return () => session.run(given);
}

/** Uniform numbers within ±scale. */
function numbers(shape: Shape, scale = 1): Float32Array {
  const random = indexedStream(0, 0);
  return Float32Array.from({ length: sizeOf(shape) }, () => uniform(random, -scale, scale));
}
