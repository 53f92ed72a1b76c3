// Pictures of nodes as DICOM: as many as there are nodes, the largest first, with the node's colours where it lies.
import { expect, test } from "vitest";
import { parseDataset, textOf } from "../formats/dicom/dataset.js";
import { fixedContext, sourceOn } from "../formats/dicom/source-series.test-helper.js";
import { nodePicture } from "../reports/node-picture.js";
import type { Volume } from "../volume/volume.js";
import { measureNodes } from "../voxels/node-measurement.js";
import { nodeCaptures } from "./node-captures.js";

const grid = {
  size: [40, 40, 20],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;
/** A box of 4 × 4 × 4 mm (1) and one of 10 × 6 × 6 mm (2), which lies towards the patient's left. */
const instances: Volume<Uint8Array> = { ...grid, data: new Uint8Array(40 * 40 * 20) };
const fill = (value: number, [i, j, k]: readonly number[], [nx, ny, nz]: readonly number[]) => {
  for (let z = k; z < k + nz; z++)
    for (let y = j; y < j + ny; y++)
      instances.data.fill(value, i + 40 * (y + 40 * z), i + nx + 40 * (y + 40 * z));
};
fill(1, [5, 5, 5], [4, 4, 4]);
fill(2, [25, 20, 8], [10, 6, 6]);
const scan = { ...grid, data: Float32Array.from(instances.data, (id) => (id === 0 ? -1000 : 60)) };
const nodes = measureNodes(instances, scan, "labels");
const options = { title: "scan", caption: "model trained on phantom" };

test("an overview, then each node, the largest first, by a person's names", () => {
  const named = nodes.map((node) => (node.id === 2 ? { ...node, name: "IIa left" } : node));
  const objects = nodeCaptures(scan, instances, named, sourceOn(grid), fixedContext(), options);
  const titles = objects.map((bytes) => textOf(parseDataset(bytes, "capture"), "DerivationDescription"));
  expect(titles).toEqual(["All nodes", "IIa left", "Lymph node 1"]);
});

test("a node lies in the middle of its picture, outlined and with its axes", () => {
  const { width, data } = nodePicture(scan, instances, nodes[1], options);
  const columns = new Set<number>();
  for (let at = 0; at < data.length / 3; at++)
    if (data[3 * at] === 255 && data[3 * at + 1] === 150 && data[3 * at + 2] === 0 && at % width > 60)
      columns.add(at % width);
  const [low, high] = [Math.min(...columns), Math.max(...columns)];
  // 150 mm are 780 pixels; the node is 10 mm wide.
  expect((low + high) / 2).toBeCloseTo(width / 2, -1);
  expect(high - low + 1).toBeCloseTo((10 * 780) / 150, -1);
});
