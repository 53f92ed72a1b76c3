import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { Volume } from "../volume/volume.js";
import { type CaseMetrics, evaluateCase, meanOf } from "./case.js";

function volumeOf(...foreground: number[]): Volume<Uint8Array> {
  const data = new Uint8Array(8);
  for (const at of foreground) data[at] = 1;
  return {
    data,
    size: [8, 1, 1],
    spacingMm: [2, 10, 50],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
}

test("every metric of one case", () => {
  expect(evaluateCase(volumeOf(1, 2), volumeOf(2, 3, 4))).toEqual({
    dsc: 2 / 5,
    iou: 1 / 4,
    hd95Mm: 2 + 0.9 * 2,
    hdMm: 4,
    asdMm: (2 + 0 + 0 + 2 + 4) / 5,
    volumeTruthMl: 2,
    volumePredictionMl: 3,
  });
});

test.each([
  { name: "a missed scan", truth: volumeOf(1), prediction: volumeOf(), dsc: 0 },
  { name: "a false alarm", truth: volumeOf(), prediction: volumeOf(1), dsc: 0 },
  { name: "nothing, and nothing found", truth: volumeOf(), prediction: volumeOf(), dsc: 1 },
])("$name has a Dice and no distance", ({ truth, prediction, dsc }) => {
  expect(evaluateCase(truth, prediction)).toMatchObject({
    dsc,
    iou: dsc,
    hd95Mm: null,
    hdMm: null,
    asdMm: null,
  });
});

describe("volumes of different geometry are refused in words", () => {
  const truth = volumeOf(1);
  test.each([
    ["size", { ...truth, data: new Uint8Array(7), size: [7, 1, 1] as const }, /7 × 1 × 1.*8 × 1 × 1/],
    ["spacing", { ...truth, spacingMm: [2.5, 10, 50] as const }, /2\.5 × 10 × 50 mm.*2 × 10 × 50 mm/],
    ["origin", { ...truth, originMm: [0, 3, 0] as const }, /\(0, 3, 0\) mm.*\(0, 0, 0\) mm/],
    ["direction", { ...truth, direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] as const }, /resample/],
  ])("%s", (_, prediction, message) => {
    expect(() => evaluateCase(truth, prediction)).toThrow(InputError);
    expect(() => evaluateCase(truth, prediction)).toThrow(message);
  });
});

test("a mean leaves out what does not exist, and counts it", () => {
  const found: CaseMetrics = evaluateCase(volumeOf(1), volumeOf(3));
  const half: CaseMetrics = evaluateCase(volumeOf(1), volumeOf(1, 2));
  const missed: CaseMetrics = evaluateCase(volumeOf(1), volumeOf());
  const { cases, mean, nulls } = meanOf([found, half, missed]);
  expect(cases).toBe(3);
  expect(mean.dsc).toBeCloseTo((0 + 2 / 3 + 0) / 3, 15);
  expect(mean.hdMm).toBe((4 + 2) / 2);
  expect(mean.volumePredictionMl).toBe(1);
  expect(nulls).toEqual({
    dsc: 0,
    iou: 0,
    hd95Mm: 1,
    hdMm: 1,
    asdMm: 1,
    volumeTruthMl: 0,
    volumePredictionMl: 0,
  });
});

test("no case has no mean", () => {
  expect(meanOf([]).mean.dsc).toBeNull();
  expect(meanOf([]).mean.hd95Mm).toBeNull();
});
