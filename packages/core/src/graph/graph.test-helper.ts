// What the tests of the graph share: stored cases, the two ways to run a graph, comparison, finite differences.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect } from "vitest";
import { readSafetensors } from "../formats/safetensors.js";
import { nodeRuntime } from "../runtime/node.js";
import { differentiate } from "./differentiate.js";
import { evaluate } from "./evaluate.js";
import type { Value } from "./graph.js";
import { emitOnnx } from "./onnx.js";
import { add, multiply } from "./operations/elementwise.js";
import { reshape } from "./operations/layout.js";
import { input, leafName } from "./operations/leaves.js";
import { sum } from "./operations/reduction.js";
import { range, type Shape, sizeOf } from "./shape.js";

export type Numbers = ArrayLike<number>;

const fixtures = new URL("../../../../fixtures/", import.meta.url);

export function readJson<Content>(path: string): Content {
  return JSON.parse(readFileSync(new URL(path, fixtures), "utf8")) as Content;
}

/** The tensors of a stored case; whole numbers become plain numbers. */
export function readTensors(path: string): Map<string, { shape: Shape; data: Numbers }> {
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(new URL(path, fixtures))), path);
  return new Map(
    [...tensors].map(([name, { shape, data }]) => [
      name,
      { shape, data: Array.from<number | bigint, number>(data, Number) },
    ]),
  );
}

/** Runs a graph as an ONNX model on ONNX Runtime. */
export async function runOnOnnxRuntime(
  outputs: Readonly<Record<string, Value>>,
  given: ReadonlyMap<Value, Numbers>,
): Promise<Record<string, Numbers>> {
  const session = await nodeRuntime.createSession(emitOnnx({ inputs: [...given.keys()], outputs }), {
    threads: 1,
  });
  const feeds = [...given].map(([value, data]) => [
    leafName(value),
    { shape: value.shape, data: Float32Array.from(data) },
  ]);
  const results = await session.run(Object.fromEntries(feeds));
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { shape }]) => {
      expect(results[name].shape, `shape of ${name}`).toEqual(shape);
      return [name, results[name].data];
    }),
  );
}

/** Runs a graph on the reference evaluator. */
export function runOnEvaluator(
  outputs: Readonly<Record<string, Value>>,
  given: ReadonlyMap<Value, Numbers>,
): Record<string, Numbers> {
  const tensors = evaluate(Object.values(outputs), given);
  return Object.fromEntries(Object.keys(outputs).map((name, index) => [name, tensors[index].data]));
}

/** The greatest difference, as a part of the greatest expected magnitude; the difference itself where all should be 0. */
export function relativeError(actual: Numbers, expected: Numbers): number {
  expect(actual.length).toBe(expected.length);
  let difference = 0;
  let magnitude = 0;
  for (let index = 0; index < expected.length; index++) {
    const gap = Math.abs(actual[index] - expected[index]);
    if (!(gap <= difference)) difference = gap;
    magnitude = Math.max(magnitude, Math.abs(expected[index]));
  }
  return magnitude === 0 ? difference : difference / magnitude;
}

/** Σ of the products of values and weights, of shape []. */
export function weightedSum(terms: readonly { readonly value: Value; readonly weight: Value }[]): Value {
  return terms
    .map(({ value, weight }) => {
      const products = multiply(value, weight);
      return reshape(sum(products, range(products.shape.length)), []);
    })
    .reduce((a, b) => add(a, b));
}

/** What the numbers of an input must be, for a function to be smooth around them. */
export type Kind = "any" | "positive" | "awayFromZero" | "distinct" | "binary";

/** A function of graph values to be differentiated, with what goes into it. */
export interface Differentiable {
  readonly inputs: readonly { readonly shape: Shape; readonly kind?: Kind }[];
  readonly build: (...values: Value[]) => Value | readonly Value[];
}

/** Numbers in −2 … 2 of a kind, from a seed. */
export function drawNumbers(shape: Shape, kind: Kind, seed: number): Float64Array {
  const uniform = uniformStream(seed);
  const data = Float64Array.from({ length: sizeOf(shape) }, () => 4 * uniform() - 2);
  if (kind === "positive") return data.map((x) => 0.5 + Math.abs(x));
  if (kind === "awayFromZero") return data.map((x) => x + Math.sign(x) * 0.2);
  if (kind === "binary") return data.map((x) => (x > 0 ? 1 : 0));
  if (kind === "any") return data;
  // Ranks in the place of numbers: no two are closer than 0.1, wherever a maximum is taken.
  const order = range(data.length).sort((a, b) => data[a] - data[b]);
  const ranked = new Float64Array(data.length);
  order.forEach((element, rank) => {
    ranked[element] = 0.1 * (rank - data.length / 2) + 0.05;
  });
  return ranked;
}

/** Mulberry32: enough for a test, and no state outside. */
function uniformStream(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A leaf of a graph and the numbers around which it is looked at. */
export interface Point {
  readonly leaf: Value;
  readonly data: Float64Array;
}

/** Σ(output · weight) with weights drawn at random, and the points of those weights. */
function randomSum(outputs: readonly Value[], seed: number): { loss: Value; weights: Point[] } {
  const terms = outputs.map((value, index) => ({ value, weight: input(`weight${index}`, value.shape) }));
  const weights = terms.map(({ weight }, index) => ({
    leaf: weight,
    data: drawNumbers(weight.shape, "any", seed + 100 + index),
  }));
  return { loss: weightedSum(terms), weights };
}

const givenOf = (points: readonly Point[]): Map<Value, Numbers> =>
  new Map(points.map(({ leaf, data }) => [leaf, data]));

/**
 * How far the gradients of a random sum of `outputs` are from central differences, along one random direction through
 * all `free` leaves: as a part of the sum of the magnitudes of what the direction adds up. A small `step` crosses fewer
 * kinks of rectifiers, and loses digits to rounding.
 */
export function gradientGapAt(
  outputs: readonly Value[],
  free: readonly Point[],
  fixed: readonly Point[],
  seed: number,
  step = 1e-4,
): number {
  const { loss, weights } = randomSum(outputs, seed);
  const others = [...fixed, ...weights];
  const gradients = differentiate(
    loss,
    free.map(({ leaf }) => leaf),
  );
  const directions = free.map(({ leaf }, index) => drawNumbers(leaf.shape, "any", seed + 200 + index));
  let along = 0;
  let magnitude = 0;
  evaluate(gradients, givenOf([...free, ...others])).forEach(({ data, shape }, index) => {
    expect(shape).toEqual(free[index].leaf.shape);
    data.forEach((slope, element) => {
      along += slope * directions[index][element];
      magnitude += Math.abs(slope * directions[index][element]);
    });
  });
  const lossAt = (distance: number): number => {
    const moved = free.map(({ leaf, data }, index) => ({
      leaf,
      data: data.map((x, element) => x + distance * directions[index][element]),
    }));
    return evaluate([loss], givenOf([...moved, ...others]))[0].data[0];
  };
  const difference = (h: number): number => (lossAt(h) - lossAt(-h)) / (2 * h);
  // Richardson's extrapolation: an error of the fourth order in the step.
  const measured = (4 * difference(step) - difference(2 * step)) / 3;
  // Rounding makes a difference wrong by some 1e-16 of the sum over the step: no digits can be asked of less than this.
  const smallest = (1e-9 * (1 + Math.abs(lossAt(0)))) / step;
  return Math.abs(along - measured) / Math.max(magnitude, smallest);
}

/** Leaves and outputs of a function, with inputs drawn at random. Inputs of kind `binary` are fixed. */
function instantiate({ inputs, build }: Differentiable, seed: number) {
  const points = inputs.map(({ shape, kind = "any" }, index) => ({
    leaf: input(`x${index}`, shape),
    data: drawNumbers(shape, kind, seed + index),
  }));
  const built = build(...points.map(({ leaf }) => leaf));
  return {
    outputs: "node" in built ? [built] : built,
    free: points.filter((_, index) => inputs[index].kind !== "binary"),
    fixed: points.filter((_, index) => inputs[index].kind === "binary"),
  };
}

/** Checks that ONNX Runtime computes the outputs and gradients that the reference evaluator computes. */
export async function expectSameOnOnnxRuntime(differentiable: Differentiable, seed: number): Promise<void> {
  const { outputs, free, fixed } = instantiate(differentiable, seed);
  const { loss, weights } = randomSum(outputs, seed);
  const gradients = differentiate(
    loss,
    free.map(({ leaf }) => leaf),
  );
  const named = Object.fromEntries(
    [...outputs, ...gradients].map((value, index) => [`result${index}`, value]),
  );
  const given = givenOf([...free, ...fixed, ...weights]);
  const expected = runOnEvaluator(named, given);
  for (const [name, data] of Object.entries(await runOnOnnxRuntime(named, given))) {
    const magnitude = Math.max(1, ...Array.from(expected[name], Math.abs));
    const gap = Math.max(...Array.from(data, (x, element) => Math.abs(x - expected[name][element])));
    expect(gap / magnitude, name).toBeLessThan(2e-5);
  }
}

/** Checks the gradients of a function of random shapes against finite differences. */
export function expectGradients(differentiable: fc.Arbitrary<Differentiable>, runs = 50): void {
  fc.assert(
    fc.property(differentiable, fc.integer({ min: 1, max: 2 ** 30 }), (row, seed) => {
      const { outputs, free, fixed } = instantiate(row, seed);
      expect(gradientGapAt(outputs, free, fixed, seed)).toBeLessThan(1e-6);
    }),
    { seed: 20_250, numRuns: runs },
  );
}
