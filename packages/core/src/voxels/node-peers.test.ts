// Irregular nodes against scikit-image's surfaces and SciPy's hulls (fixtures/voxels).
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { measureNodes } from "./node-measurement.js";

interface PeerCase {
  name: string;
  size: Vector3;
  spacingMm: Vector3;
  mask: string;
  hu: number[];
  voxels: number;
  centroidIndex: Vector3;
  huMean: number;
  huSd: number;
  longAxisMm: number;
  shortAxisMm: number;
  feretMaxMm: number;
  feretMinMm: number;
}

const file = new URL("../../../../fixtures/voxels/nodes.json", import.meta.url);
const cases = JSON.parse(readFileSync(file, "utf8")) as PeerCase[];

test.each(cases)("as the peers: $name", (expected) => {
  const mask: Volume<Uint8Array> = {
    data: Uint8Array.from(expected.mask, Number),
    size: expected.size,
    spacingMm: expected.spacingMm,
    originMm: [-20, 30, 7],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
  const hu = new Int16Array(mask.data.length);
  let next = 0;
  mask.data.forEach((inNode, at) => {
    if (inNode === 1) hu[at] = expected.hu[next++];
  });
  const [node, ...rest] = measureNodes(mask, { ...mask, data: hu });
  expect(rest).toEqual([]);
  expect(node.voxels).toBe(expected.voxels);
  const centroid = pointOfIndex(mask, expected.centroidIndex);
  node.centroidLpsMm.forEach((value, axis) => {
    expect(value).toBeCloseTo(centroid[axis], 9);
  });
  expect(node.huMean).toBeCloseTo(expected.huMean, 9);
  expect(node.huSd).toBeCloseTo(expected.huSd, 9);
  // scikit-image's surfaces in space are float32, those in a slice float64.
  expect(node.longAxisMm).toBeCloseTo(expected.longAxisMm, 9);
  expect(node.shortAxisMm).toBeCloseTo(expected.shortAxisMm, 9);
  expect(node.feretMaxMm).toBeCloseTo(expected.feretMaxMm, 4);
  expect(node.feretMinMm).toBeCloseTo(expected.feretMinMm, 4);
});
