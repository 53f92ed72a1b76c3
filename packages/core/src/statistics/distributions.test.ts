import { expect, test } from "vitest";
import { normalUpperTail, studentTQuantile } from "./distributions.js";

test.each([0.001, 0.01, 0.3, 0.5, 0.975, 0.9999])(
  "t with 1 and 2 degrees of freedom at %d, in closed form",
  (p) => {
    expect(studentTQuantile(p, 1)).toBeCloseTo(Math.tan(Math.PI * (p - 0.5)), 8);
    expect(studentTQuantile(p, 2)).toBeCloseTo((2 * p - 1) / Math.sqrt(2 * p * (1 - p)), 10);
  },
);

test.each([
  [0, 5],
  [1, 5],
  [0.5, 0],
  [0.5, 2.5],
  [Number.NaN, 5],
])("no t quantile at %d with %d degrees of freedom", (probability, degrees) => {
  expect(() => studentTQuantile(probability, degrees)).toThrow(RangeError);
});

test("the tails of the normal distribution add up to 1", () => {
  for (const z of [0, 0.5, 1.9, 3.9999, 4, 8]) expect(normalUpperTail(z) + normalUpperTail(-z)).toBe(1);
  expect(normalUpperTail(Number.POSITIVE_INFINITY)).toBe(0);
  expect(normalUpperTail(Number.NaN)).toBeNaN();
});
