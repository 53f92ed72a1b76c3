// Tables of an experiment from figures that a person can add up.
import { csvTable } from "@lnsnet/core/reports";
import { expect, test } from "vitest";
import { forEachMetric } from "../evaluation/metric-names.js";
import { ensembleComparisons } from "./paired-tests.js";
import { type CaseScore, frocThresholds } from "./scoring.js";
import { caseTable, nodeTable, type ScoredSet, summaryRows, warningsOf } from "./tables.js";

interface Node {
  readonly dsc: number;
  readonly hit: boolean;
  readonly shortAxisMm: number;
}

/** A scan whose node-level and whole-volume DSC of each node differ by 0.1, so that a mixed column would show. */
function scoreOf(id: string, scanDsc: number, nodes: readonly Node[], predictedNodes: number): CaseScore {
  const metricsOf = (dsc: number) =>
    forEachMetric((name) => (name === "dsc" ? dsc : name === "hd95_mm" && dsc === 0 ? null : 1));
  const counts = { trueNodes: nodes.length, predictedNodes, hits: nodes.filter(({ hit }) => hit).length };
  return {
    case: id,
    weights: "w",
    data: "d",
    true_nodes: nodes.map(({ shortAxisMm }, n) => ({
      node: n + 1,
      volume_ml: 1,
      short_axis_mm: shortAxisMm,
    })),
    node_level: nodes.map(({ dsc }, n) => ({
      node: n + 1,
      metrics: metricsOf(dsc + 0.1),
      short_axis_error_mm: 0.5,
    })),
    whole_volume: {
      metrics: metricsOf(scanDsc),
      counts,
      nodes: nodes.map(({ dsc, hit }, n) => ({
        node: n + 1,
        hit,
        metrics: metricsOf(dsc),
        short_axis_error_mm: hit ? -1 : null,
      })),
      froc: frocThresholds.map(() => counts),
    },
  };
}

const scores = [
  scoreOf("a_scan1", 0.5, [{ dsc: 0.6, hit: true, shortAxisMm: 12 }], 3),
  scoreOf("a_scan2", 0.7, [{ dsc: 0, hit: false, shortAxisMm: 4 }], 1),
  scoreOf(
    "b",
    0,
    [
      { dsc: 0.8, hit: true, shortAxisMm: 5 },
      { dsc: 0.4, hit: true, shortAxisMm: 9 },
    ],
    2,
  ),
];
const patientOf = (id: string) => id[0];
const sets: ScoredSet[] = [{ set: "cross-validation", model: "all folds", scores }];
const summaryOf = (measure: string, of: readonly ScoredSet[] = sets) =>
  summaryRows(of, patientOf, 1).find((row) => row.measure === measure);

test("means are of nodes at node level and of scans over the whole volume", () => {
  const row = summaryOf("dsc");
  expect(row?.node_level).toMatchObject({ n: 4, without_value: 0 });
  expect(row?.node_level?.mean).toBeCloseTo((0.7 + 0.1 + 0.9 + 0.5) / 4, 12);
  expect(row?.whole_volume).toMatchObject({ n: 3, median: 0.5, lower_quartile: 0.25, upper_quartile: 0.6 });
  expect(row?.whole_volume?.mean).toBeCloseTo(0.4, 12);
});

test("a value that does not exist is left out, and counted", () => {
  expect(summaryOf("hd95_mm")?.whole_volume).toMatchObject({ n: 2, without_value: 1, mean: 1 });
  expect(summaryOf("short_axis_error_mm")?.whole_volume).toMatchObject({ n: 3, without_value: 1, mean: -1 });
});

test("detection is of all scans together, and by size of the true node", () => {
  const figure = (measure: string) => summaryOf(measure)?.whole_volume;
  expect(figure("sensitivity")).toMatchObject({ mean: 3 / 4, n: 4 });
  expect(figure("positive_predictive_value")).toMatchObject({ mean: 3 / 6, n: 6 });
  expect(figure("false_positives_per_volume")).toMatchObject({ mean: 3 / 3, n: 3 });
  expect(figure("f1_aggregated")?.mean).toBeCloseTo(6 / 10, 12);
  expect(figure("sensitivity_below_5mm")).toMatchObject({ mean: 0, n: 1 });
  expect(figure("sensitivity_5_to_10mm")).toMatchObject({ mean: 1, n: 2 });
  expect(figure("sensitivity_10_to_15mm")).toMatchObject({ mean: 1, n: 1 });
  expect(figure("sensitivity_from_15mm")).toMatchObject({ mean: null, n: 0 });
  expect(summaryOf("sensitivity")?.node_level).toBeNull();
});

test("the interval draws patients: of two, it reaches from the one's mean to the other's", () => {
  const { interval_low, interval_high } = summaryOf("dsc")?.whole_volume ?? {};
  expect(interval_low).toBe(0);
  expect(interval_high).toBeCloseTo(0.6, 12);
  const alone: ScoredSet[] = [{ ...sets[0], scores: scores.slice(0, 2) }];
  expect(summaryOf("dsc", alone)?.whole_volume).toMatchObject({ interval_low: null, interval_high: null });
});

test("a row a case and a row a node, with columns of its own for each protocol", () => {
  const cases = caseTable(sets, patientOf);
  expect(
    cases.rows.map((row) => `${row.case} ${row.patient} ${row.whole_volume_dsc} ${row.whole_volume_hits}`),
  ).toEqual(["a_scan1 a 0.5 1", "a_scan2 a 0.7 0", "b b 0 2"]);
  const nodes = nodeTable(sets, patientOf);
  const [, , second] = csvTable(nodes.columns, nodes.rows).split("\n");
  expect(second).toMatch(/^cross-validation,all folds,a_scan2,a,1,1,4,0\.1,/);
  expect(nodes.rows.map((row) => [row.node_level_dsc, row.whole_volume_dsc])).toEqual([
    [0.7, 0.6],
    [0.1, 0],
    [0.9, 0.8],
    [0.5, 0.4],
  ]);
});

test("the ensemble is compared by patients: six better ones in a row have p = 2/2^6", () => {
  const scans = (model: string, gain: number): ScoredSet => ({
    set: "test",
    model,
    scores: ["a", "b", "c", "d", "e", "f"].map((id, n) => scoreOf(id, 0.5 + gain * (n + 1), [], 0)),
  });
  const of = [scans("fold_0", 0), scans("fold_1", 0.01), scans("ensemble", 0.02)];
  const [first, second] = ensembleComparisons(of, "whole_volume", patientOf);
  expect(first).toMatchObject({ model: "fold_0", patients: 6, pValue: 2 / 64, correctedPValue: 4 / 64 });
  expect(first.medianDifference).toBeCloseTo(0.07, 12);
  expect(second).toMatchObject({ model: "fold_1", pValue: 2 / 64 });
  expect(ensembleComparisons(sets, "whole_volume", patientOf)).toEqual([]);
});

test("a model that predicts nothing anywhere is told of, and no other", () => {
  const empty = (score: CaseScore): CaseScore => ({
    ...score,
    node_level: (score.node_level ?? []).map((node) => ({
      ...node,
      metrics: { ...node.metrics, volume_prediction_ml: 0 },
    })),
    whole_volume: score.whole_volume && {
      ...score.whole_volume,
      counts: { ...score.whole_volume.counts, predictedNodes: 0 },
    },
  });
  const nothing = scores.map(empty);
  const set = "cross-validation" as const;
  expect(
    warningsOf([
      { set, model: "fold_0", scores: nothing },
      { set, model: "fold_1", scores: [...nothing.slice(1), scores[0]] },
      {
        set,
        model: "fold_2",
        scores: nothing.map((score, n) => ({ ...score, node_level: scores[n].node_level })),
      },
      { set: "test", model: "ensemble", scores: nothing.map((score) => ({ ...score, node_level: null })) },
    ]),
  ).toEqual([
    expect.stringMatching(
      /^The network of fold 0 predicts no foreground in any of the 3 scans of its own cases/,
    ),
    expect.stringMatching(
      /^The network of ensemble predicts no foreground in any of the 3 scans of the test set/,
    ),
  ]);
});
