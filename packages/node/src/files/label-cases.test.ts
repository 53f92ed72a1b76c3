// The faulty SEG and RTSTRUCT files of the fixtures, each a row: what the command must make of it.
import { fileURLToPath } from "node:url";
import { objectSummary, readSeg } from "@lnsnet/core/formats";
import { measureNodes } from "@lnsnet/core/voxels";
import { describe, expect, test } from "vitest";
import { readBytes } from "./disk.js";
import { readImage } from "./imaging.js";
import { readLabels } from "./labels.js";

const fixture = (path: string) => fileURLToPath(new URL(`../../../../fixtures/${path}`, import.meta.url));
const imaging = (path: string) => fixture(`imaging-cases/${path}`);

describe("labels on the series that they were drawn on", () => {
  test.each<[string, string, string, readonly number[]]>([
    ["contours on slices of 3 and 6 mm", "rt-uneven-3-then-6/RS.dcm", "rt-uneven-3-then-6/ct", [1.571]],
    [
      "frames on slices of 3 and 6 mm",
      "seg-on-uneven-series/seg.dcm",
      "rt-uneven-3-then-6/ct",
      [0.309, 0.285],
    ],
    [
      "one frame, thicker than the slices are apart",
      "seg-single-frame-thickness-5/seg.dcm",
      "ct-control",
      [0.0396],
    ],
    ["a labelmap in palette colour", "seg-labelmap-palette/seg.dcm", "ct-control", [0.1584, 0.1188]],
    [
      "a labelmap whose padding is background",
      "seg-labelmap-background-by-padding/seg.dcm",
      "ct-control",
      [0.1584, 0.1188],
    ],
  ])("%s have the volume of their slabs", async (_, labels, scan, volumesMl) => {
    const reference = await readImage(imaging(scan));
    const { volume } = await readLabels(imaging(labels), { reference, pattern: null });
    const found = measureNodes(volume, null, "labels").map(({ volumeMl }) => volumeMl);
    expect(found).toHaveLength(volumesMl.length);
    for (const [n, volumeMl] of volumesMl.entries())
      expect(Math.abs(found[n] / volumeMl - 1)).toBeLessThan(0.02);
  });

  test("a backslash behind the last value of a contour changes nothing", async () => {
    const reference = await readImage(imaging("ct-control"));
    const { volume } = await readLabels(imaging("rt-trailing-backslash/RS.dcm"), {
      reference,
      pattern: null,
    });
    expect(measureNodes(volume, null, "components")).toHaveLength(1);
  });
});

test("a labelmap in palette colour has the voxels of its twin in shades of grey", async () => {
  const palette = await readBytes(imaging("seg-labelmap-palette/seg.dcm"));
  const monochrome = Buffer.from(palette);
  monochrome.write("MONOCHROME2  ", monochrome.indexOf("PALETTE COLOR"), "latin1");
  const [coloured, grey] = [await readSeg(palette, "palette"), await readSeg(monochrome, "grey")];
  expect(coloured.segments.map(({ label }) => label)).toEqual(["LN left", "LN right"]);
  expect(coloured.segments.map(({ mask }) => mask())).toEqual(grey.segments.map(({ mask }) => mask()));
});

test.each(["dense.dcm", "far.dcm", "zfar.dcm"])(
  "contours far from their scan are refused at once: %s",
  async (name) => {
    const { volume } = await readImage(imaging("ct-control"));
    const reference = { volume, source: null, problems: [] };
    const read = readLabels(fixture(`robustness-cases/rt-far/${name}`), { reference, pattern: null });
    await expect(read).rejects.toThrow(/no voxel of "LN"/);
  },
);

test.each(["e5.dcm", "e9.dcm"])("frames a million slices apart are refused at once: %s", async (name) => {
  const read = readLabels(fixture(`robustness-cases/seg-far/${name}`), { reference: null, pattern: null });
  await expect(read).rejects.toThrow(/so far apart/);
});

test("info describes a SEG, an RTSTRUCT and a report: what is in them and what they refer to", async () => {
  const described = async (path: string) => {
    const summary = await objectSummary(await readBytes(imaging(path)), path);
    return summary?.regions.map(({ label, voxels, contours }) => [label, voxels, contours]);
  };
  expect(await described("seg-labelmap-palette/seg.dcm")).toEqual([
    ["LN left", 64, null],
    ["LN right", 48, null],
  ]);
  expect(await described("rt-uneven-3-then-6/RS.dcm")).toEqual([["GTVn", null, 8]]);
});
