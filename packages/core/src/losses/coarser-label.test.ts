// Labels at a coarser size, whose voxels a person can point at.
import { expect, test } from "vitest";
import { evaluate } from "../graph/evaluate.js";
import { input } from "../graph/operations/leaves.js";
import { sizeOf } from "../graph/shape.js";
import { coarserLabel } from "./coarser-label.js";

test.each([
  { from: [1, 1, 4], to: [1, 1, 2], expected: [1, 3] },
  { from: [1, 1, 8], to: [1, 1, 2], expected: [2, 6] },
  { from: [1, 1, 2, 4], to: [1, 1, 1, 2], expected: [5, 7] },
  { from: [1, 2, 2], to: [1, 2, 1], expected: [1, 3] },
  { from: [1, 1, 3], to: [1, 1, 3], expected: [0, 1, 2] },
])("voxels 0, 1, … of $from at the size of $to", ({ from, to, expected }) => {
  const label = input("label", from);
  const given = new Map([[label, Array.from({ length: sizeOf(from) }, (_, voxel) => voxel)]]);
  const [{ shape, data }] = evaluate([coarserLabel(label, to)], given);
  expect(shape).toEqual(to);
  expect(Array.from(data)).toEqual(expected);
});
