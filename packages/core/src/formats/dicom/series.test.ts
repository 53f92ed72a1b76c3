// Files become series, each problem is named, and what is read lies where it was scanned, in HU.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { pointOfIndex, type Vector3 } from "../../volume/volume.js";
import {
  bytesOf,
  type CtAttributes,
  ctFile,
  ctItem,
  ctSeries,
  encapsulatedFile,
  fixture,
  named,
} from "./ct.test-helper.js";
import { encodeFile, type Item, implicitLittleEndian } from "./encode.js";
import { chooseSeries, listSeries, problemsOfReading, readSeries } from "./series.js";
import type { NamedFile } from "./slices.js";

const pixels = (...values: number[]) => ({ PixelData: bytesOf(Int16Array.from(values)) });
const read = async (files: NamedFile[], wanted?: string) =>
  readSeries(chooseSeries(await listSeries(files), wanted));

test("slices in the order of their positions, with what a segmentation must say of them", async () => {
  const files = ctSeries([5, 0, 2.5], (n) => ({ ...pixels(n, n, n, 10 * n), PatientName: "DOE^JANE" }));
  const { volume, source, problems } = await read(files);
  expect(problems).toEqual([]);
  expect(volume).toEqual({
    size: [2, 2, 3],
    spacingMm: [1, 1, 2.5],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    data: Int16Array.of(1, 1, 1, 10, 2, 2, 2, 20, 0, 0, 0, 0),
  });
  expect(source).toMatchObject({ seriesInstanceUid: "1.2.3", frameOfReferenceUid: "1.2.9", modality: "CT" });
  expect(source.study.patientName).toBe("DOE^JANE");
  expect(source.slices?.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual([
    "1.2.3.2",
    "1.2.3.3",
    "1.2.3.1",
  ]);
  expect(source.slices).toBe(source.instances);
});

test.each<[string, CtAttributes, RegExp]>([
  ["a slope of 0", { RescaleSlope: "0" }, /has a Rescale Slope of 0/],
  [
    "HU by a table",
    { ModalityLUTSequence: [{ RescaleType: "HU" }] },
    /maps its values to HU with a table \(Modality LUT Sequence\)/,
  ],
])("%s is refused", async (_, attributes, message) => {
  await expect(read(ctSeries([0, 1, 2], () => attributes))).rejects.toThrow(message);
});

test("pixel spacing is between rows first", async () => {
  const { volume } = await read(ctSeries([0, 1], () => ({ PixelSpacing: ["3", "2"] })));
  expect(volume.spacingMm).toEqual([2, 3, 1]);
});

describe("values", () => {
  const rows: [string, (n: number) => CtAttributes, Int16Array | Float32Array, string[]][] = [
    [
      "rescaled to whole HU",
      () => ({ ...pixels(0, 1, 2, 3), RescaleSlope: "2", RescaleIntercept: "-1024" }),
      Int16Array.of(-1024, -1022, -1020, -1018),
      [],
    ],
    [
      "rescaled to parts of HU",
      () => ({ ...pixels(0, 1, 2, 3), RescaleSlope: "0.5" }),
      Float32Array.of(0, 0.5, 1, 1.5),
      [],
    ],
    [
      "beyond 16 bits",
      () => ({ ...pixels(0, 1, 2, 20000), RescaleSlope: "2" }),
      Float32Array.of(0, 2, 4, 40000),
      [],
    ],
    ["padding kept as it is", () => pixels(-2000, 1, 2, 3), Int16Array.of(-2000, 1, 2, 3), []],
    [
      "without rescale",
      () => ({ RescaleSlope: "", RescaleIntercept: "" }),
      Int16Array.of(0, 1, 2, 3),
      ["missing-rescale"],
    ],
    ["of another unit", () => ({ RescaleType: "US" }), Int16Array.of(0, 1, 2, 3), ["not-hounsfield"]],
  ];
  test.each(rows)("%s", async (_, attributes, expected, problems) => {
    const { volume, problems: found } = await read(ctSeries([0, 1], attributes));
    expect(volume.data.slice(0, 4)).toEqual(expected);
    expect(found.map(({ kind }) => kind)).toEqual(problems);
  });

  test("each slice by its own slope, also where only a later one leaves the whole numbers of 16 bits", async () => {
    const files = ctSeries([0, 1, 2], (n) => ({ ...pixels(1, 2, 3, 30000), RescaleSlope: `${n + 1}` }));
    const { volume, problems } = await read(files);
    expect([...volume.data]).toEqual([1, 2, 3, 30000, 2, 4, 6, 60000, 3, 6, 9, 90000]);
    expect(volume.data).toBeInstanceOf(Float32Array);
    expect(problems).toMatchObject([{ kind: "mixed-rescale", isRefused: false }]);
  });
});

describe("multi-frame CT", () => {
  const frameGroups = (z: number): Item => ({
    PlanePositionSequence: [{ ImagePositionPatient: ["1", "2", `${z}`] }],
  });
  const shared: Item = {
    PlaneOrientationSequence: [{ ImageOrientationPatient: ["1", "0", "0", "0", "1", "0"] }],
    PixelMeasuresSequence: [{ PixelSpacing: ["0.5", "0.5"], SliceThickness: "3" }],
    PixelValueTransformationSequence: [{ RescaleSlope: "1", RescaleIntercept: "-1000", RescaleType: "HU" }],
  };
  const { ImagePositionPatient: _1, ImageOrientationPatient: _2, PixelSpacing: _3, ...rest } = ctItem();
  const { RescaleSlope: _4, RescaleIntercept: _5, ...bare } = rest;
  const enhanced = (more: CtAttributes) =>
    encodeFile(
      {
        ...bare,
        SOPClassUID: "1.2.840.10008.5.1.4.1.1.2.1",
        NumberOfFrames: "3",
        ...pixels(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
        ...more,
      },
      implicitLittleEndian,
    );

  test("by its functional groups: the frame's, then the shared ones", async () => {
    const ownSlope = {
      ...frameGroups(0),
      PixelValueTransformationSequence: [{ RescaleSlope: "10", RescaleIntercept: "0" }],
    };
    const file = enhanced({
      SharedFunctionalGroupsSequence: [shared],
      PerFrameFunctionalGroupsSequence: [frameGroups(6), ownSlope, frameGroups(3)],
    });
    const { volume, source } = await read([named(file, "enhanced")]);
    expect([...volume.data]).toEqual([20, 20, 20, 20, -997, -997, -997, -997, -999, -999, -999, -999]);
    expect(volume).toMatchObject({ originMm: [1, 2, 0], spacingMm: [0.5, 0.5, 3], size: [2, 2, 3] });
    expect(source.slices?.map(({ frame }) => frame)).toEqual([2, 3, 1]);
  });

  test("refused where its frames have no position", async () => {
    const file = enhanced({ SharedFunctionalGroupsSequence: [shared] });
    await expect(read([named(file, "enhanced")])).rejects.toThrow(/3 frames and states the positions of 0/);
  });
});

describe("the head of fixtures/dicom-ct, tilted by 18.5° and unevenly spaced", () => {
  const files = Array.from({ length: 28 }, (_, n) => `${n + 1}`.padStart(2, "0")).map((number) =>
    named(fixture(`tilted-uneven/${number}.dcm`), number),
  );
  const golden: {
    size: number[];
    spacingMm: number[];
    originMm: number[];
    voxels: [number, number, number, number][];
  } = JSON.parse(new TextDecoder().decode(fixture("tilted-uneven.json")));

  test("is resampled onto the grid and to the HU that SciPy gives", async () => {
    const { volume, source, problems } = await read(files);
    expect(problems.map(({ kind }) => kind)).toEqual(["uneven-spacing", "gantry-tilt"]);
    expect(problems[0].message).toContain("13 × 4.00, 1 × 1.08, 13 × 7.00 mm");
    expect(problems[1].message).toContain("18.5°");
    expect(source.slices).toBeNull();
    expect(source.instances).toHaveLength(28);
    expect(volume.size).toEqual(golden.size);
    // The tags round the directions to 1e-7, which makes 1e-5 mm of the length.
    for (const axis of [0, 1, 2]) {
      expect(volume.spacingMm[axis]).toBeCloseTo(golden.spacingMm[axis], 5);
      expect(volume.originMm[axis]).toBeCloseTo(golden.originMm[axis], 4);
    }
    const [nx, ny] = volume.size;
    const differences = golden.voxels.map(([i, j, k, hu]) =>
      Math.abs(volume.data[i + nx * (j + ny * k)] - hu),
    );
    // Whole HU are at most half a unit away; the rest is rounding of the tags.
    expect(Math.max(...differences)).toBeLessThan(0.51);
    expect(golden.voxels.filter(([, , , hu]) => hu === -1024).length).toBeGreaterThan(20);
  });

  test("the first pixel of the first slice is where its tag says", async () => {
    const { volume } = await read(files);
    const first = (await read([files[0]])).volume;
    const index: Vector3 = [0, golden.size[1] - 32, 0];
    const point = pointOfIndex(volume, index);
    for (const axis of [0, 1, 2]) expect(point[axis]).toBeCloseTo(first.originMm[axis], 4);
  });
});

describe("listed with its problem", () => {
  const localizer = { ImageType: ["ORIGINAL", "PRIMARY", "LOCALIZER"] };
  const rows: [string, NamedFile[], string[][]][] = [
    [
      "a localizer among slices",
      ctSeries([0, 1, 2], (n) => (n === 1 ? localizer : {})),
      [["localizer"], ["single-slice", "localizer"]],
    ],
    [
      "a secondary capture",
      ctSeries([0, 1], () => ({ SOPClassUID: "1.2.840.10008.5.1.4.1.1.7" })),
      [["secondary-capture"]],
    ],
    ["an MR series", ctSeries([0, 1], () => ({ Modality: "MR" })), [["wrong-modality"]]],
    [
      "colour",
      ctSeries([0, 1], () => ({ SamplesPerPixel: 3, PhotometricInterpretation: "RGB" })),
      [["colour"]],
    ],
    ["zero spacing", ctSeries([0, 1], () => ({ PixelSpacing: ["0", "0"] })), [["bad-geometry"]]],
    [
      "two orientations",
      ctSeries([0, 1, 2, 3], (n) =>
        n < 2
          ? {}
          : {
              ImageOrientationPatient: ["1", "0", "0", "0", "0", "-1"],
              ImagePositionPatient: ["0", `${n}`, "0"],
            },
      ),
      [["mixed-orientation"], ["mixed-orientation"]],
    ],
    [
      "two sizes",
      ctSeries([0, 1, 2, 3], (n) => (n < 2 ? {} : { Rows: 1, Columns: 4 })),
      [["mixed-size"], ["mixed-size"]],
    ],
    [
      "two frames of reference",
      ctSeries([0, 1, 2, 3], (n) => (n < 2 ? {} : { FrameOfReferenceUID: "1.2.10" })),
      [["mixed-frame-of-reference"], ["mixed-frame-of-reference"]],
    ],
    ["a file twice", [...ctSeries([0, 1]), ...ctSeries([0])], [["duplicate-slice"]]],
    ["two images at one position", ctSeries([0, 1, 1, 2]), [["duplicate-slice"]]],
    [
      "JPEG XL",
      [named(encapsulatedFile({}, "1.2.840.10008.1.2.4.110", [new Uint8Array(8)]), "xl")],
      [["single-slice", "unsupported-syntax"]],
    ],
    ["a file cut short", [named(ctFile().slice(0, -4), "cut"), ...ctSeries([1, 2])], [["damaged-file"]]],
  ];
  test.each(rows)("%s", async (_, files, expected) => {
    const { series } = await listSeries(files);
    expect(series.map(({ problems }) => problems.map(({ kind }) => kind).sort())).toEqual(
      expected.map((kinds) => [...kinds].sort()),
    );
    for (const { message } of series.flatMap(({ problems }) => problems))
      expect(message).toMatch(/^[A-Z0-9a-z][^\n]*\.$/);
  });
});

test("a localizer of another orientation is told of the slices that are read without it", async () => {
  const sagittal = {
    ImageType: ["ORIGINAL", "PRIMARY", "LOCALIZER"],
    ImageOrientationPatient: ["0", "1", "0", "0", "0", "-1"],
  };
  const { volume, problems } = await read(ctSeries([0, 1, 2, 3], (n) => (n > 2 ? sagittal : {})));
  expect(volume.size).toEqual([2, 2, 3]);
  expect(problems.map(({ message }) => message)).toEqual([
    "1 image of the series is a localizer (scout view), listed apart and no part of the volume.",
  ]);
});

describe("an object of two phases", () => {
  const phases = (second: readonly number[]) => [
    ...ctSeries([0, 1]),
    ...ctSeries([0, 1], (n) => ({
      SOPInstanceUID: `1.2.4.${n}`,
      PixelData: bytesOf(Int16Array.from(second)),
    })),
  ];

  test("is refused by the listing's problems as by reading", async () => {
    const [series] = (await listSeries(phases([9, 1, 2, 3]))).series;
    const refused = (await problemsOfReading(series)).filter(({ isRefused }) => isRefused);
    expect(refused).toEqual([
      expect.objectContaining({
        kind: "unequal-slices",
        message: expect.stringMatching(
          /lie at the same position and differ, as in a series of several phases/,
        ),
      }),
    ]);
    await expect(readSeries(series)).rejects.toThrow(refused[0].message);
  });

  test("of equal pixels is read, with the note that slices are there twice", async () => {
    const [series] = (await listSeries(phases([0, 1, 2, 3]))).series;
    expect((await problemsOfReading(series)).map(({ kind }) => kind)).toEqual(["duplicate-slice"]);
    expect((await readSeries(series)).volume.size).toEqual([2, 2, 2]);
  });
});

test.each([
  [
    "a JPEG 2000 frame of another size",
    "j2k-poison/bad-size2.dcm",
    /it has 2147483647 × 2147483647 pixels, not 64 × 48/,
  ],
  ["a JPEG frame of another size", "jpeg-poison/jpeg-50-bad.dcm", /it has 65535 × 65535 pixels, not 64 × 48/],
])("%s is refused in the listing", async (_, path, message) => {
  const bytes = readFileSync(new URL(`../../../../../fixtures/robustness-cases/${path}`, import.meta.url));
  const { series } = await listSeries([named(new Uint8Array(bytes), "scan.dcm")]);
  const refused = series[0].problems.filter(({ isRefused }) => isRefused);
  expect(refused.map(({ kind }) => kind)).toEqual(["damaged-file"]);
  expect(refused[0].message).toMatch(message);
});

test("pixels fewer than the header promises are refused in the listing", async () => {
  const { series } = await listSeries(
    ctSeries([0, 1], (n) => (n === 1 ? { PixelData: new Uint8Array(6) } : {})),
  );
  expect(series[0].problems.find(({ isRefused }) => isRefused)?.message).toMatch(
    /it has 6 bytes of pixels, and its header promises 8/,
  );
});

test("a localizer does not stand in the way of the slices of its series", async () => {
  const files = ctSeries([0, 1, 2], (n) =>
    n === 1 ? { ImageType: ["ORIGINAL", "PRIMARY", "LOCALIZER"] } : {},
  );
  expect((await read(files)).volume.spacingMm).toEqual([1, 1, 2]);
});

test("what is no image is told apart", async () => {
  const { series, others } = await listSeries([
    ...ctSeries([0]),
    named(ctFile({ Modality: "SEG" }), "a.dcm"),
    named(new TextEncoder().encode("{}"), "b.json"),
    named(new Uint8Array(0), "c.dcm"),
  ]);
  expect(series).toHaveLength(1);
  expect(others).toEqual([
    { name: "a.dcm", reason: "a.dcm is a DICOM SEG, not an image." },
    { name: "b.json", reason: expect.stringContaining("is not a DICOM file") },
    { name: "c.dcm", reason: expect.stringContaining("is empty") },
  ]);
});

describe("chosen", () => {
  const files = [
    ...ctSeries([0, 1], () => ({
      SeriesInstanceUID: "1.5",
      SeriesNumber: "2",
      SeriesDescription: "Neck bone",
    })),
    ...ctSeries([0, 1], () => ({
      SeriesInstanceUID: "1.6",
      SeriesNumber: "3",
      SeriesDescription: "Neck soft",
    })),
    ...ctSeries([0, 1], () => ({ SeriesInstanceUID: "1.7", SeriesNumber: "1", Modality: "MR" })),
  ];
  test.each([
    ["2", "1.5"],
    ["1.6", "1.6"],
    ["SOFT", "1.6"],
  ])("by %s", async (wanted, uid) => {
    expect(chooseSeries(await listSeries(files), wanted).seriesInstanceUid).toBe(uid);
  });

  test.each([
    [
      undefined,
      /^3 series were found.*1: MR series 1 "Neck".*2: CT series 2 "Neck bone" \(2 slices of 2 × 2, UID 1\.5\)/,
    ],
    ["neck", /^3 series fit "neck"/],
    ["thorax", /^No series fit "thorax"/],
    ["4", /^No series fit "4"/],
  ])("not by %s, which is answered by the list", async (wanted, message) => {
    const listing = await listSeries(files);
    expect(() => chooseSeries(listing, wanted)).toThrow(message);
    expect(() => chooseSeries(listing, wanted)).toThrow(InputError);
  });

  test("without a wish the only one that can be read", async () => {
    const listing = await listSeries(files.slice(2));
    expect(chooseSeries(listing, undefined).seriesInstanceUid).toBe("1.6");
  });

  test("not where there is none", async () => {
    expect(() => chooseSeries({ series: [], others: [] }, undefined)).toThrow(/^No DICOM images were found/);
    const { others } = await listSeries([named(new Uint8Array(3), "x.txt")]);
    expect(() => chooseSeries({ series: [], others }, undefined)).toThrow(/x\.txt is not a DICOM file/);
  });
});

describe("refused", () => {
  const rows: [string, NamedFile[], RegExp][] = [
    ["MR", ctSeries([0, 1], () => ({ Modality: "MR" })), /modality is MR, and CT is expected/],
    [
      "a missing slice",
      ctSeries([0, 1, 3, 4], (n) => ({ InstanceNumber: `${[1, 2, 4, 5][n]}` })),
      /1 slice is missing/,
    ],
    [
      "two that differ at one position",
      ctSeries([0, 1, 1, 2], (n) => pixels(n, n, n, n)),
      /slice-3 and slice-2 lie at the same position and differ/,
    ],
    [
      "a file cut off early",
      [named(ctFile().slice(0, ctFile().length - 120), "cut"), ...ctSeries([1, 2])],
      /1 of its files cannot be read: cut is a DICOM file/,
    ],
    [
      "a file cut short",
      [named(ctFile().slice(0, -4), "cut"), ...ctSeries([1, 2])],
      /1 of its files cannot be read: cut is a DICOM file that is cut short/,
    ],
    [
      "colour",
      ctSeries([0], () => ({ SamplesPerPixel: 3, PhotometricInterpretation: "RGB" })),
      /colour images/,
    ],
    ["zero spacing", ctSeries([0, 1], () => ({ PixelSpacing: ["0", "0"] })), /spacing of 0 × 0 × 1 mm/],
  ];
  test.each(rows)("%s", async (_, files, message) => {
    const reading = read(files);
    await expect(reading).rejects.toBeInstanceOf(InputError);
    await expect(reading).rejects.toThrow(message);
    await expect(reading).rejects.toThrow(/^[^\n]*\.$/);
  });

  test("but two equal images at one position are one", async () => {
    const { volume } = await read(ctSeries([0, 1, 1, 2]));
    expect(volume.size).toEqual([2, 2, 3]);
  });
});
