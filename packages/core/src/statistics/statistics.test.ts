// Wilcoxon, Holm, Bland–Altman, bootstrap and summaries by hand; scipy.test.ts compares them with SciPy.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { blandAltman } from "./bland-altman.js";
import { clusteredBootstrap } from "./bootstrap.js";
import { holmCorrection } from "./holm.js";
import { meanOf, medianOf, summarise } from "./summary.js";
import { wilcoxonSignedRank } from "./wilcoxon.js";

test.each([
  [[3], 3],
  [[1, 9], 5],
  [[5, 1, 9], 5],
  [[9, 1, 7, 5], 6],
])("the median of %s is %d", (values, expected) => {
  expect(medianOf(values)).toBe(expected);
  expect(summarise(values).median).toBe(expected);
});

describe("signed rank", () => {
  test.each([
    // Of 2³ choices of signs, one gives the sum 0 and one the greatest sum.
    { differences: [1, 2, 3], statistic: 0, pValue: 2 / 8 },
    // Sums of at most 1: {} and {1}.
    { differences: [-1, 2, 3], statistic: 1, pValue: 4 / 8 },
    { differences: [1, -2, 3], statistic: 2, pValue: 6 / 8 },
    { differences: [1, 2, -3], statistic: 3, pValue: 1 },
  ])("$differences", ({ differences, statistic, pValue }) => {
    expect(wilcoxonSignedRank(differences)).toEqual({ pairs: 3, statistic, pValue, method: "exact" });
  });

  test.each(["wilcox", "pratt", "zsplit"] as const)("equal methods do not differ (%s)", (zeroMethod) => {
    expect(wilcoxonSignedRank([0, 0, 0], zeroMethod).pValue).toBe(1);
    expect(wilcoxonSignedRank([], zeroMethod).pValue).toBe(1);
  });

  test("which method is the first does not matter", () => {
    const anyDifferences = fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 60 });
    fc.assert(
      fc.property(anyDifferences, fc.constantFrom("wilcox", "pratt", "zsplit"), (differences, zeroMethod) => {
        const turned = differences.map((difference) => -difference);
        const test = wilcoxonSignedRank(differences, zeroMethod);
        expect(wilcoxonSignedRank(turned, zeroMethod)).toEqual(test);
        expect(test.pValue).toBeGreaterThan(0);
        expect(test.pValue).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("what is not finite is refused", () => {
    expect(() => wilcoxonSignedRank([1, Number.NaN])).toThrow(RangeError);
  });
});

test.each([
  { pValues: [], corrected: [] },
  { pValues: [0.02], corrected: [0.02] },
  { pValues: [0.04, 0.01, 0.03], corrected: [0.06, 0.03, 0.06] },
  // 4·0.01, 3·0.02, 2·0.02 raised to the one before, 1·0.5.
  { pValues: [0.5, 0.02, 0.01, 0.02], corrected: [0.5, 0.06, 0.04, 0.06] },
  { pValues: [0.9, 0.6], corrected: [1, 1] },
])("Holm of $pValues", ({ pValues, corrected }) => {
  holmCorrection(pValues).forEach((value, at) => {
    expect(value).toBeCloseTo(corrected[at], 12);
  });
});

test("Holm refuses what is no probability", () => {
  expect(() => holmCorrection([0.1, Number.NaN])).toThrow(RangeError);
  expect(() => holmCorrection([1.1])).toThrow(RangeError);
});

test("Bland–Altman of differences 0 and 2", () => {
  const { pairs, bias, sd, limits } = blandAltman([5, 9], [5, 7]);
  expect({ pairs, bias }).toEqual({ pairs: 2, bias: 1 });
  expect(sd).toBeCloseTo(Math.SQRT2, 12);
  expect(limits.low).toBeCloseTo(1 - 1.96 * Math.SQRT2, 12);
  expect(limits.high).toBeCloseTo(1 + 1.96 * Math.SQRT2, 12);
});

test("one pair has no limits of agreement, nor have unequal lists", () => {
  expect(() => blandAltman([1], [1])).toThrow(RangeError);
  expect(() => blandAltman([1, 2], [1, 2, 3])).toThrow(RangeError);
});

describe("bootstrap by patient", () => {
  test("a patient's values stay together", () => {
    const patients = [[0, 0, 0], [1]];
    const sizes = new Set<number>();
    const draws = [0, 0, 0, 1, 1, 0, 1, 1];
    const means = clusteredBootstrap(
      patients,
      (values) => {
        sizes.add(values.length);
        return meanOf(values);
      },
      () => draws.shift() ?? 0,
      4,
    );
    expect([...sizes].sort()).toEqual([2, 4, 6]);
    // The means are 0, 1/4, 1/4 and 1; quantiles at 0.075 and 2.925 of the places 0 … 3.
    expect(means?.low).toBeCloseTo(0.075 / 4, 12);
    expect(means?.high).toBeCloseTo(0.25 + 0.925 * 0.75, 12);
  });

  test("no value, no interval", () => {
    expect(clusteredBootstrap([], meanOf, () => 0)).toBeNull();
    expect(
      clusteredBootstrap(
        [[]],
        () => null,
        () => 0,
      ),
    ).toBeNull();
  });

  test("a resample without a value is left out", () => {
    const draws = [0, 0, 1, 1];
    const figure = (values: readonly number[]) => (values.length === 0 ? null : meanOf(values));
    expect(clusteredBootstrap([[], [7]], figure, () => draws.shift() ?? 0, 2)).toEqual({ low: 7, high: 7 });
  });
});

test.each([
  { values: [], mean: null, sd: null, median: null },
  { values: [null, null], mean: null, sd: null, median: null },
  { values: [4, null], mean: 4, sd: null, median: 4 },
  { values: [3, 1, 2, null], mean: 2, sd: 1, median: 2 },
])("summary of $values leaves out what does not exist, and counts it", ({ values, mean, sd, median }) => {
  const nulls = values.filter((value) => value === null).length;
  expect(summarise(values)).toMatchObject({ count: values.length - nulls, nulls, mean, sd, median });
});
