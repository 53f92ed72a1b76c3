import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { countsOf, detectionFigures, detectNodes, sensitivityBySize } from "./detection.js";
import { probabilityRowOf, rowOf } from "./row.test-helper.js";

describe("the nodes of a scan", () => {
  // A node of 4 voxels found but for one; one of 2 that a longer body only touches; one of 1 not seen.
  const truth = rowOf("..1111...11......1.");
  const detection = detectNodes(truth, rowOf("...111....222222..."));

  test("each true node has a row", () => {
    expect(detection.truth.map(({ id, hit, predictionId }) => ({ id, hit, predictionId }))).toEqual([
      { id: 1, hit: true, predictionId: 2 },
      { id: 2, hit: false, predictionId: null },
      { id: 3, hit: false, predictionId: null },
    ]);
  });

  test("a hit is measured against its prediction, a miss against nothing", () => {
    expect(detection.truth[0]).toMatchObject({ dsc: 6 / 7, iou: 3 / 4, hdMm: 2, volumeTruthMl: 0.008 });
    expect(detection.truth[0].shortAxisErrorMm).toBeCloseTo(0, 12);
    expect(detection.truth[0].centroidLpsMm).toEqual([7, 0, 0]);
    expect(detection.truth[1]).toMatchObject({ dsc: 0, hdMm: null, nsd1mm: 0, shortAxisErrorMm: null });
  });

  test("each predicted node has a row, false positives without a true node", () => {
    expect(detection.prediction.map(({ id, truthId, score }) => ({ id, truthId, score }))).toEqual([
      { id: 1, truthId: null, score: null },
      { id: 2, truthId: 1, score: null },
    ]);
  });

  test("counts", () => {
    expect(countsOf(detection)).toEqual({ trueNodes: 3, predictedNodes: 2, hits: 1 });
  });
});

test.each([
  ["1122", { components: 2, labels: 2 }],
  ["11.1", { components: 2, labels: 1 }],
  ["1121", { components: 3, labels: 2 }],
])("%s: components are of one value each, and by labels each value is one node", (row, nodes) => {
  const labels = rowOf(row);
  for (const split of ["components", "labels"] as const) {
    const counts = countsOf(detectNodes(labels, labels, { truthSplit: split, predictionSplit: split }));
    expect(counts).toMatchObject({ trueNodes: nodes[split], hits: nodes[split] });
  }
});

test("the short-axis error is the prediction's less the truth's", () => {
  const grid = { ...rowOf("........."), size: [3, 3, 1] as const, spacingMm: [1, 1, 1] as const };
  const truth = { ...grid, data: Uint8Array.from("010010010", Number) };
  const wider = { ...grid, data: Uint8Array.from("110110110", Number) };
  expect(detectNodes(truth, wider).truth[0].shortAxisErrorMm).toBeGreaterThan(0);
  expect(detectNodes(wider, truth).truth[0].shortAxisErrorMm).toBeLessThan(0);
});

test("a node's score is its greatest probability", () => {
  const mask = rowOf("11.1");
  const { prediction } = detectNodes(mask, mask, { probability: probabilityRowOf("5896") });
  expect(prediction.map(({ score }) => score)).toEqual([Math.fround(0.8), Math.fround(0.6)]);
});

test("an empty scan has no nodes", () => {
  const nothing = rowOf("....");
  expect(detectNodes(nothing, nothing)).toEqual({ truth: [], prediction: [], overlaps: [] });
  expect(countsOf(detectNodes(nothing, rowOf("1.1.")))).toEqual({ trueNodes: 0, predictedNodes: 2, hits: 0 });
  expect(countsOf(detectNodes(rowOf("1.1."), nothing))).toEqual({ trueNodes: 2, predictedNodes: 0, hits: 0 });
});

test("another grid is refused", () => {
  expect(() => detectNodes(rowOf("11"), rowOf("111"))).toThrow(InputError);
  expect(() => detectNodes(rowOf("11"), rowOf("11"), { probability: probabilityRowOf("111") })).toThrow(
    InputError,
  );
});

describe("figures over scans", () => {
  test("sum the counts first", () => {
    const scans = [
      { trueNodes: 6, predictedNodes: 4, hits: 3 },
      { trueNodes: 2, predictedNodes: 1, hits: 1 },
      { trueNodes: 0, predictedNodes: 3, hits: 0 },
    ];
    expect(detectionFigures(scans)).toEqual({
      volumes: 3,
      trueNodes: 8,
      predictedNodes: 8,
      hits: 4,
      falsePositives: 4,
      sensitivity: 4 / 8,
      positivePredictiveValue: 4 / 8,
      falsePositivesPerVolume: 4 / 3,
      f1Aggregated: 8 / 16,
    });
  });

  test("what would divide by nothing is null", () => {
    expect(detectionFigures([])).toMatchObject({
      sensitivity: null,
      falsePositivesPerVolume: null,
      f1Aggregated: null,
    });
    const onlyFalse = detectionFigures([{ trueNodes: 0, predictedNodes: 2, hits: 0 }]);
    expect(onlyFalse).toMatchObject({
      sensitivity: null,
      positivePredictiveValue: 0,
      falsePositivesPerVolume: 2,
    });
  });
});

test("a stratum holds its lower bound", () => {
  const nodes = [4.9, 5, 9.9, 10, 14, 15, 40].map((shortAxisMm) => ({ shortAxisMm, hit: shortAxisMm > 5 }));
  expect(sensitivityBySize(nodes)).toEqual([
    { fromMm: 0, toMm: 5, trueNodes: 1, hits: 0, sensitivity: 0 },
    { fromMm: 5, toMm: 10, trueNodes: 2, hits: 1, sensitivity: 1 / 2 },
    { fromMm: 10, toMm: 15, trueNodes: 2, hits: 2, sensitivity: 1 },
    { fromMm: 15, toMm: null, trueNodes: 2, hits: 2, sensitivity: 1 },
  ]);
  expect(sensitivityBySize([])[0].sensitivity).toBeNull();
});
