// Bytes that a person can count: 4 a number.
import { expect, test } from "vitest";
import { peakBytes } from "./memory.js";
import { add, neg, relu } from "./operations/elementwise.js";
import { reshape, split } from "./operations/layout.js";
import { input } from "./operations/leaves.js";

const x = input("x", [10]);

test.each([
  // The input stays; of a chain, a tensor and the one made of it are there at once.
  { name: "a chain", values: [relu(neg(relu(x)))], numbers: 10 + 20 },
  { name: "a reshape, which is free", values: [relu(reshape(relu(x), [5, 2]))], numbers: 10 + 20 },
  {
    name: "a tensor that is needed again",
    values: (() => {
      const early = relu(x);
      return [add(neg(neg(early)), early)];
    })(),
    numbers: 10 + 30,
  },
  { name: "two results, which both stay", values: [relu(x), neg(x)], numbers: 10 + 20 },
  { name: "a part that nobody reads", values: [relu(split(x, 0, [4, 6])[0])], numbers: 10 + 10 },
])("$name", ({ values, numbers }) => {
  expect(peakBytes(values)).toBe(4 * numbers);
});
