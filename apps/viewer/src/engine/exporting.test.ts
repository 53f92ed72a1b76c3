// Save: what is written comes back in place, by the library's readers; what cannot be written is refused by a sentence.
import { InputError, readNifti, readRtstruct, readSeg, type SourceSeries, type Volume } from "@lnsnet/core";
import { measureNodes } from "@lnsnet/core/voxels";
import { unzipSync } from "fflate";
import { expect, test } from "vitest";
import { exportFormats } from "./export-formats.js";
import { type ExportRequest, exportedFile, summaryPage } from "./exporting.js";

const grid = {
  size: [24, 20, 12],
  spacingMm: [1, 1, 2],
  originMm: [-12, -10, 50],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;
const instances: Volume<Uint8Array> = { ...grid, data: new Uint8Array(24 * 20 * 12) };
for (const [value, i0] of [
  [1, 3],
  [2, 14],
])
  for (let k = 4; k < 8; k++)
    for (let j = 6; j < 12; j++)
      instances.data.fill(value, i0 + 24 * (j + 20 * k), i0 + 6 + 24 * (j + 20 * k));
const volume = { ...grid, data: Int16Array.from(instances.data, (id) => (id === 0 ? -100 : 60)) };
const slices = Array.from({ length: 12 }, (_, k) => ({
  sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
  sopInstanceUid: `1.2.3.${k + 1}`,
  frame: null,
}));
const source: SourceSeries = {
  study: {
    ...{ patientName: "Doe^Jane", patientId: "P1", patientBirthDate: "", patientSex: "" },
    ...{ studyInstanceUid: "1.2.8", studyDate: "", studyTime: "", studyId: "", accessionNumber: "" },
  },
  seriesInstanceUid: "1.2.9",
  frameOfReferenceUid: "1.2.7",
  modality: "CT",
  geometry: grid,
  slices,
  instances: slices,
  distancesMm: slices.map((_, k) => 2 * k),
};
const [first, second] = measureNodes(instances, volume, "labels");
const request: ExportRequest = {
  instances,
  nodes: [
    { ...first, name: "IIa left", meanProbability: 0.9 },
    { ...second, name: "Node 2" },
  ],
  models: [{ name: "finder.safetensors", trainedOn: "phantom", sha256: "ab".repeat(32) }],
  statements: ["The short axis of node 2 was moved by hand."],
  formats: exportFormats,
};
let uids = 0;
const context = {
  newUid: () => `2.25.${++uids}`,
  now: new Date(2026, 10, 29),
  algorithm: { name: "lnsnet", version: "0.1.0" },
};
const ofDicom = { name: "Neck 1.0", volume, source };
const ofFile = { name: "neck.nii.gz", volume, source: null };
const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

test("everything in one zip: each format comes back with both nodes in place, and refers to the source", async () => {
  const { name, bytes } = exportedFile(ofDicom, request, context);
  expect(name).toBe("Neck_1.0-nodes.zip");
  const files = unzipSync(bytes);
  expect(Object.keys(files)).toEqual([
    ...["Neck_1.0-nodes.nii.gz", "Neck_1.0-seg.dcm", "Neck_1.0-rtstruct.dcm", "Neck_1.0-sr.dcm"],
    ...["Neck_1.0-picture-0.dcm", "Neck_1.0-picture-1.dcm", "Neck_1.0-picture-2.dcm"],
    ...["Neck_1.0-nodes.csv", "Neck_1.0-summary.html"],
  ]);
  expect(readNifti(files["Neck_1.0-nodes.nii.gz"], "nodes").data).toEqual(instances.data);
  const { segments } = await readSeg(files["Neck_1.0-seg.dcm"], "seg");
  expect(segments.map(({ label }) => label)).toEqual(["IIa left", "Node 2"]);
  expect(segments.map(({ mask }) => mask().reduce((sum, value) => sum + value, 0))).toEqual([144, 144]);
  const { rois } = readRtstruct(files["Neck_1.0-rtstruct.dcm"], "rtstruct");
  expect(rois.map((roi) => roi.name)).toEqual(["IIa left", "Node 2"]);
  const segUid = /2\.25\.\d+/.exec(text(files["Neck_1.0-seg.dcm"]).slice(140))?.[0] ?? "none";
  expect(text(files["Neck_1.0-sr.dcm"])).toContain(segUid);
  for (const part of ["1.2.8", "RESEARCH USE ONLY"])
    for (const kind of ["seg", "rtstruct", "sr", "picture-1"])
      expect(text(files[`Neck_1.0-${kind}.dcm`])).toContain(part);
  expect(text(files["Neck_1.0-nodes.csv"])).toMatch(/^id,name,.+\n1,IIa left,/);
});

test("one format is a file of its own", () => {
  const { name, bytes } = exportedFile(ofFile, { ...request, formats: ["nifti"] }, context);
  expect(name).toBe("neck-nodes.nii.gz");
  expect(readNifti(bytes, name).data).toEqual(instances.data);
});

test("of a scan that is no DICOM, pictures are PNG", () => {
  const { bytes } = exportedFile(ofFile, { ...request, formats: ["pictures"] }, context);
  expect(Object.keys(unzipSync(bytes))).toEqual([0, 1, 2].map((n) => `neck-picture-${n}.png`));
});

test("the summary names the model and its data, what was edited, and sums; it is for research only", () => {
  const html = summaryPage(ofDicom, request);
  const sum = (first.shortAxisMm + second.shortAxisMm).toFixed(1);
  for (const part of [
    "finder.safetensors",
    "phantom",
    "moved by hand",
    `${sum} mm`,
    "Research use only",
    "IIa left",
  ])
    expect(html).toContain(part);
  expect(html).not.toContain("<script");
});

test.each([
  ["a SEG of a file that is no DICOM", ofFile, request, /did not come from DICOM.+\.$/],
  ["no node", ofDicom, { ...request, nodes: [] }, /^There is no node to save/],
  ["no format", ofDicom, { ...request, formats: [] }, /^No format is chosen/],
])("%s is refused", (_, scan, refused, sentence) => {
  expect(() => exportedFile(scan, refused, context)).toThrow(InputError);
  expect(() => exportedFile(scan, refused, context)).toThrow(sentence);
});
