import { expect, test } from "vitest";
import type { Volume } from "../volume/volume.js";
import { measureNodes } from "../voxels/node-measurement.js";
import { followUp } from "./node-follow-up.js";

/** Boxes [number, from, to) along a row of 60 voxels of 1 mm, 4 × 4 across. */
function boxes(...rows: readonly (readonly [number, number, number])[]): Volume<Uint8Array> {
  const data = new Uint8Array(60 * 4 * 4);
  for (const [number, from, to] of rows)
    for (let row = 0; row < 16; row++) data.fill(number, 60 * row + from, 60 * row + to);
  return {
    size: [60, 4, 4],
    spacingMm: [1, 1, 1],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data,
  };
}

const first = boxes([1, 0, 10], [2, 14, 18], [3, 30, 36], [4, 50, 53]);
// 1 shrank to a quarter (IoU 0.2), 2 moved by 6 mm, 3 is gone, 4 stayed; 7 is new.
const second = boxes([9, 0, 2], [5, 20, 24], [4, 50, 53], [7, 56, 59]);
const measured = (labels: Volume<Uint8Array>) => measureNodes(labels, null, "labels");

test("nodes are matched by overlap, by less of it, then by nearness; the rest is gone or new", () => {
  const { nodes } = followUp(first, second, measured(first), measured(second));
  expect(nodes.map((row) => [row.first?.id ?? null, row.second?.id ?? null])).toEqual([
    [1, 9],
    [2, 5],
    [3, null],
    [4, 4],
    [null, 7],
  ]);
  expect(nodes[0].volumeChangeMl).toBeCloseTo(-0.128, 9);
  expect(nodes[3].shortAxisChangeMm).toBe(0);
  expect(nodes[2].volumeChangeMl).toBeNull();
});

test("sums are those of all nodes of each date", () => {
  const { sumOfVolumesMl, sumOfShortAxesMm } = followUp(first, second, measured(first), measured(second));
  expect(sumOfVolumesMl.first).toBeCloseTo(0.016 * (10 + 4 + 6 + 3), 9);
  expect(sumOfVolumesMl.second).toBeCloseTo(0.016 * (2 + 4 + 3 + 3), 9);
  expect(sumOfShortAxesMm.second).toBeGreaterThan(0);
});
