// The best validation and the end of patience, by hand.
import { describe, expect, test } from "vitest";
import { bestValidation, isExhausted } from "./history.js";

const after = (...scores: number[]) => scores.map((dsc, n) => ({ step: 10 * (n + 1), dsc }));

describe("bestValidation", () => {
  test.each([
    [[], null],
    [[0.3], 10],
    [[0.3, 0.5, 0.4], 20],
    [[0.5, 0.5], 10],
    [[0, 0], 10],
  ])("of %j", (scores, step) => {
    expect(bestValidation(after(...scores))?.step ?? null).toBe(step);
  });
});

describe("isExhausted", () => {
  test.each([
    [[], 1, false],
    [[0.5], 1, false],
    [[0.5, 0.5], 1, true],
    [[0.5, 0.4], 2, false],
    [[0.5, 0.4, 0.3], 2, true],
    // A new best begins the count anew.
    [[0.5, 0.4, 0.6], 2, false],
    [[0.5, 0.4, 0.6, 0.1, 0.2], 2, true],
    [[0.5, 0.1, 0.1, 0.1], 0, false],
  ])("after %j with a patience of %d: %s", (scores, patience, expected) => {
    expect(isExhausted(after(...scores), patience)).toBe(expected);
  });
});
