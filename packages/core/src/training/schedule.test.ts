// The learning rate against PyTorch's cosine schedule (fixtures/ops/schedules.json).
import { describe, expect, test } from "vitest";
import { readJson } from "../graph/graph.test-helper.js";
import { learningRateAt } from "./schedule.js";

interface Schedule {
  readonly name: string;
  readonly attrs: {
    readonly base: number;
    readonly total: number;
    readonly minimum: number;
    readonly warmup?: number;
  };
  readonly learning_rates: readonly number[];
}

const { schedules } = readJson<{ schedules: Schedule[] }>("ops/schedules.json");
const cosines = schedules.filter(({ name }) => name.includes("cosine"));

test("three cosine schedules are there", () => {
  expect(cosines).toHaveLength(3);
});

describe.each(cosines)("$name", ({ attrs, learning_rates: rates }) => {
  const warmUpSteps = attrs.warmup ?? 0;
  const schedule = { peak: attrs.base, warmUpSteps, totalSteps: attrs.total, final: attrs.minimum };

  // PyTorch's warm-up begins at a tenth of the peak, ours at one step's share of it: they agree from the peak on.
  test("the same after the warm-up", () => {
    for (let step = warmUpSteps; step < rates.length; step++)
      expect(learningRateAt(step, schedule), `step ${step}`).toBeCloseTo(rates[step], 12);
  });
});

test("the warm-up rises by equal parts and ends at the peak", () => {
  const schedule = { peak: 0.4, warmUpSteps: 4, totalSteps: 10, final: 0 };
  [0.1, 0.2, 0.3, 0.4, 0.4].forEach((rate, step) => {
    expect(learningRateAt(step, schedule)).toBeCloseTo(rate, 12);
  });
});

test("a run that goes on beyond its end stays at the final rate", () => {
  expect(learningRateAt(99, { peak: 1, warmUpSteps: 0, totalSteps: 10, final: 0.25 })).toBe(0.25);
});
