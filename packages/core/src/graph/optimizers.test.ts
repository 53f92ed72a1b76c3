// Clipping and the moving average by hand; AdamW and Nesterov's momentum are in reference-cases.test.ts.
import { describe, expect, test } from "vitest";
import { evaluate } from "./evaluate.js";
import type { Value } from "./graph.js";
import { relativeError } from "./graph.test-helper.js";
import { constant } from "./operations/leaves.js";
import { clipByNorm, globalNorm, movingAverage } from "./optimizers.js";

const numbers = (value: Value): number[] => [...evaluate([value], new Map())[0].data];

test("the global norm of 3, 4, 12 is 13, of shape []", () => {
  const norm = globalNorm(constant([3], [3, 4, 12]));
  expect(norm.shape).toEqual([]);
  expect(numbers(norm)).toEqual([13]);
});

describe("clipping a gradient of norm 5", () => {
  const gradient = constant([2], [3, -4]);
  test.each([
    { limit: 10, expected: [3, -4] },
    { limit: 5, expected: [3, -4] },
    { limit: 1, expected: [0.6, -0.8] },
  ])("at $limit gives $expected", ({ limit, expected }) => {
    expect(relativeError(numbers(clipByNorm(gradient, globalNorm(gradient), limit)), expected)).toBeLessThan(
      1e-6,
    );
  });

  test("leaves a gradient of zeros alone", () => {
    const zeros = constant([2], [0, 0]);
    expect(numbers(clipByNorm(zeros, globalNorm(zeros), 1))).toEqual([0, 0]);
  });
});

test.each([
  { keep: 0, expected: [10, 20] },
  { keep: 0.75, expected: [2.5, 6.5] },
  { keep: 1, expected: [0, 2] },
])("the moving average that keeps $keep is $expected", ({ keep, expected }) => {
  const average = movingAverage(constant([2], [0, 2]), constant([2], [10, 20]), constant([], [keep]));
  expect(numbers(average)).toEqual(expected);
});
