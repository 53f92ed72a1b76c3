// CT series that readers are known to get wrong, of fixtures/imaging-cases and fixtures/robustness-cases: each is read as
// its healthy twin, or refused in a sentence that says why.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import type { Volume } from "../../volume/volume.js";
import { readSeg } from "./seg.js";
import { chooseSeries, listSeries, readSeries } from "./series.js";
import type { SeriesProblemKind } from "./series-problem.js";
import type { NamedFile } from "./slices.js";

const fixtures = fileURLToPath(new URL("../../../../../fixtures/", import.meta.url));

/** The file, or the files of a folder, named by their last part. */
function filesAt(path: string): NamedFile[] {
  const whole = join(fixtures, path);
  const paths = statSync(whole).isDirectory() ? readdirSync(whole).map((name) => join(whole, name)) : [whole];
  return paths.map((path) => ({
    name: basename(path),
    read: async () => new Uint8Array(readFileSync(path)),
  }));
}

async function read(path: string) {
  return readSeries(chooseSeries(await listSeries(filesAt(path)), undefined));
}

const control = await read("imaging-cases/ct-control");

/** Slices `from` to `to` of the healthy series: all are made of the same voxels. */
function controlVolume(from = 0, to = 12): Volume {
  const { volume } = control;
  const plane = volume.size[0] * volume.size[1];
  return {
    ...volume,
    size: [volume.size[0], volume.size[1], to - from],
    originMm: [volume.originMm[0], volume.originMm[1], volume.originMm[2] + 2.5 * from],
    data: volume.data.slice(plane * from, plane * to),
  };
}

test("the healthy series is the grid of its README", () => {
  expect(control.problems).toEqual([]);
  expect(control.volume).toMatchObject({ size: [24, 20, 12], spacingMm: [0.9, 1.1, 2.5] });
});

describe("read as the healthy series, with a note where something was made up for", () => {
  const rows: [string, SeriesProblemKind[], Volume][] = [
    ["ct-first-slice-empty-file", ["unreadable-neighbour"], controlVolume(1)],
    ["ct-instancenumber-text", [], controlVolume()],
    ["ct-intercept-without-slope", ["missing-rescale"], controlVolume()],
    ["ct-last-slice-bad-instancenumber", [], controlVolume()],
    ["ct-last-slice-bad-thickness", [], controlVolume()],
    ["ct-last-slices-cut-at-200", ["unreadable-neighbour"], controlVolume(0, 9)],
    ["ct-last-slices-empty-files", ["unreadable-neighbour"], controlVolume(0, 9)],
    ["ct-meta-without-transfersyntax", [], controlVolume()],
    ["ct-numberofframes-0", [], controlVolume()],
    ["ct-positions-rounded-to-mm", ["rounded-positions"], controlVolume()],
    ["ct-preamble-no-meta", [], controlVolume()],
    ["ct-same-sopinstanceuid", ["repeated-uid"], controlVolume()],
    ["ct-seqdelim-undefined-length", [], controlVolume()],
    ["ct-seriesnumber-text", [], controlVolume()],
    ["enh-rle-extended-offset-table-OV", [], controlVolume()],
  ];
  test.each(rows)("%s", async (name, kinds, expected) => {
    const { volume, problems } = await read(`imaging-cases/${name}`);
    expect(problems.map(({ kind }) => kind)).toEqual(kinds);
    expect(volume.data).toEqual(expected.data);
    expect(volume.size).toEqual(expected.size);
    for (const axis of [0, 1, 2]) {
      expect(volume.spacingMm[axis]).toBeCloseTo(expected.spacingMm[axis], 6);
      expect(volume.originMm[axis]).toBeCloseTo(expected.originMm[axis], 6);
    }
  });

  test.each([
    ["ct-first-slice-empty-file", ["IM0001.dcm"]],
    ["ct-last-slices-empty-files", ["IM0010.dcm", "IM0011.dcm", "IM0012.dcm"]],
    ["ct-last-slices-cut-at-200", ["IM0010.dcm", "IM0011.dcm", "IM0012.dcm"]],
  ])("%s: the note names the files", async (name, files) => {
    const [{ message }] = (await read(`imaging-cases/${name}`)).problems;
    for (const file of files) expect(message).toContain(file);
  });
});

describe("refused in a sentence, in little time and memory", () => {
  const rows: [string, RegExp][] = [
    ["imaging-cases/ct-ge-private-ts", /compressed by GE Private Implicit VR Big Endian/],
    [
      "imaging-cases/enh-two-phases-differ",
      /e\.dcm \(frame 13\) and e\.dcm \(frame 1\) lie at the same position/,
    ],
    [
      "robustness-cases/dicom-implicit-truncated/cut.dcm",
      /\(7FE0,0010\) states 6144 bytes, and only 2304 are left/,
    ],
    ["robustness-cases/dicom-dataview/a.dcm", /a\.dcm is a DICOM file that is cut short or damaged/],
    ["robustness-cases/dicom-dataview/cut-at-1631.dcm", /cut short or damaged/],
    ["robustness-cases/fuzz-dicom_ct_small/0-fx_tilted-uneven_04.dcm", /cut short or damaged/],
    [
      "robustness-cases/dicom-huge-dims/deflated-frame.dcm",
      /promises 1 × 65535 × 65535 pixels and has 576 bytes/,
    ],
    ["robustness-cases/dicom-huge-dims/frames.dcm", /promises 2147483647 × 4 × 4 pixels/],
    ["robustness-cases/dicom-huge-dims/native.dcm", /promises 1 × 65535 × 65535 pixels/],
    ["robustness-cases/dicom-huge-dims/rle-16k.dcm", /promises 1 × 16000 × 16000 pixels/],
    ["robustness-cases/dicom-huge-dims/rle.dcm", /promises 1 × 65535 × 65535 pixels/],
    ["robustness-cases/j2k-poison/bad-size2.dcm", /2147483647 × 2147483647 pixels, not 64 × 48/],
    ["robustness-cases/jpeg-poison/jpeg-50-bad.dcm", /65535 × 65535 pixels, not 64 × 48/],
    ["robustness-cases/jpeg-poison/jpeg-lossless-57-bad.dcm", /65535 × 65535 pixels, not 64 × 48/],
  ];
  test.each(rows)("%s", async (path, message) => {
    const reading = read(path);
    await expect(reading).rejects.toBeInstanceOf(InputError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(/^[^\n]*\.$/);
  });
});

test.each([
  "dicom-implicit-truncated/sound.dcm",
  "j2k-poison/good.dcm",
  "jpeg-poison/jpeg-50-good.dcm",
  "jpeg-poison/jpeg-lossless-57-good.dcm",
])("the sound twin %s is read", async (path) => {
  expect((await read(`robustness-cases/${path}`)).volume.size).toEqual([64, 48, 1]);
});

test.each(["explicit", "implicit-300k", "implicit"])(
  "text of spaces alone costs no time: %s",
  async (name) => {
    expect((await read(`robustness-cases/dicom-text-spaces/${name}.dcm`)).volume.size).toEqual([4, 4, 1]);
  },
);

test.each([
  ["seg-korean-iso2022ir149", ["림프절", "LN 림프"]],
  ["seg-cyrillic-iso2022ir144", ["узел", "Ganglion ß"]],
])("%s: labels in their own script", async (name, labels) => {
  const bytes = new Uint8Array(readFileSync(join(fixtures, "imaging-cases", name, "seg.dcm")));
  expect((await readSeg(bytes, "seg.dcm")).segments.map(({ label }) => label)).toEqual(labels);
});
