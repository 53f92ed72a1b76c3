// Platt's map and reliability: by hand, and against scikit-learn's (fixtures/statistics).
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  calibrated,
  calibratedByOthers,
  fitCalibration,
  type JudgedProbability,
  leastCalibrated,
  reliabilityOf,
} from "./calibration.js";

const judged = (probabilities: readonly number[], truths: readonly boolean[]): JudgedProbability[] =>
  probabilities.map((probability, at) => ({ probability, isTrue: truths[at] }));

interface Sample {
  readonly name: string;
  readonly probabilities: number[];
  readonly truths: boolean[];
  readonly slope: number;
  readonly intercept: number;
  readonly mapped: number[];
  readonly error: number;
}
const file = new URL("../../../../fixtures/statistics/scikit-learn.json", import.meta.url);
const { cases: samples } = JSON.parse(readFileSync(file, "utf8")) as { cases: Sample[] };

describe.each(samples)(
  "as scikit-learn: $name",
  ({ probabilities, truths, slope, intercept, mapped, error }) => {
    const cases = judged(probabilities, truths);

    test("the map", () => {
      const map = fitCalibration(cases);
      if (map === null) throw new Error("no map");
      expect(map.slope).toBeCloseTo(slope, 4);
      expect(map.intercept).toBeCloseTo(intercept, 4);
      probabilities.forEach((probability, at) => {
        expect(calibrated(probability, map)).toBeCloseTo(mapped[at], 5);
      });
    });

    test("the expected calibration error", () => {
      expect(reliabilityOf(cases).expectedCalibrationError).toBeCloseTo(error, 12);
    });
  },
);

describe("the map by hand", () => {
  test("two probabilities are mapped onto the smoothed share of each", () => {
    // Of 8 cases with 0.6, two are true; of 8 with 0.9, six. N₊ = N₋ = 8: targets 9/10 and 1/10. A map of two
    // parameters meets the mean target at both: (2·0.9 + 6·0.1)/8 = 0.3, and 0.7.
    const few = judged(new Array(8).fill(0.6), [true, true, ...new Array(6).fill(false)]);
    const many = judged(new Array(8).fill(0.9), [...new Array(6).fill(true), false, false]);
    const map = fitCalibration([...few, ...many]);
    if (map === null) throw new Error("no map");
    expect(calibrated(0.6, map)).toBeCloseTo(0.3, 7);
    expect(calibrated(0.9, map)).toBeCloseTo(0.7, 7);
    // logit 0.6 = log 1.5, logit 0.9 = log 9; the two mapped logits are ± log(7/3).
    expect(map.slope).toBeCloseTo((2 * Math.log(7 / 3)) / Math.log(6), 7);
  });

  test("the order of probabilities stays, to their ends", () => {
    const map = { slope: 0.4, intercept: -1 };
    const mapped = [0, 0.001, 0.3, 0.5, 0.999, 1].map((probability) => calibrated(probability, map));
    expect(mapped).toEqual([...mapped].sort((a, b) => a - b));
    expect(calibrated(0.37, { slope: 1, intercept: 0 })).toBeCloseTo(0.37, 12);
    for (const value of mapped) expect(value > 0 && value < 1).toBe(true);
  });

  test.each<[string, JudgedProbability[]]>([
    ["no cases", []],
    ["true cases alone", judged([0.6, 0.9], [true, true])],
    ["false cases alone", judged([0.6, 0.9], [false, false])],
    ["a share that falls", judged([0.6, 0.65, 0.9, 0.95], [true, true, false, false])],
    ["a share that is the same", judged([0.6, 0.6, 0.9, 0.9], [true, false, true, false])],
  ])("none of %s", (_, cases) => {
    expect(fitCalibration(cases)).toBeNull();
  });
});

describe("the least calibrated probability that is kept", () => {
  const map = { slope: 1, intercept: 0 };
  const cases = judged([0.95, 0.9, 0.8, 0.8, 0.7, 0.6], [true, false, true, false, true, false]);

  test.each([
    [0, 0.95],
    // Of two cases with 0.8, one is the second false one, so neither may stay.
    [1, 0.9],
    [1.9, 0.9],
    [2, 0.7],
    [3, 0],
    [100, 0],
  ])("of three false cases, at most %d", (mostFalse, least) => {
    expect(leastCalibrated(cases, map, mostFalse)).toBeCloseTo(least, 12);
  });

  test("none, where the most probable case is false", () => {
    expect(leastCalibrated(judged([0.9, 0.8], [false, true]), map, 0)).toBe(1);
  });
});

describe("reliability by hand", () => {
  test("bins, and their distances weighted by their cases", () => {
    const cases = judged([0.5, 0.54, 0.91, 0.99, 1], [true, false, true, true, false]);
    const { bins, expectedCalibrationError } = reliabilityOf(cases, 10);
    expect(bins.filter(({ count }) => count > 0)).toEqual([
      { from: 0.5, to: 0.6, count: 2, meanProbability: 0.52, trueShare: 0.5 },
      { from: 0.9, to: 1, count: 3, meanProbability: expect.closeTo(2.9 / 3, 12), trueShare: 2 / 3 },
    ]);
    // (2 · 0.02 + 3 · 0.3) / 5
    expect(expectedCalibrationError).toBeCloseTo(0.188, 12);
    expect(bins[0]).toEqual({ from: 0, to: 0.1, count: 0, meanProbability: null, trueShare: null });
  });

  test("without cases there is no error", () => {
    expect(reliabilityOf([]).expectedCalibrationError).toBeNull();
  });
});

test("each group is mapped by a fit on the others, and left out where they allow none", () => {
  const first = judged([0.6, 0.6, 0.9, 0.9], [false, true, true, true]);
  const second = judged([0.7], [true]);
  const map = fitCalibration(first);
  if (map === null) throw new Error("no map");
  // Of the second group alone no map can be fitted, so the first is left out.
  expect(calibratedByOthers([first, second])).toEqual([{ probability: calibrated(0.7, map), isTrue: true }]);
});
