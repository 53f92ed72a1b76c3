import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { Volume } from "../volume/volume.js";
import { evaluateCase } from "./case.js";
import { surfaceConventions } from "./surface.js";

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
  // Surface distances are 2 and 0 mm from the truth, 0, 2 and 4 mm from the prediction.
  expect(evaluateCase(volumeOf(1, 2), volumeOf(2, 3, 4))).toEqual({
    dsc: 2 / 5,
    iou: 1 / 4,
    asdMm: (2 + 0 + 0 + 2 + 4) / 5,
    asdTruthToPredictionMm: (2 + 0) / 2,
    asdPredictionToTruthMm: (0 + 2 + 4) / 3,
    hd95Mm: 2 + 0.9 * 2,
    hdMm: 4,
    nsd1mm: 2 / 5,
    nsd2mm: 4 / 5,
    volumeTruthMl: 2,
    volumePredictionMl: 3,
    volumeDifferenceMl: 1,
  });
});

test.each([
  { name: "a missed scan", truth: volumeOf(1), prediction: volumeOf(), dsc: 0, nsd: 0 },
  { name: "a false alarm", truth: volumeOf(), prediction: volumeOf(1), dsc: 0, nsd: 0 },
  { name: "nothing, and nothing found", truth: volumeOf(), prediction: volumeOf(), dsc: 1, nsd: null },
])("$name has a Dice and no distance", ({ truth, prediction, dsc, nsd }) => {
  for (const convention of surfaceConventions)
    expect(evaluateCase(truth, prediction, convention)).toMatchObject({
      dsc,
      iou: dsc,
      asdMm: null,
      asdTruthToPredictionMm: null,
      asdPredictionToTruthMm: null,
      hd95Mm: null,
      hdMm: null,
      nsd1mm: nsd,
      nsd2mm: nsd,
    });
});

describe("volumes of different geometry are refused in words", () => {
  const truth = volumeOf(1);
  test.each([
    ["size", { ...truth, data: new Uint8Array(7), size: [7, 1, 1] as const }, /7×1×1.*8×1×1/],
    ["spacing", { ...truth, spacingMm: [2.5, 10, 50] as const }, /2\.5×10×50 mm.*2×10×50 mm/],
    ["origin", { ...truth, originMm: [0, 3, 0] as const }, /\(0, 3, 0\) mm.*\(0, 0, 0\) mm/],
    ["direction", { ...truth, direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1] as const }, /resample/],
  ])("%s", (_, prediction, message) => {
    expect(() => evaluateCase(truth, prediction)).toThrow(InputError);
    expect(() => evaluateCase(truth, prediction)).toThrow(message);
  });
});
