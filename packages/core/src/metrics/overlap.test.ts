import { expect, test } from "vitest";
import { countOverlap, dice, intersectionOverUnion } from "./overlap.js";

test.each([
  { name: "equal", truth: "0110", prediction: "0110", dsc: 1, iou: 1 },
  { name: "half of each", truth: "1100", prediction: "0110", dsc: 1 / 2, iou: 1 / 3 },
  { name: "one within two", truth: "0110", prediction: "0100", dsc: 2 / 3, iou: 1 / 2 },
  { name: "disjoint", truth: "1000", prediction: "0001", dsc: 0, iou: 0 },
  { name: "no truth", truth: "0000", prediction: "0001", dsc: 0, iou: 0 },
  { name: "no prediction", truth: "0001", prediction: "0000", dsc: 0, iou: 0 },
  { name: "both empty", truth: "0000", prediction: "0000", dsc: 1, iou: 1 },
  { name: "any nonzero value is foreground", truth: "0270", prediction: "0110", dsc: 1, iou: 1 },
])("$name", ({ truth, prediction, dsc, iou }) => {
  const counts = countOverlap(Uint8Array.from(truth, Number), Uint8Array.from(prediction, Number));
  expect(dice(counts)).toBeCloseTo(dsc, 15);
  expect(intersectionOverUnion(counts)).toBeCloseTo(iou, 15);
});

test("masks of different lengths are refused", () => {
  expect(() => countOverlap(new Uint8Array(3), new Uint8Array(4))).toThrow(RangeError);
});
