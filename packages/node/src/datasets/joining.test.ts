import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core/formats";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadCase, openDataset } from "./dataset.js";
import { joinDatasets } from "./joining.js";

const grid = {
  size: [4, 3, 2],
  spacingMm: [1, 1, 2],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;
const labels = { background: 0, node: 1 };

let folder = "";
/** A data set with one case, whose scan holds a value and whose label is 1 in the voxel of that number. */
async function writeDataset(
  name: string,
  id: string,
  value: number,
  { ignored, ...description }: { readonly ignored?: number; readonly [field: string]: unknown } = {},
) {
  const write = async (part: string, file: string, data: Int16Array | Uint8Array) => {
    await mkdir(join(folder, name, part), { recursive: true });
    await writeFile(join(folder, name, part, `${file}.nii.gz`), writeNifti({ ...grid, data }));
  };
  const label = new Uint8Array(24);
  label[value] = 1;
  if (ignored !== undefined) label[ignored] = 2;
  await write("imagesTr", `${id}_0000`, new Int16Array(24).fill(value));
  await write("labelsTr", id, label);
  await write("instancesTr", id, label);
  const content = { name, labels, channel_names: { 0: "CT" }, numTraining: 1, ...description };
  await writeFile(join(folder, name, "dataset.json"), JSON.stringify(content));
}
const at = (name: string) => join(folder, name);

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "lnsnet-join-")));
});
afterEach(() => rm(folder, { recursive: true }));

test("a joined data set holds the cases of both, read from where they lie", async () => {
  await writeDataset("phantoms", "p", 5);
  await writeDataset("implanted", "i", 7, {
    ignored: 20,
    labels: { ...labels, ignore: 2 },
    patients: { i: "host" },
  });
  const joined = await joinDatasets([at("phantoms"), at("implanted")], at("both"));
  expect(joined).toEqual({
    name: "phantoms + implanted",
    training: [
      { dataset: at("phantoms"), cases: 1 },
      { dataset: at("implanted"), cases: 1 },
    ],
  });
  const text = JSON.parse(await readFile(join(folder, "both/dataset.json"), "utf8"));
  expect(text.dataset.p).toEqual({
    images: ["../phantoms/imagesTr/p_0000.nii.gz"],
    label: "../phantoms/labelsTr/p.nii.gz",
  });
  const dataset = await openDataset(at("both"));
  expect(dataset.patients).toEqual(new Map([["i", "host"]]));
  expect(dataset.training.map(({ id, instancesPath }) => [id, instancesPath])).toEqual([
    ["i", join(folder, "implanted/instancesTr/i.nii.gz")],
    ["p", join(folder, "phantoms/instancesTr/p.nii.gz")],
  ]);
  const [implanted, phantom] = await Promise.all(
    dataset.training.map((scan) => loadCase(scan, dataset.labels)),
  );
  expect([implanted.image.data[0], phantom.image.data[0]]).toEqual([7, 5]);
  expect([...(implanted.label?.data ?? [])].flatMap((value, n) => (value === 0 ? [] : [[n, value]]))).toEqual(
    [
      [7, 1],
      [20, 255],
    ],
  );
  expect([...(phantom.label?.data ?? [])].flatMap((value, n) => (value === 0 ? [] : [[n, value]]))).toEqual([
    [5, 1],
  ]);
});

test("a joined data set is joined with a third", async () => {
  for (const [name, value] of [
    ["a", 1],
    ["b", 2],
    ["c", 3],
  ] as const)
    await writeDataset(name, name, value);
  await joinDatasets([at("a"), at("b")], at("ab"), { name: "two" });
  await joinDatasets([at("ab"), at("c")], at("abc"));
  const dataset = await openDataset(at("abc"));
  expect(dataset.name).toBe("two + c");
  const cases = await Promise.all(dataset.training.map((scan) => loadCase(scan, dataset.labels)));
  expect(cases.map(({ image }) => image.data[0])).toEqual([1, 2, 3]);
});

test("links to the output and to the joined data set lead to the same files", async () => {
  await writeDataset("a", "a", 1);
  await writeDataset("b", "b", 2);
  await mkdir(at("deep/er"), { recursive: true });
  await symlink(at("deep/er"), at("link"));
  await joinDatasets([at("a"), at("b")], at("link/both"));
  await symlink(at("deep/er/both"), at("again"));
  for (const path of ["link/both", "deep/er/both", "again"]) {
    const { training } = await openDataset(at(path));
    expect(training.map(({ imagePath }) => imagePath)).toEqual([
      at("a/imagesTr/a_0000.nii.gz"),
      at("b/imagesTr/b_0000.nii.gz"),
    ]);
  }
});

test("a data set that is given twice, by whatever name, and a file of two cases are refused", async () => {
  await writeDataset("a", "a", 1);
  await symlink(at("a"), at("link"));
  await expect(joinDatasets([at("a"), at("link")], at("out"))).rejects.toThrow(
    /link is the same data set as .*a; give two different ones/,
  );
  await mkdir(at("named"));
  const dataset = { z: { images: ["../link/imagesTr/a_0000.nii.gz"], label: "../a/labelsTr/a.nii.gz" } };
  await writeFile(join(at("named"), "dataset.json"), JSON.stringify({ labels, dataset }));
  await expect(joinDatasets([at("a"), at("named")], at("out"))).rejects.toThrow(
    /a_0000\.nii\.gz belongs to the cases a and z, and would be trained on twice/,
  );
});

describe("refused in a sentence", () => {
  test.each<[string, () => Promise<void>, RegExp]>([
    ["a case of the same name", () => writeDataset("b", "A", 2), /both have a case A; rename its files/],
    [
      "other classes",
      () => writeDataset("b", "b", 2, { labels: { background: 0, tumour: 1 } }),
      /b has the classes tumour \(1\), and .*a has node \(1\)/,
    ],
    [
      "other channels",
      () => writeDataset("b", "b", 2, { channel_names: { 0: "PET" } }),
      /b has the channels PET, and .*a has CT/,
    ],
    [
      "a data set in the output",
      async () => {
        await writeDataset("b", "b", 2);
        await writeDataset("out", "c", 3);
      },
      /out holds dataset\.json, imagesTr, labelsTr/,
    ],
  ])("%s", async (_, prepare, message) => {
    await writeDataset("a", "a", 1);
    await prepare();
    await expect(joinDatasets([at("a"), at("b")], at("out"))).rejects.toThrow(message);
  });

  test.each<[string, object, RegExp]>([
    [
      "a named file that is missing",
      { b: { images: ["gone.nii.gz"], label: "../a/labelsTr/a.nii.gz" } },
      /gone\.nii\.gz does not exist, and .*dataset\.json names it for the case b/,
    ],
    [
      "a folder in place of a file",
      { b: { images: ["../a/imagesTr"], label: "../a/labelsTr/a.nii.gz" } },
      /imagesTr is a folder, and .*dataset\.json names it for the case b, where a file is expected/,
    ],
    ["an empty path", { b: { images: [""], label: "x.nii.gz" } }, /has an empty path for the case b/],
    ...["../b", "", ".b", "c\\b", "b\n"].map((id): [string, object, RegExp] => [
      `a case called ${JSON.stringify(id)}`,
      { [id]: { images: ["../a/imagesTr/a_0000.nii.gz"], label: "../a/labelsTr/a.nii.gz" } },
      /names a case ".*", and its results could not be called so/,
    ]),
    [
      "an image of two cases",
      {
        b: { images: ["../a/imagesTr/a_0000.nii.gz"], label: "../a/labelsTr/a.nii.gz" },
        c: { images: ["../a/../a/imagesTr/a_0000.nii.gz"], label: "../a/instancesTr/a.nii.gz" },
      },
      /names .*a_0000\.nii\.gz twice, for the cases b and c; each file may stand there once/,
    ],
    [
      "a label that is the image",
      { b: { images: ["../a/imagesTr/a_0000.nii.gz"], label: "../a/imagesTr/a_0000.nii.gz" } },
      /names .*a_0000\.nii\.gz twice, for the case b; each file/,
    ],
    [
      "too few images",
      { b: { images: ["../a/imagesTr/a_0000.nii.gz"], label: "../a/labelsTr/a.nii.gz" } },
      /names 1 image for the case b, and each case needs its 2 channels \(CT, PET\)/,
    ],
  ])("%s", async (_, dataset, message) => {
    await writeDataset("a", "a", 1);
    await mkdir(at("named"));
    const channel_names = message.source.includes("PET") ? { 0: "CT", 1: "PET" } : { 0: "CT" };
    await writeFile(join(at("named"), "dataset.json"), JSON.stringify({ labels, channel_names, dataset }));
    await expect(openDataset(at("named"))).rejects.toThrow(message);
  });
});
