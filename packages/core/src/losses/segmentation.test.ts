// Losses by hand, and their gradients against finite differences. Values of PyTorch: graph/reference-cases.test.ts.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../graph/evaluate.js";
import type { Value } from "../graph/graph.js";
import { type Differentiable, expectGradients, expectSameOnOnnxRuntime } from "../graph/graph.test-helper.js";
import { multiply, subtract } from "../graph/operations/elementwise.js";
import { concat } from "../graph/operations/layout.js";
import { constant } from "../graph/operations/leaves.js";
import * as losses from "./segmentation.js";

type Loss = (logits: Value, label: Value) => Value;

const numberOf = (loss: Value): number => {
  expect(loss.shape).toEqual([]);
  return evaluate([loss], new Map())[0].data[0];
};
const voxels = (numbers: number[], shape = [1, 1, 1, 1, numbers.length]): Value => constant(shape, numbers);
const log3 = Math.log(3);

describe("by hand", () => {
  // The sigmoid of ln 3 is 3/4, of −ln 3 1/4, of 0 1/2.
  test.each<[string, Loss, number]>([
    // 2·3/4 / (3/4 + 1/4 + 1) = 3/4
    ["soft Dice", (logits, label) => losses.softDiceLoss(logits, label, { smooth: 0 }), 1 / 4],
    [
      "soft Dice, smoothed by 2",
      (logits, label) => losses.softDiceLoss(logits, label, { smooth: 2 }),
      1 - 3.5 / 4,
    ],
    ["binary cross-entropy", losses.binaryCrossEntropyLoss, Math.log(4 / 3)],
    [
      "their sum",
      (logits, label) => losses.diceCrossEntropyLoss(logits, label, { smooth: 0 }),
      1 / 4 + Math.log(4 / 3),
    ],
    ["focal", losses.focalLoss, Math.log(4 / 3) / 16],
    [
      "focal, foreground weighing 1/4",
      (logits, label) => losses.focalLoss(logits, label, { alpha: 0.25 }),
      Math.log(4 / 3) / 16 / 2,
    ],
  ])("%s", (_, loss, expected) => {
    expect(numberOf(loss(voxels([log3, -log3]), voxels([1, 0])))).toBeCloseTo(expected, 6);
  });

  test("batch Dice sums over samples, sample Dice takes the mean of theirs", () => {
    const logits = voxels([log3, 0], [2, 1, 1, 1, 1]);
    const label = voxels([1, 0], [2, 1, 1, 1, 1]);
    const loss = (batch: boolean) => numberOf(losses.softDiceLoss(logits, label, { batch, smooth: 0 }));
    expect(loss(true)).toBeCloseTo(1 - 1.5 / 2.25, 6);
    expect(loss(false)).toBeCloseTo(1 - (1.5 / 1.75 + 0) / 2, 6);
  });

  test("categorical cross-entropy of equal logits is ln of the number of classes", () => {
    const logits = voxels([5, 5, 5, 5, 5, 5], [1, 3, 1, 1, 2]);
    const label = voxels([1, 0, 0, 1, 0, 0], [1, 3, 1, 1, 2]);
    expect(numberOf(losses.categoricalCrossEntropyLoss(logits, label))).toBeCloseTo(log3, 6);
  });

  test("stations count where there is one: ln 2 of equal logits, nothing in a patch without", () => {
    const logits = voxels([5, 5, 5, 5, 5, 5], [1, 2, 1, 1, 3]);
    const label = voxels([1, 0, 0, 0, 1, 0], [1, 2, 1, 1, 3]);
    expect(numberOf(losses.stationCrossEntropyLoss(logits, label))).toBeCloseTo(Math.log(2), 6);
    expect(
      numberOf(losses.stationCrossEntropyLoss(logits, voxels([0, 0, 0, 0, 0, 0], [1, 2, 1, 1, 3]))),
    ).toBeCloseTo(0, 12);
  });

  describe("exclusive classes: two of them and the background, two voxels", () => {
    // Probabilities ½, ¼, ¼ and ¼, ½, ¼; channels one after another.
    const [half, quarter] = [Math.log(2), 0];
    const logits = [half, quarter, quarter, half, quarter, quarter];
    const loss = (label: number[], smooth = 0) =>
      numberOf(
        losses.exclusiveDiceCrossEntropyLoss(
          voxels(logits, [1, 3, 1, 1, 2]),
          voxels(label, [1, 3, 1, 1, 2]),
          { smooth },
        ),
      );

    test("Dice of the classes, cross-entropy of all channels", () => {
      // Voxel 1 is background, voxel 2 class 1. Dice of class 1: 2·½ / (¼ + ½ + 1); of class 2: 0.
      const dice = (1 / 1.75 + 0) / 2;
      expect(loss([1, 0, 0, 1, 0, 0])).toBeCloseTo(1 - dice + Math.log(2), 6);
    });

    test("a voxel that is ignored counts nowhere", () => {
      // Voxel 1 is ignored, voxel 2 class 1. Dice of class 1: 2·½ / (½ + 1); of class 2: 0.
      expect(loss([-1, 0, -1, 1, -1, 0])).toBeCloseTo(1 - 1 / 1.5 / 2 + Math.log(2), 6);
    });

    test("ignored voxels alone cost nothing", () => {
      expect(loss([-1, -1, -1, -1, -1, -1], 1e-5)).toBeCloseTo(0, 6);
    });
  });

  test("overlapping classes: Dice is the mean over classes, cross-entropy over all", () => {
    // Class 1 in voxel 1 alone, class 2 in both. Dice 2·¾ / (¾ + ¼ + 1) and 2·1 / (1 + 2).
    const logits = voxels([log3, -log3, 0, 0], [1, 2, 1, 1, 2]);
    const label = voxels([1, 0, 1, 1], [1, 2, 1, 1, 2]);
    const entropy = (2 * Math.log(4 / 3) + 2 * Math.log(2)) / 4;
    expect(numberOf(losses.diceCrossEntropyLoss(logits, label, { smooth: 0 }))).toBeCloseTo(
      1 - (3 / 4 + 2 / 3) / 2 + entropy,
      6,
    );
  });

  test.each([
    { outputs: 1, expected: 1 },
    { outputs: 2, expected: (1 + 2 / 2) / 1.5 },
    { outputs: 3, expected: (1 + 2 / 2 + 3 / 4) / 1.75 },
  ])(
    "deep supervision of $outputs outputs halves the weight of each further one",
    ({ outputs, expected }) => {
      const all = [1, 2, 3]
        .slice(0, outputs)
        .map((value) => ({ logits: constant([], [value]), label: constant([], [0]) }));
      expect(numberOf(losses.deepSupervisionLoss(all, (logits) => logits))).toBeCloseTo(expected, 6);
    },
  );

  test("where nothing is ignored, the masked loss is the loss", () => {
    const [logits, label] = [voxels([0.3, -2, 1]), voxels([1, 0, 1])];
    expect(numberOf(losses.maskedDiceCrossEntropyLoss(logits, label))).toBeCloseTo(
      numberOf(losses.diceCrossEntropyLoss(logits, label)),
      4,
    );
  });

  test("ignored voxels change nothing, and a patch of them alone costs nothing but its Dice", () => {
    const loss = (logits: number[], label: number[]) =>
      numberOf(losses.maskedDiceCrossEntropyLoss(voxels(logits), voxels(label)));
    expect(loss([0.3, -2, 9], [1, 0, -1])).toBeCloseTo(loss([0.3, -2], [1, 0]), 6);
    expect(loss([0.3, -2, 9], [1, 0, -1])).toBe(loss([0.3, -2, -7], [1, 0, -1]));
    expect(loss([5, -5], [-1, -1])).toBeCloseTo(0, 6);
  });

  test.each([-1e4, 1e4])("logits of %d do not overflow", (logit) => {
    for (const loss of [losses.binaryCrossEntropyLoss, losses.softDiceLoss, losses.focalLoss]) {
      expect(numberOf(loss(voxels([logit]), voxels([1])))).not.toBeNaN();
      expect(numberOf(loss(voxels([logit]), voxels([0])))).toBeLessThan(2e4);
    }
  });
});

const shapes = fc.tuple(...[2, 2, 3, 3, 3].map((max) => fc.integer({ min: 1, max })));
const ofLabels = (loss: Loss): fc.Arbitrary<Differentiable> =>
  shapes.map((shape) => ({ inputs: [{ shape }, { shape, kind: "binary" }], build: loss }));

const rows: Readonly<Record<string, fc.Arbitrary<Differentiable>>> = {
  softDiceLoss: fc
    .boolean()
    .chain((batch) => ofLabels((x, label) => losses.softDiceLoss(x, label, { batch, smooth: 0.1 }))),
  binaryCrossEntropyLoss: ofLabels(losses.binaryCrossEntropyLoss),
  diceCrossEntropyLoss: ofLabels((x, label) => losses.diceCrossEntropyLoss(x, label, { smooth: 0.1 })),
  maskedDiceCrossEntropyLoss: shapes.map((shape) => ({
    inputs: [{ shape }, { shape, kind: "binary" }, { shape, kind: "binary" }],
    build: (x, label, ignored) =>
      losses.maskedDiceCrossEntropyLoss(x, subtract(multiply(label, subtract(1, ignored)), ignored), {
        smooth: 0.1,
      }),
  })),
  // One-hot by a mask that is 1 in class 1, else in the background; ignored by another.
  exclusiveDiceCrossEntropyLoss: shapes.map(([samples, , ...space]) => ({
    inputs: [
      { shape: [samples, 3, ...space] },
      { shape: [samples, 1, ...space], kind: "binary" },
      { shape: [samples, 1, ...space], kind: "binary" },
    ],
    build: (x, mask, ignored) => {
      const background = subtract(1, mask);
      const label = concat([background, mask, multiply(mask, 0)], 1);
      return losses.exclusiveDiceCrossEntropyLoss(
        x,
        subtract(multiply(label, subtract(1, ignored)), ignored),
        { smooth: 0.1 },
      );
    },
  })),
  focalLoss: fc
    .constantFrom(null, 0.25)
    .chain((alpha) => ofLabels((x, label) => losses.focalLoss(x, label, { alpha }))),
  categoricalCrossEntropyLoss: ofLabels(losses.categoricalCrossEntropyLoss),
  stationCrossEntropyLoss: ofLabels(losses.stationCrossEntropyLoss),
  deepSupervisionLoss: shapes.map((shape) => ({
    inputs: [
      { shape },
      { shape, kind: "binary" },
      { shape: [1, 1, 2] },
      { shape: [1, 1, 2], kind: "binary" },
    ],
    build: (fine, fineLabel, coarse, coarseLabel) =>
      losses.deepSupervisionLoss(
        [
          { logits: fine, label: fineLabel },
          { logits: coarse, label: coarseLabel },
        ],
        losses.diceCrossEntropyLoss,
      ),
  })),
};

describe("gradients", () => {
  test.each(Object.entries(rows))("%s", async (_, row) => {
    expectGradients(row);
    for (const differentiable of fc.sample(row, { seed: 3, numRuns: 3 }))
      await expectSameOnOnnxRuntime(differentiable, 5);
  });

  test("every loss has a row", () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(losses).sort());
  });
});
