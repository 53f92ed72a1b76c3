// First weights: of 40,000 drawn numbers the mean, the deviation and the ends are those of the rule.
import { expect, test } from "vitest";
import { NetworkBuilder } from "../networks/builder.js";
import {
  he,
  type Initialization,
  kaimingNormal,
  lecun,
  pytorchDefault,
  truncatedNormal,
  xavier,
} from "../networks/initialization.js";
import { indexedStream } from "../random.js";
import { initialWeights } from "./weights.js";

const shape = [100, 400];
const fanIn = 400;
/** The deviation of numbers uniform in ±limit. */
const ofUniform = (limit: number): number => limit / Math.sqrt(3);

test.each<[string, Initialization, number, number]>([
  ["LeCun", lecun, 1 / 20, Number.POSITIVE_INFINITY],
  ["He", he(), Math.SQRT2 / 20, Number.POSITIVE_INFINITY],
  ["He for a slope of 1", he(1), 1 / 20, Number.POSITIVE_INFINITY],
  ["PyTorch's kaiming_normal_", kaimingNormal(), Math.SQRT2 / 20, Number.POSITIVE_INFINITY],
  ["Xavier", xavier, ofUniform(Math.sqrt(6 / 500)), Math.sqrt(6 / 500)],
  ["PyTorch's default", pytorchDefault, ofUniform(1 / 20), 1 / 20],
  ["a truncated normal far within its ends", truncatedNormal(0.02), 0.02, 2],
  // The deviation of a standard normal cut at ±1 is 0.5396.
  ["a truncated normal cut at one deviation", truncatedNormal(2), 2 * 0.5396, 2],
])("%s", (_, { weight }, deviation, limit) => {
  const builder = new NetworkBuilder(false);
  builder.weight("weight", shape, weight(fanIn, shape));
  const drawn = initialWeights(builder.parameters, indexedStream(5, 0));
  const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
  const variance = drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / drawn.length;
  expect(Math.abs(mean) / deviation).toBeLessThan(0.02);
  expect(Math.sqrt(variance) / deviation).toBeCloseTo(1, 1);
  expect(Math.max(...drawn.map(Math.abs))).toBeLessThanOrEqual(limit);
});

test("biases begin at 0, but for PyTorch's default", () => {
  expect(he().bias(shape)).toEqual({ kind: "constant", value: 0 });
  expect(pytorchDefault.bias(shape)).toEqual({ kind: "uniform", limit: 1 / 20 });
});
