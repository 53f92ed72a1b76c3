// Nodes come early: once, whole, in their place, and not before all of their planes are done.
import { expect, test } from "vitest";
import { pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { earlyNodes } from "./early-nodes.js";

const grid = {
  size: [12, 12, 20],
  spacingMm: [1, 1, 1],
  originMm: [-6, 3, 100],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;

/** Boxes of probability 1 from plane `from` up to before plane `to`, at i = j = `at` … `at` + 2. */
const boxes = [
  { at: 2, from: 1, to: 4 },
  { at: 7, from: 3, to: 9 },
];

function finished(planes: number): Volume<Float32Array> {
  const data = new Float32Array(12 * 12 * planes);
  for (const { at, from, to } of boxes)
    for (let k = from; k < Math.min(to, planes); k++)
      for (let j = at; j < at + 3; j++) data.fill(1, at + 12 * (j + 12 * k), at + 3 + 12 * (j + 12 * k));
  return { ...grid, size: [12, 12, planes], data };
}

test.each<[string, number, number, Vector3[]]>([
  ["the first box is done with plane 3", 0, 5, [[3, 3, 2]]],
  ["the second goes on", 5, 8, []],
  ["a box that ends with the last plane may go on", 5, 9, []],
  ["it does not", 9, 12, [[8, 8, 5.5]]],
  [
    "both at once, the larger first",
    0,
    12,
    [
      [8, 8, 5.5],
      [3, 3, 2],
    ],
  ],
])("%s", (_, before, planes, centres) => {
  const nodes = earlyNodes(finished(planes), before, grid);
  expect(nodes.map(({ centroidMm }) => centroidMm)).toEqual(
    centres.map((centre) => pointOfIndex(grid, centre)),
  );
  for (const { mask, start } of nodes) {
    const place = boxes.find(({ at }) => Math.abs(at + 1 - start[0] - mask.size[0] / 2) < 2);
    const voxels = mask.data.reduce((sum, value) => sum + value, 0);
    expect(voxels).toBe(9 * ((place?.to ?? 0) - (place?.from ?? 0)));
  }
});
