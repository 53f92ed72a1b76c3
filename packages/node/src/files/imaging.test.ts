// Images and labels by their paths: headers with their voxels in another file, and labels chosen by names.
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core/errors";
import { writeVolume } from "@lnsnet/core/formats";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findImages, readImage } from "./imaging.js";
import { readLabels } from "./labels.js";

let folder = "";
const header = (voxels: string) =>
  [
    "NDims = 3",
    "DimSize = 2 1 1",
    "ElementSpacing = 1 1 1",
    "ElementType = MET_UCHAR",
    `ElementDataFile = ${voxels}`,
    "",
  ].join("\n");

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "lnsnet-images-"));
  await mkdir(join(folder, "pair"));
  await writeFile(join(folder, "pair/scan.mhd"), header("scan.raw"));
  await writeFile(join(folder, "pair/scan.raw"), Uint8Array.of(7, 8));
  await writeFile(join(folder, "alone.mhd"), header("gone.raw"));
  const grid = { size: [2, 1, 1], spacingMm: [1, 1, 1], originMm: [0, 0, 0] } as const;
  const labels = { ...grid, direction: [1, 0, 0, 0, 1, 0, 0, 0, 1], data: Uint8Array.of(0, 1) } as const;
  await writeFile(join(folder, "labels.mha"), writeVolume(labels, "labels.mha"));
});
afterAll(() => rm(folder, { recursive: true }));

test.each(["pair", "pair/scan.mhd"])(
  "%s: a header is read with its voxels, and these are no image",
  async (path) => {
    const { volumes, others } = await findImages(join(folder, path));
    expect(others).toEqual([]);
    expect(volumes.map(({ name }) => name)).toEqual([join(folder, "pair/scan.mhd")]);
    expect((await volumes[0].read()).volume.data).toEqual(Uint8Array.of(7, 8));
    expect((await readImage(join(folder, path))).volume.data).toEqual(Uint8Array.of(7, 8));
  },
);

test("a header without its voxels names them", async () => {
  await expect(readImage(join(folder, "alone.mhd"))).rejects.toThrow(/gone\.raw does not exist/);
});

test.each([
  ["half.img", /half of a NIfTI pair \(\.hdr and \.img\)/],
  ["half.img.gz", /half of a NIfTI pair/],
  ["voxels.zraw", /holds voxels without their header/],
  ["points.fcsv", /holds points of 3D Slicer, not an image/],
  ["points.mrk.json", /holds points of 3D Slicer, not an image/],
])("%s alone is told as what it is", async (name, message) => {
  await writeFile(join(folder, name), "# Markups");
  const { others } = await findImages(join(folder, name));
  expect(others).toEqual([{ name: join(folder, name), reason: expect.stringMatching(message) }]);
  await expect(readImage(join(folder, name))).rejects.toThrow(message);
});

test("a DICOM object stays one, whatever its ending", async () => {
  const slice = fileURLToPath(
    new URL("../../../../fixtures/dicom-ct/syntaxes/explicit.dcm", import.meta.url),
  );
  await copyFile(slice, join(folder, "slice.img"));
  expect((await findImages(join(folder, "slice.img"))).series).toHaveLength(1);
});

test("labels without names cannot be chosen by one", async () => {
  const read = readLabels(join(folder, "labels.mha"), { reference: null, pattern: /node/ });
  await expect(read).rejects.toThrow(InputError);
  await expect(read).rejects.toThrow(
    /labels\.mha holds labels without names, so the option roi cannot choose any/,
  );
});
