import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import { oneClass } from "@lnsnet/core/transforms";
import type { Volume } from "@lnsnet/core/volume";
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
      channels: ["CT"],
      labels: { values: { background: [0], node: [1] }, scheme: oneClass("node") },
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
      "a case that lacks a channel",
      () => write("dataset.json", { ...description, channel_names: { 0: "CT", 1: "PET" } }),
      /imagesTr\/a_0001\.nii\.gz is missing, and each case needs its 2 channels \(CT, PET\)/,
    ],
    [
      "a second channel",
      () => write("imagesTr/a_0001.nii.gz", image),
      /further channel, and dataset\.json names 1 \(CT\)/,
    ],
    ["a name without channel", () => write("imagesTr/c.nii.gz", image), /rename it to c_0000\.nii\.gz/],
    [
      "a wrong count",
      () => write("dataset.json", { ...description, numTraining: 2 }),
      /numTraining 2, but imagesTr holds 1/,
    ],
    [
      "regions without an order",
      () => write("dataset.json", { ...description, labels: { background: 0, node: [1, 2] } }),
      /names 1 regions \(node\), and "regions_class_order" is missing/,
    ],
    [
      "background alone",
      () => write("dataset.json", { ...description, labels: { background: 0, ignore: 1 } }),
      /names no label beside the background/,
    ],
    [
      "one value with two names",
      () => write("dataset.json", { ...description, labels: { background: 0, node: 1, lymph: 1 } }),
      /calls the value 1 both "node" and "lymph"/,
    ],
    [
      "a value beyond a byte",
      () => write("dataset.json", { ...description, labels: { background: 0, node: 256 } }),
      /"labels\.node": a label's value must be a whole number in 0 … 255, and 256 was found/,
    ],
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

describe("dataset.json of nnU-Net v1 and of the Medical Decathlon", () => {
  const older = {
    name: "two",
    tensorImageSize: "3D",
    modality: { 0: "CT" },
    labels: { 0: "background", 1: "node" },
    numTraining: 1,
    training: [{ image: "./imagesTr/a.nii.gz", label: "./labelsTr/a.nii.gz" }],
    test: ["./imagesTs/b.nii.gz"],
  };

  test.each([
    ["a_0000.nii.gz", "b_0000.nii.gz", "as nnU-Net v1 has them"],
    ["a.nii.gz", "b.nii.gz", "as the Decathlon has them"],
  ])("with images %s and %s, %s", async (training, testing) => {
    await rename(join(folder, "imagesTr/a_0000.nii.gz"), join(folder, "imagesTr", training));
    await rename(join(folder, "imagesTs/b_0000.nii.gz"), join(folder, "imagesTs", testing));
    await write("dataset.json", older);
    const dataset = await openDataset(folder);
    expect(dataset.labels).toEqual({
      values: { background: [0], node: [1] },
      scheme: oneClass("node"),
    });
    expect(dataset.training).toMatchObject([
      {
        id: "a",
        imagePath: join(folder, "imagesTr", training),
        labelPath: join(folder, "labelsTr/a.nii.gz"),
      },
    ]);
    expect(dataset.test.map(({ id }) => id)).toEqual(["b"]);
    expect((await loadCase(dataset.training[0], dataset.labels)).label?.data).toEqual(label.data);
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

  test("takes 0.99999988 for 1, and no probability map for a label", async () => {
    const floats = (value: number) => ({
      ...label,
      data: Float32Array.from(label.data, (voxel) => voxel * value),
    });
    await write("labelsTr/a.nii.gz", floats(0.99999988));
    expect((await load()).label?.data).toEqual(label.data);
    await write("labelsTr/a.nii.gz", floats(0.4));
    await expect(load()).rejects.toThrow(/as a probability map does, and labels are whole numbers/);
  });

  const classes = { ...label, data: Uint8Array.from({ length: 24 }, (_, n) => (n < 3 ? 1 : n < 5 ? 2 : 0)) };
  test.each([
    ["GTVp", 1, 3],
    ["GTVn", 2, 2],
  ])("of several classes %s alone is foreground where it was chosen", async (name, value, count) => {
    await write("dataset.json", { ...description, labels: { background: 0, GTVp: 1, GTVn: 2 } });
    await write("labelsTr/a.nii.gz", classes);
    const { training, labels } = await openDataset(folder, name);
    const { data } = (await loadCase(training[0], labels)).label ?? { data: [] };
    expect([...data]).toEqual([...classes.data].map((voxel) => (voxel === value ? 1 : 0)));
    expect([...data].filter((voxel) => voxel === 1)).toHaveLength(count);
    await expect(openDataset(folder, "GTVm")).rejects.toThrow(/The option foreground is "GTVm".*GTVp, GTVn/);
  });

  test("several classes are numbers from 1 in their order, what is to be ignored is 255", async () => {
    const named = { background: 0, vessel: 7, node: 2, ignore: 3 };
    await write("dataset.json", { ...description, labels: named });
    const values = [0, 2, 7, 3, 2];
    await write("labelsTr/a.nii.gz", {
      ...label,
      data: Uint8Array.from({ length: 24 }, (_, n) => values[n] ?? 0),
    });
    expect([...((await load()).label?.data ?? [])].slice(0, 6)).toEqual([0, 2, 1, 255, 2, 0]);
    // Where one class is chosen, the other is background.
    const chosen = await openDataset(folder, "node");
    const { data } = (await loadCase(chosen.training[0], chosen.labels)).label ?? { data: [] };
    expect([...data].slice(0, 6)).toEqual([0, 1, 0, 255, 1, 0]);
  });

  test("all channels of a case are read, on one grid", async () => {
    await write("dataset.json", { ...description, channel_names: { 0: "CT", 1: "PET" } });
    for (const name of ["imagesTr/a", "imagesTs/b"])
      await write(`${name}_0001.nii.gz`, { ...image, data: new Int16Array(24).fill(7) });
    const { channels } = await load();
    expect(channels.map(({ data }) => data[0])).toEqual([40, 7]);
    await write("imagesTr/a_0001.nii.gz", { ...image, spacingMm: [1, 1, 3] });
    await expect(load()).rejects.toThrow(
      /a_0001\.nii\.gz.*does not have the same geometry as the first channel/,
    );
  });

  test("names both geometries where they differ", async () => {
    await write("labelsTr/a.nii.gz", { ...label, spacingMm: [1, 1, 3] });
    await expect(load()).rejects.toThrow(/1×1×3 mm.*does not have the same geometry as its image.*1×1×2 mm/);
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
