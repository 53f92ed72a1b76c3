import { describe, expect, test } from "vitest";
import { differentiate } from "../graph/differentiate.js";
import { evaluate } from "../graph/evaluate.js";
import { constant, input } from "../graph/operations/leaves.js";
import { labelSchemeOf } from "../transforms/label-scheme.js";
import { lossOf } from "./loss.js";

describe("what is found in a patch without foreground", () => {
  const scheme = labelSchemeOf({ foreground: "node" });
  const shape = [1, 1, 1, 1, 2];
  /** A probability of 3/4. */
  const log3 = Math.log(3);
  /** The loss and its slope along the first of two logits, both of which are wrong. */
  const lossAndGradient = (smooth?: number) => {
    const logits = input("logits", shape);
    const loss = lossOf(scheme, smooth)(logits, constant(shape, [0, 0]));
    const [gradient] = differentiate(loss, [logits]);
    const values = evaluate([loss, gradient], new Map([[logits, [log3, log3]]]));
    return [values[0].data[0], values[1].data[0]];
  };

  test("costs as much whatever it is with the usual Dice, which is 1 there and falls nowhere", () => {
    const [loss, gradient] = lossAndGradient();
    expect(loss).toBeCloseTo(1 + Math.log(4), 4);
    // Of the cross-entropy alone: p / 2.
    expect(gradient).toBeCloseTo(3 / 8, 4);
  });

  test("costs the more the larger it is with a smoothed one", () => {
    const [loss, gradient] = lossAndGradient(1);
    // Dice 1 / (¾ + ¾ + 1); its slope 1 / 2.5², times p(1 − p).
    expect(loss).toBeCloseTo(1 - 0.4 + Math.log(4), 4);
    expect(gradient).toBeCloseTo(3 / 8 + 3 / 16 / 2.5 ** 2, 4);
  });
});
