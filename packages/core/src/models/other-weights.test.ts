// Weights of the same network from elsewhere: by name, by a mapping, and what is refused.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { type StoredTensor, writeSafetensors } from "../formats/safetensors.js";
import { networkPresets, partsOf } from "../networks/catalogue.js";
import type { Model } from "./model-file.js";
import { withOtherWeights } from "./other-weights.js";

const network = networkPresets["partial-unet"];
const plan: Model["plan"] = {
  network,
  patchSize: [16, 16, 16],
  spacingMm: [1, 1, 1],
  window: { lowHu: -200, highHu: 300 },
  calibration: { slope: 1, intercept: 0, scans: 1, nodes: 1 },
  foreground: "lymph node",
  dataLabel: "phantom",
};
const model: Model = { plan, steps: 7, weights: new Map() };
const { parameters, buffers } = partsOf(network, plan.patchSize);

/** A tensor for each part of the network, counted up from its position. */
const tensors = new Map<string, StoredTensor>(
  [...parameters, ...buffers].map(({ name, shape }, at) => {
    const length = shape.reduce((product, edge) => product * edge, 1);
    return [name, { dtype: "F32", shape, data: new Float32Array(length).fill(at) }];
  }),
);
const [first, second] = [...tensors.keys()];
const fileOf = (changed: ReadonlyMap<string, StoredTensor>, names?: Record<string, string | null>) => ({
  path: "twin.safetensors",
  bytes: writeSafetensors(changed),
  dataLabel: "elsewhere",
  ...(names ? { names } : {}),
});

test("takes every tensor by its name, and drops what belonged to the model's own weights", () => {
  const counter: StoredTensor = { dtype: "I64", shape: [], data: BigInt64Array.of(3n) };
  const given = withOtherWeights(model, fileOf(new Map([...tensors, ["norm.num_batches_tracked", counter]])));
  expect([...given.weights].map(([name, numbers]) => [name, numbers[0]])).toEqual(
    [...tensors.keys()].map((name, at) => [name, at]),
  );
  expect(given.steps).toBe(0);
  expect(given.plan.dataLabel).toBe("elsewhere");
  expect(given.plan.calibration).toBeUndefined();
});

test("takes names by a mapping, and numbers of other types", () => {
  const { shape, data } = tensors.get(first) as StoredTensor & { dtype: "F32" };
  const others = new Map(tensors);
  others.delete(first);
  others.set("module.first", { dtype: "F64", shape, data: Float64Array.from(data) });
  others.set("extra", { dtype: "F32", shape: [1], data: new Float32Array(1) });
  const names = { "module.first": first, extra: null };
  expect(withOtherWeights(model, fileOf(others, names)).weights.get(first)).toEqual(data);
});

describe("refuses", () => {
  const without = new Map(tensors);
  without.delete(second);
  const one: StoredTensor = { dtype: "F32", shape: [1], data: new Float32Array(1) };
  const { shape, data } = tensors.get(first) as StoredTensor & { dtype: "F32" };
  const broken: StoredTensor = { dtype: "F32", shape, data: new Float32Array(data.length).fill(Number.NaN) };
  test.each<[string, Parameters<typeof withOtherWeights>[1], RegExp]>([
    ["a tensor that is missing", fileOf(without), /twin\.safetensors lacks/],
    ["another shape", fileOf(new Map([...tensors, [first, one]])), /of shape \[1\]/],
    ["one more", fileOf(new Map([...tensors, ["extra", one]])), /1 tensor that .*"extra"/],
    ["a name that is given twice", fileOf(new Map([...tensors, ["extra", one]]), { extra: first }), /twice/],
    ["NaN", fileOf(new Map([...tensors, [first, broken]])), /NaN or infinite/],
  ])("%s", (_, file, message) => {
    expect(() => withOtherWeights(model, file)).toThrow(InputError);
    expect(() => withOtherWeights(model, file)).toThrow(message);
  });

  test("a checkpoint that holds more than tensors", () => {
    const path = new URL("../../../../fixtures/checkpoints/tensors.pth", import.meta.url);
    const file = { ...fileOf(tensors), bytes: new Uint8Array(readFileSync(path)) };
    expect(() => withOtherWeights(model, file)).toThrow(/no state dictionary of tensors alone/);
  });
});
