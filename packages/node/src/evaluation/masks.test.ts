// Voxels that nobody judged are no background of a truth, wherever its data set says so.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeNifti } from "@lnsnet/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readPair } from "./masks.js";

let folder = "";
const rules = { truthLabel: null, predictionLabel: null, threshold: null };
const mask = (...values: number[]) =>
  writeNifti({
    size: [values.length, 1, 1],
    spacingMm: [1, 1, 1],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: Uint8Array.from(values),
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-masks-"));
  await writeFile(join(folder, "prediction.nii.gz"), mask(0, 1, 0));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([
  ["nnU-Net v2", { labels: { background: 0, node: 1, ignore: 2 } }, true],
  ["nnU-Net v1", { labels: { "0": "background", "1": "node", "2": "ignore" } }, true],
  ["two classes", { labels: { background: 0, node: 1, other: 2 } }, false],
  ["no labels at all", { name: "scans" }, false],
])(
  "a truth of a data set of %s is refused where it holds the value of ignore",
  async (name, content, isRefused) => {
    const data = join(folder, name);
    await mkdir(join(data, "labelsTs"), { recursive: true });
    await writeFile(join(data, "dataset.json"), JSON.stringify(content));
    const pairOf = (file: string) => ({
      case: file,
      truthPath: join(data, "labelsTs", file),
      predictionPath: join(folder, "prediction.nii.gz"),
    });
    await writeFile(join(data, "labelsTs/marked.nii.gz"), mask(0, 1, 2));
    await writeFile(join(data, "labelsTs/whole.nii.gz"), mask(0, 1, 1));
    if (isRefused) {
      const read = readPair(pairOf("marked.nii.gz"), rules);
      await expect(read).rejects.toThrow(
        /marked\.nii\.gz holds 2, which the data set's dataset\.json calls "ignore"/,
      );
    } else expect((await readPair(pairOf("marked.nii.gz"), rules)).truthValues).toEqual([1, 2]);
    expect((await readPair(pairOf("whole.nii.gz"), rules)).truthValues).toEqual([1]);
  },
);
