import { objectSummary, readRtstruct, readSeg, type SourceSeries } from "@lnsnet/core/formats";
import type { Volume } from "@lnsnet/core/volume";
import { measureNodes } from "@lnsnet/core/voxels";
import { expect, test } from "vitest";
import { nodeObjects, segmentationBytes } from "./writing.js";

// Two nodes on an oblique grid: 2 × 2 × 2 voxels in the middle, and one voxel in a corner of the scan.
const instances: Volume<Uint8Array> = {
  size: [6, 5, 4],
  spacingMm: [1, 2, 3],
  originMm: [-5, 7, 100],
  direction: [0.6, 0.8, 0, 0.8, -0.6, 0, 0, 0, -1],
  data: new Uint8Array(120),
};
for (const k of [1, 2])
  for (const j of [1, 2]) instances.data.fill(1, 2 + 6 * (j + 5 * k), 4 + 6 * (j + 5 * k));
instances.data[119] = 2;

const slices = [1, 2, 3, 4].map((n) => ({
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  sopInstanceUid: `1.2.3.${n}`,
  frame: null,
}));
const source: SourceSeries = {
  study: {
    patientName: "Doe^Jane",
    patientId: "P-0815",
    patientBirthDate: "",
    patientSex: "",
    studyInstanceUid: "1.2.8",
    studyDate: "20240102",
    studyTime: "",
    studyId: "",
    accessionNumber: "",
  },
  seriesInstanceUid: "1.2.9",
  frameOfReferenceUid: "1.2.7",
  modality: "CT",
  geometry: instances,
  slices,
  instances: slices,
  distancesMm: [0, 3, 6, 9],
};
const nodes = measureNodes(instances, null, "labels");
const textOf = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

test("a scan's nodes as SEG and RTSTRUCT, each by its box, are those of all labels", async () => {
  const { seg, rtstruct } = nodeObjects(instances, nodes, source);
  const contours = (bytes: Uint8Array) => readRtstruct(bytes, "rtstruct").rois.map((roi) => roi.contours);
  const whole = segmentationBytes(instances, [], source, { format: "rtstruct", anonymizeSalt: null });
  expect(contours(rtstruct)).toEqual(contours(whole));
  const { segments } = await readSeg(seg, "seg");
  expect(segments.map(({ label, mask }) => [label, mask().reduce((sum, value) => sum + value, 0)])).toEqual([
    ["Lymph node 1", 8],
    ["Lymph node 2", 1],
  ]);
});

test("the report names the segmentation beside it; with a salt nothing names the patient", () => {
  const open = nodeObjects(instances, nodes, source);
  const [segUid] = /2\.25\.\d+/.exec(textOf(open.seg).slice(140)) ?? [];
  expect(segUid).toBeDefined();
  expect(textOf(open.sr)).toContain(segUid);
  expect(textOf(open.sr)).toContain("P-0815");
  for (const bytes of Object.values(nodeObjects(instances, nodes, source, { anonymizeSalt: "salt" }))) {
    for (const secret of ["Doe", "P-0815", "20240102", "1.2.9"]) expect(textOf(bytes)).not.toContain(secret);
  }
});

test("each object names the model, its data and its weights, says research use only, and carries the probability", async () => {
  const known = nodes.map((node) => ({ ...node, meanProbability: 0.875 }));
  const models = [{ name: "model.safetensors", trainedOn: "phantom", sha256: "ab".repeat(32) }];
  const objects = nodeObjects(instances, known, source, { models });
  for (const bytes of Object.values(objects)) {
    for (const part of ["model.safetensors", "trained on phantom", "ab".repeat(32), "RESEARCH USE ONLY"])
      expect(textOf(bytes)).toContain(part);
  }
  const unknown = nodeObjects(instances, known, source);
  for (const name of ["seg", "rtstruct"] as const) {
    expect(textOf(objects[name])).toContain("AUTOMATIC");
    expect(textOf(unknown[name])).not.toContain("AUTOMATIC");
    expect(textOf(unknown[name])).toContain("How it was drawn is not known; converted by lnsnet");
  }
  expect(textOf(objects.seg)).toContain("Mean probability 0.875");
  expect(textOf(objects.rtstruct)).toContain("Mean probability 0.875");
  const report = await objectSummary(objects.sr, "report");
  expect(report?.regions.map(({ label }) => label)).toEqual(["Lymph node 1", "Lymph node 2"]);
  expect(report?.regions[0].measurements).toContainEqual({
    name: "Certainty of Finding",
    value: 87.5,
    unit: "%",
  });
});
