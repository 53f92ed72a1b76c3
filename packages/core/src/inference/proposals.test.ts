// A fine network that looks only where a coarse one sees something.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Volume } from "../volume/volume.js";
import { densityPredictor } from "./density-predictor.test-helper.js";
import { type Ball, drawnScan, straightGrid } from "./drawn-scan.test-helper.js";
import { proposedMask, withoutUnproposed } from "./proposals.js";
import { segment } from "./segment.js";

const grid = straightGrid([80, 80, 80], [1, 1, 1], [-40, -40, 0]);
const dense: Ball = { centreMm: [-25, -25, 15], radiusMm: 6, hu: 140 };
/** In a patch around the first. */
const faint: Ball = { centreMm: [-9, -25, 15], radiusMm: 5, hu: 80 };
const far: Ball = { centreMm: [25, 25, 60], radiusMm: 6, hu: 80 };
const scan = drawnScan(grid, [dense, faint, far]);

type DensityPredictor = Awaited<ReturnType<typeof densityPredictor>>;
let fine: DensityPredictor;
let coarse: DensityPredictor;
let blind: DensityPredictor;
beforeAll(async () => {
  fine = await densityPredictor([24, 24, 24]);
  coarse = await densityPredictor([16, 16, 16], [3, 3, 3]);
  blind = await densityPredictor([16, 16, 16], [3, 3, 3], 110);
});
afterAll(() => Promise.all([fine.release(), coarse.release(), blind.release()]));

test("nodes are the same as without it, bit for bit, from fewer patches", async () => {
  const before = fine.runs();
  const exhaustive = await segment(scan, fine);
  const all = fine.runs() - before;
  const proposed = await segment(scan, fine, { proposer: coarse });
  expect(exhaustive.nodes).toHaveLength(3);
  expect(proposed).toEqual(exhaustive);
  expect(fine.runs() - before - all).toBeLessThan(all / 2);
});

test("a node that is not proposed is left out whole, also where a patch around another shows it", async () => {
  const { nodes } = await segment(scan, fine, { proposer: blind });
  expect(nodes.map(({ centroidLpsMm }) => centroidLpsMm.map(Math.round))).toEqual([dense.centreMm]);
});

test("nothing proposed, nothing found, and the fine network is not run", async () => {
  const before = fine.runs();
  const { nodes } = await segment(drawnScan(grid, [far]), fine, { proposer: blind });
  expect([nodes, fine.runs() - before]).toEqual([[], 0]);
});

test("clicks do not need a proposal", async () => {
  const { nodes } = await segment(scan, fine, { at: [far.centreMm], proposer: blind });
  expect(nodes).toHaveLength(1);
});

const row = (values: readonly number[], spacing = 1): Volume<Float32Array> => ({
  ...straightGrid([values.length, 1, 1], [spacing, spacing, spacing], [(spacing - 1) / 2, 0, 0]),
  data: Float32Array.from(values),
});

test("a tenth is enough for a proposal, which has a margin of a voxel, and any class proposes", () => {
  const classes = [row([0, 0, 0, 0.09, 0, 0, 0, 0.1]), row([0.3, 0, 0, 0, 0, 0, 0, 0])];
  const mask = proposedMask(classes.map((probability) => ({ probability })));
  expect([...mask.data]).toEqual([1, 1, 0, 0, 0, 0, 1, 1]);
});

test("components stay whole where a part is proposed, and go whole where none is; what is below the threshold stays", () => {
  const probability = row([0.9, 0.6, 0.4, 0, 0, 0.7, 0.7, 0.2, 0]);
  const coarseMask = { ...row([1, 0, 0], 3), data: Uint8Array.of(1, 0, 0) };
  const kept = withoutUnproposed(probability, coarseMask);
  expect([...kept.data]).toEqual([...Float32Array.of(0.9, 0.6, 0.4, 0, 0, 0, 0, 0.2, 0)]);
});
