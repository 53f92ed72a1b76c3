// The comparison's table from figures that a person can check: pairs, corrected p, the front.
import { describe, expect, test } from "vitest";
import { forEachMetric } from "../evaluation/metric-names.js";
import { comparisonText } from "./compared-report.js";
import { type ComparedResult, comparisonRows, comparisonTable, frontOf } from "./compared-result.js";
import type { ExperimentResult } from "./report.js";
import { type CaseScore, frocThresholds } from "./scoring.js";
import { type ScoredSet, summaryRows } from "./tables.js";

const patients = ["a", "b", "c", "d", "e", "f"];

/** A scan of one node that has the DSC at both protocols; without one, the prediction is empty and has no distance. */
function scoreOf(id: string, dsc: number | null): CaseScore {
  const metrics = forEachMetric((name) => (name === "dsc" ? (dsc ?? 0) : dsc === null ? null : 2));
  const counts = { trueNodes: 1, predictedNodes: 1, hits: 1 };
  return {
    ...{ case: id, weights: "w", data: "d" },
    true_nodes: [{ node: 1, volume_ml: 1, short_axis_mm: 8 }],
    node_level: [{ node: 1, metrics, short_axis_error_mm: 0 }],
    whole_volume: { metrics, counts, nodes: [], froc: frocThresholds.map(() => counts) },
  };
}

/** A network with a DSC for each patient. */
function network(name: string, dsc: readonly (number | null)[], multiplyAdds: number): ComparedResult {
  const sets: ScoredSet[] = [
    { set: "cross-validation", model: "all folds", scores: patients.map((id, n) => scoreOf(id, dsc[n])) },
  ];
  const patientOf = (id: string) => id;
  const result = { sets, patientOf, summary: summaryRows(sets, patientOf, 1) };
  return {
    ...{ name, label: name.toUpperCase() },
    experiment: result as unknown as ExperimentResult,
    costs: {
      ...{ parameters: 2e6, multiplyAdds, multiplyAddsThop: 2 * multiplyAdds },
      ...{ trainingSteps: 10, trainingSeconds: 90, patchSeconds: 0.5 },
    },
  };
}

// Better by 0.01, 0.02, … in all six patients; worse in the first and better by more in the others; empty in one.
const reference = network("lnsnet", [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 4e9);
const better = network("better", [0.51, 0.52, 0.53, 0.54, 0.55, 0.56], 9e9);
const mixed = network("mixed", [0.49, 0.52, 0.53, 0.54, 0.55, 0.56], 9e9);
const empty = network("empty", [0.4, 0.4, 0.4, 0.4, 0.4, null], 2e9);
const compared = [reference, better, mixed, empty];
const rows = comparisonRows({ compared, reference, missing: [], hasFailed: false });
const figuresOf = (name: string) => rows.find((row) => row.compared.name === name)?.figures.whole_volume;

test("mean and SD are those of the scans, and empty predictions are counted where a distance is lacking", () => {
  expect(figuresOf("better")).toMatchObject({ n: 6, withoutDistance: 0 });
  expect(figuresOf("better")?.mean.dsc).toBeCloseTo(0.535, 12);
  // Of 1 … 6 hundredths: the square root of 17.5 / 5.
  expect(figuresOf("better")?.sd.dsc).toBeCloseTo(0.01 * Math.sqrt(3.5), 12);
  expect(figuresOf("empty")).toMatchObject({ n: 6, withoutDistance: 1, mean: { hd95_mm: 2 } });
  expect(figuresOf("empty")?.mean.dsc).toBeCloseTo(2 / 6, 12);
});

describe("significance", () => {
  test("six patients of one sign have p = 2/2^6, one of the least rank against them 4/2^6; Holm over all", () => {
    // Ranks 1 … 6: sums 0 and 1 (the sets {} and {1}), so 1 and 2 of 64 choices on each side.
    expect(figuresOf("better")?.test).toMatchObject({ patients: 6, pValue: 2 / 64 });
    expect(figuresOf("mixed")?.test).toMatchObject({ pValue: 4 / 64 });
    // Five equal differences of 0.1 and one of 0.5 have ties, so the normal approximation: z = 10.5 / √(22.75 − 2.5).
    const pValue = figuresOf("empty")?.test?.pValue ?? Number.NaN;
    expect(pValue).toBeCloseTo(0.01963, 5);
    // The smallest is multiplied by 3, the next by 2, the last by 1.
    expect(figuresOf("empty")?.test?.correctedPValue).toBeCloseTo(3 * pValue, 12);
    expect(figuresOf("better")?.test?.correctedPValue).toBeCloseTo(4 / 64, 12);
    expect(figuresOf("mixed")?.test?.correctedPValue).toBeCloseTo(4 / 64, 12);
  });

  test("the difference is the network's DSC less the reference's, which has none", () => {
    expect(figuresOf("better")?.test?.medianDifference).toBeCloseTo(0.035, 12);
    expect(figuresOf("empty")?.test?.medianDifference).toBeCloseTo(-0.1, 12);
    expect(figuresOf("lnsnet")?.test).toBeNull();
  });

  test("there is none without the reference", () => {
    const [first] = comparisonRows({
      compared: [better, mixed],
      reference: null,
      missing: [],
      hasFailed: false,
    });
    expect(first.figures.node_level?.test).toBeNull();
  });
});

test("the front has those that no other beats in DSC and multiply-adds", () => {
  expect(compared.map(({ name }) => figuresOf(name)?.isOnFront)).toEqual([true, true, false, true]);
  expect(
    frontOf([
      { cost: 1, accuracy: 0.5 },
      { cost: 1, accuracy: 0.5 },
      { cost: 2, accuracy: 0.5 },
      { cost: 0.5, accuracy: null },
      { cost: 0.1, accuracy: 0 },
      { cost: 3, accuracy: 0.6 },
    ]),
  ).toEqual([true, true, false, false, false, true]);
});

test("the table has a row a network, with columns of its own for each protocol", () => {
  const table = comparisonTable(rows);
  expect(table.rows.map((row) => row.network)).toEqual(["lnsnet", "better", "mixed", "empty"]);
  expect(table.rows[1]).toMatchObject({
    ...{ set: "cross-validation", parameters: 2e6, multiply_adds: 9e9, multiply_adds_thop: 18e9 },
    ...{ training_seconds: 90, patch_seconds: 0.5, node_level_n: 6, whole_volume_p: 2 / 64 },
    ...{ node_level_on_front: 1, node_level_hd95_mm_mean: 2 },
  });
  const prefixes = table.columns.slice(10).map(({ key }) => /^(node_level|whole_volume)_/.exec(key)?.[1]);
  expect(new Set(prefixes)).toEqual(new Set(["node_level", "whole_volume"]));
});

test("the terminal's tables name the data, and sign differences", () => {
  const setting = { dataLabel: "phantoms" } as Parameters<typeof comparisonText>[0];
  const text = comparisonText(setting, { compared, reference, missing: [], hasFailed: false });
  expect(text).toContain("phantoms: Node level, cross-validation, all folds\n");
  expect(text).toMatch(/\nBETTER +0\.535\u00a0±\u00a00\.019 .* \+0\.035 +0\.031 +0\.063 +yes\n/);
  expect(text).toMatch(/\nEMPTY .* −0\.100 /);
});
