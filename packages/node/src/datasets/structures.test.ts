// What of a data set can be clicked.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openDataset } from "./dataset.js";
import { drawnLayers, leftOutStructures } from "./structures.js";

let folder = "";
const grid = {
  size: [6, 1, 1],
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
} as const;
const row = (...values: number[]) => writeNifti({ ...grid, data: Int16Array.from(values) });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-structures-"));
  for (const part of ["imagesTr", "labelsTr", "instancesTr", "organsTr"]) await mkdir(join(folder, part));
  const labels = { background: 0, node: 1, gland: 2, ignore: 3 };
  await writeFile(join(folder, "dataset.json"), JSON.stringify({ labels, channel_names: { 0: "CT" } }));
  for (const id of ["a", "b"]) {
    await writeFile(join(folder, `imagesTr/${id}_0000.nii.gz`), row(0, 10, 20, 30, 40, 50));
    await writeFile(join(folder, `labelsTr/${id}.nii.gz`), row(1, 0, 2, 1, 3, 0));
  }
  await writeFile(join(folder, "instancesTr/a.nii.gz"), row(7, 0, 8, 9, 9, 0));
  await writeFile(join(folder, "organsTr/a.nii.gz"), row(5, 5, 0, 0, 0, 6));
});
afterAll(() => rm(folder, { recursive: true }));

test("organs, then instances, or where there are none the label by component; without what is left out", async () => {
  const { training, labels } = await openDataset(folder);
  const layersOf = async (number: number, names: string[]) => {
    const { layers } = await drawnLayers(training[number], labels, leftOutStructures(names, labels));
    return layers.map(({ volume, byValue }) => [byValue, [...volume.data]]);
  };
  expect(await layersOf(0, [])).toEqual([
    [true, [5, 5, 0, 0, 0, 6]],
    [true, [7, 0, 8, 9, 0, 0]],
  ]);
  expect(await layersOf(0, ["gland", "organs:5"])).toEqual([
    [true, [0, 0, 0, 0, 0, 6]],
    [true, [7, 0, 0, 9, 0, 0]],
  ]);
  expect(await layersOf(1, ["node"])).toEqual([[false, [0, 0, 2, 0, 0, 0]]]);
});

test("a name that is none is refused", async () => {
  const { labels } = await openDataset(folder);
  expect(leftOutStructures(["organs:12"], labels)).toEqual({ classes: [], organs: [12] });
  for (const name of ["parotid", "organs:0", "organs:x", ""])
    expect(() => leftOutStructures([name], labels)).toThrow(InputError);
});
