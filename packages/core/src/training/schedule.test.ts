// The learning rate against PyTorch's schedules (fixtures/ops/schedules.json).
import { describe, expect, test } from "vitest";
import { readJson } from "../graph/graph.test-helper.js";
import { type Decay, learningRateAt } from "./schedule.js";

interface Schedule {
  readonly name: string;
  readonly attrs: {
    readonly base: number;
    readonly total: number;
    readonly minimum?: number;
    readonly warmup?: number;
  };
  readonly learning_rates: readonly number[];
}

const { schedules } = readJson<{ schedules: Schedule[] }>("ops/schedules.json");

test("three cosine schedules and a polynomial one are there", () => {
  expect(schedules.map(({ name }) => name.includes("cosine"))).toEqual([false, true, true, true]);
});

describe.each(schedules)("$name", ({ name, attrs, learning_rates: rates }) => {
  const warmUpSteps = attrs.warmup ?? 0;
  const decay: Decay = name.includes("cosine") ? "cosine" : "polynomial";
  const schedule = {
    decay,
    peak: attrs.base,
    warmUpSteps,
    totalSteps: attrs.total,
    final: attrs.minimum ?? 0,
  };

  // PyTorch's warm-up begins at a tenth of the peak, ours at one step's share of it: they agree from the peak on.
  test("the same after the warm-up", () => {
    for (let step = warmUpSteps; step < rates.length; step++)
      expect(learningRateAt(step, schedule), `step ${step}`).toBeCloseTo(rates[step], 12);
  });
});

test("the warm-up rises by equal parts and ends at the peak", () => {
  const schedule = { decay: "cosine", peak: 0.4, warmUpSteps: 4, totalSteps: 10, final: 0 } as const;
  [0.1, 0.2, 0.3, 0.4, 0.4].forEach((rate, step) => {
    expect(learningRateAt(step, schedule)).toBeCloseTo(rate, 12);
  });
});

test.each(["cosine", "polynomial"] as const)(
  "a %s run that goes on beyond its end stays at the final rate",
  (decay) => {
    expect(learningRateAt(99, { decay, peak: 1, warmUpSteps: 0, totalSteps: 10, final: 0.25 })).toBe(0.25);
  },
);
