import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError, type Volume, writeNifti } from "@lnsnet/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { caseId, loadCase, openDataset } from "./dataset.js";

const geometry = {
  size: [4, 3, 2],
  spacingMm: [1, 1, 2],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;
const image: Volume = { ...geometry, data: new Int16Array(24).fill(40) };
const label: Volume = { ...geometry, data: Uint8Array.from({ length: 24 }, (_, n) => (n === 5 ? 1 : 0)) };
const description = {
  name: "two",
  labels: { background: 0, node: 1 },
  patients: { a: "Ada" },
  channel_names: { 0: "CT" },
  file_ending: ".nii.gz",
};

let folder = "";
const write = (name: string, content: Volume | object) =>
  writeFile(join(folder, name), "size" in content ? writeNifti(content as Volume) : JSON.stringify(content));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-dataset-"));
  for (const name of ["imagesTr", "labelsTr", "imagesTs"]) await mkdir(join(folder, name));
  await write("dataset.json", description);
  await write("imagesTr/a_0000.nii.gz", image);
  await write("labelsTr/a.nii.gz", label);
  await write("imagesTs/b_0000.nii.gz", image);
});
afterEach(() => rm(folder, { recursive: true }));

describe("openDataset", () => {
  test("lists the cases with their labels", async () => {
    expect(await openDataset(folder)).toEqual({
      name: "two",
      folder,
      patients: new Map([["a", "Ada"]]),
      labels: { background: 0, node: 1 },
      training: [
        {
          id: "a",
          imagePath: join(folder, "imagesTr/a_0000.nii.gz"),
          labelPath: join(folder, "labelsTr/a.nii.gz"),
          instancesPath: null,
        },
      ],
      test: [
        { id: "b", imagePath: join(folder, "imagesTs/b_0000.nii.gz"), labelPath: null, instancesPath: null },
      ],
    });
  });

  const refusals: [string, () => Promise<unknown>, RegExp][] = [
    ["no such folder", () => rm(folder, { recursive: true }), /does not exist/],
    ["no dataset.json", () => rm(join(folder, "dataset.json")), /dataset\.json does not exist/],
    ["an empty data set", () => rm(join(folder, "imagesTr/a_0000.nii.gz")), /imagesTr holds no image/],
    ["no imagesTr", () => rm(join(folder, "imagesTr"), { recursive: true }), /imagesTr holds no image/],
    [
      "an image without label",
      () => rm(join(folder, "labelsTr/a.nii.gz")),
      /has no label for a; add a\.nii\.gz/,
    ],
    [
      "several channels named",
      () => write("dataset.json", { ...description, channel_names: { 0: "CT", 1: "PET" } }),
      /2 channels \(CT, PET\)/,
    ],
    ["a second channel", () => write("imagesTr/a_0001.nii.gz", image), /further channel/],
    ["a name without channel", () => write("imagesTr/c.nii.gz", image), /rename it to c_0000\.nii\.gz/],
    [
      "a wrong count",
      () => write("dataset.json", { ...description, numTraining: 2 }),
      /numTraining 2, but imagesTr holds 1/,
    ],
    ["regions", () => write("dataset.json", { ...description, labels: { node: [1, 2] } }), /"labels\.node"/],
    [
      "another file type",
      () => write("dataset.json", { ...description, file_ending: ".png" }),
      /"file_ending"/,
    ],
    ["no labels", () => write("dataset.json", { name: "x" }), /"labels"/],
  ];
  test.each(refusals)("refuses %s", async (_, spoil, message) => {
    await spoil();
    const error = await openDataset(folder).then(
      () => null,
      (reason: unknown) => reason,
    );
    await mkdir(folder, { recursive: true });
    expect(error).toBeInstanceOf(InputError);
    expect((error as InputError).message).toMatch(message);
    expect((error as InputError).message).not.toContain("\n");
  });
});

describe("loadCase", () => {
  const load = async () => {
    const { training, labels } = await openDataset(folder);
    return loadCase(training[0], labels);
  };

  test("reads image and label", async () => {
    const loaded = await load();
    expect(loaded.image.data[0]).toBe(40);
    expect(loaded.label?.data).toEqual(label.data);
  });

  test("names both geometries where they differ", async () => {
    await write("labelsTr/a.nii.gz", { ...label, spacingMm: [1, 1, 3] });
    await expect(load()).rejects.toThrow(/1×1×3 mm.*has not the geometry of its image.*1×1×2 mm/);
  });

  test("names values that dataset.json does not", async () => {
    await write("labelsTr/a.nii.gz", {
      ...label,
      data: label.data.map((_, n) => (n < 3 ? 5 + 2 * n : 0)) as Uint8Array,
    });
    await expect(load()).rejects.toThrow(
      /holds the values 5, 7, 9, and dataset\.json names only 0 \(background\), 1 \(node\)/,
    );
  });

  test("refuses NaN in the image and a file that is no NIfTI", async () => {
    await write("imagesTr/a_0000.nii.gz", { ...geometry, data: new Float32Array(24).fill(Number.NaN) });
    await expect(load()).rejects.toThrow(/24 NaN/);
    await writeFile(join(folder, "imagesTr/a_0000.nii.gz"), "not an image");
    await expect(load()).rejects.toThrow(InputError);
  });
});

test.each([
  ["x/kbp_001_0000.nii.gz", "kbp_001"],
  ["kbp_001.nii.gz", "kbp_001"],
  ["scan.v2.nii", "scan.v2"],
])("the id of %s is %s", (path, id) => {
  expect(caseId(path)).toBe(id);
});
