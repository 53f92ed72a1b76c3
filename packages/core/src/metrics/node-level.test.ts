import { expect, test } from "vitest";
import { nodeCropStart } from "../volume/crop.js";
import type { Volume } from "../volume/volume.js";
import { pairOfNode } from "./node-level.js";

/** A row of voxels, one digit each. */
const row = (digits: string): Volume<Uint8Array> => ({
  data: Uint8Array.from(digits, Number),
  size: [digits.length, 1, 1],
  spacingMm: [2, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});
const digits = ({ data }: Volume<Uint8Array>) => data.join("");

test.each([
  { name: "alone, it answers for everything", nodes: "0110000", prediction: "1110001", own: "1110001" },
  { name: "a neighbour's find is not its own", nodes: "0110002", prediction: "1110001", own: "1110000" },
  { name: "as near as the neighbour is its own", nodes: "0100020", prediction: "0011100", own: "0011000" },
  { name: "a find beside the neighbour is not", nodes: "0102000", prediction: "0000011", own: "0000000" },
])("$name", ({ nodes, prediction, own }) => {
  const pair = pairOfNode(row(prediction), row(nodes), 1);
  expect(digits(pair.truth)).toBe(nodes.replaceAll("2", "0"));
  expect(digits(pair.prediction)).toBe(own);
});

test("a crop has the node's middle in its middle, and may leave the grid", () => {
  // Voxel 24 of 48 is the middle one, as in training.
  expect(nodeCropStart([30.4, 29.6, 5], [48, 48, 64])).toEqual([6, 6, -27]);
  // Half way between voxels, whatever the last digits.
  expect(nodeCropStart([5.5, 5.5 - 1e-6, -5.5 - 1e-6], [4, 4, 4])).toEqual([4, 4, -7]);
});
