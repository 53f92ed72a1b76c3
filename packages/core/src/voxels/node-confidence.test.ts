import { expect, test } from "vitest";
import type { Volume } from "../volume/volume.js";
import { nodeConfidences } from "./node-confidence.js";
import { measureNodes } from "./node-measurement.js";

/** A row along x; voxel 0 at `originMm`. */
function rowOf<T extends Uint8Array | Float32Array>(data: T, spacingMm: number, originMm: number): Volume<T> {
  return {
    data,
    size: [data.length, 1, 1],
    spacingMm: [spacingMm, 1, 1],
    originMm: [originMm, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
}

// Voxels of 1 mm at x = 0 … 7; the network's of 2 mm at x = 0, 2, 4, 6 with 0, 0.2, 0.8 and 1.
const instances = rowOf(Uint8Array.of(0, 2, 2, 0, 1, 1, 1, 0), 1, 0);
const nodes = measureNodes(instances, null, "labels");
const probability = rowOf(Float32Array.of(0, 0.2, 0.8, 1), 2, 0);

test("is the mean of what the network's grid holds at the node's voxels", () => {
  const [first, second] = nodeConfidences(nodes, instances, probability);
  // 0.8, 0.9 and 1 at x = 4, 5, 6; 0.1 and 0.2 at x = 1, 2.
  expect(first).toMatchObject({ id: 1, ensembleDisagreement: null });
  expect(first.meanProbability).toBeCloseTo(0.9, 6);
  expect(second.id).toBe(2);
  expect(second.meanProbability).toBeCloseTo(0.15, 6);
});

test("takes the disagreement from a grid of its own, and leaves neighbours in the box out", () => {
  const disagreement = rowOf(Float32Array.of(0.5, 0.1, 0.1, 0.1, 0.3, 0.2, 0.1, 0.9), 1, 0);
  const apart = rowOf(Uint8Array.of(1, 2, 0, 0, 0, 0, 0, 1), 1, 0);
  const found = nodeConfidences(measureNodes(apart, null, "labels"), apart, probability, disagreement);
  expect(found.map((node) => node.ensembleDisagreement?.toFixed(6))).toEqual(["0.700000", "0.100000"]);
});

test("beyond the network's grid the probability is 0", () => {
  const far = rowOf(Uint8Array.of(1, 1), 1, 6);
  // x = 6 holds 1, x = 7 lies at the grid's edge, half a voxel out, where its value holds.
  expect(nodeConfidences(measureNodes(far), far, probability)[0].meanProbability).toBeCloseTo(1, 6);
  const beyond = rowOf(Uint8Array.of(1, 1), 1, 20);
  expect(nodeConfidences(measureNodes(beyond), beyond, probability)[0].meanProbability).toBe(0);
});
