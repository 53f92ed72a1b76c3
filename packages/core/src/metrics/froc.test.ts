import { describe, expect, test } from "vitest";
import type { Volume } from "../volume/volume.js";
import { removeSmallComponents } from "../voxels/components.js";
import { detectNodes } from "./detection.js";
import { countsAtScores, countsAtThresholds, frocCurve } from "./froc.js";
import { probabilityRowOf, rowOf } from "./row.test-helper.js";

describe("counts at thresholds of the probability", () => {
  const truth = rowOf("111..11......");
  const probability = probabilityRowOf("5982.32...4.4");
  test.each([
    { threshold: 0.85, predictedNodes: 1, hits: 1, what: "one voxel of three: IoU 1/3" },
    { threshold: 0.75, predictedNodes: 1, hits: 1, what: "two voxels of three" },
    { threshold: 0.35, predictedNodes: 3, hits: 1, what: "and two false positives" },
    { threshold: 0.25, predictedNodes: 4, hits: 2, what: "and one voxel of the second node" },
    { threshold: 0.15, predictedNodes: 4, hits: 2, what: "all of it" },
    { threshold: 0.95, predictedNodes: 0, hits: 0, what: "nothing" },
  ])("$threshold: $what", ({ threshold, predictedNodes, hits }) => {
    expect(countsAtThresholds(truth, probability, [threshold])).toEqual([
      { trueNodes: 2, predictedNodes, hits },
    ]);
    expect(countsAtThresholds(truth, probability, [0.85, threshold, 0.15])[1].hits).toBe(hits);
  });

  test("nodes are counted after the clean-up, such as one that leaves single voxels out", () => {
    const clean = (mask: Volume<Uint8Array>) => ({
      ...mask,
      data: removeSmallComponents(mask.data, mask.size, 2, 26),
    });
    expect(countsAtThresholds(truth, probability, [0.35], { clean })).toEqual([
      { trueNodes: 2, predictedNodes: 1, hits: 1 },
    ]);
  });

  test("a threshold of 0 would take in the whole scan", () => {
    expect(() => countsAtThresholds(truth, probability, [0])).toThrow(RangeError);
  });

  test("an empty scan counts", () => {
    expect(countsAtThresholds(rowOf("..."), probabilityRowOf("..."), [0.5, 0.2])).toEqual([
      { trueNodes: 0, predictedNodes: 0, hits: 0 },
      { trueNodes: 0, predictedNodes: 0, hits: 0 },
    ]);
  });
});

describe("counts at scores of nodes", () => {
  // The better half of the node goes first, and the other takes its place.
  const options = { predictionSplit: "labels", probability: probabilityRowOf("55588.4") } as const;
  const detection = detectNodes(rowOf("11111.."), rowOf("11122.3"), options);
  test.each([
    { threshold: 0.3, predictedNodes: 3, hits: 1 },
    { threshold: 0.45, predictedNodes: 2, hits: 1 },
    { threshold: 0.6, predictedNodes: 1, hits: 1 },
    { threshold: 0.9, predictedNodes: 0, hits: 0 },
  ])("$threshold", ({ threshold, predictedNodes, hits }) => {
    expect(countsAtScores(detection, [threshold])).toEqual([{ trueNodes: 1, predictedNodes, hits }]);
  });

  test("nodes without scores are refused", () => {
    expect(() => countsAtScores(detectNodes(rowOf("1"), rowOf("1")), [0.5])).toThrow(RangeError);
  });
});

test("a point sums the scans at its threshold", () => {
  const strict = { trueNodes: 4, predictedNodes: 1, hits: 1 };
  const loose = { trueNodes: 4, predictedNodes: 6, hits: 3 };
  const healthy = { trueNodes: 0, predictedNodes: 2, hits: 0 };
  expect(
    frocCurve(
      [0.9, 0.1],
      [
        [strict, loose],
        [{ ...healthy, predictedNodes: 0 }, healthy],
      ],
    ),
  ).toEqual([
    { threshold: 0.9, sensitivity: 1 / 4, falsePositivesPerVolume: 0 },
    { threshold: 0.1, sensitivity: 3 / 4, falsePositivesPerVolume: 5 / 2 },
  ]);
  expect(frocCurve([0.5], [])).toEqual([
    { threshold: 0.5, sensitivity: null, falsePositivesPerVolume: null },
  ]);
});
