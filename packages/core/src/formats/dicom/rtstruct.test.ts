import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { geometriesOf, numbers } from "../../volume/geometries.test-helper.js";
import { type Geometry, pointOfIndex, type Vector3, voxelCount } from "../../volume/volume.js";
import { contourProblems, rasteriseContours, traceContours } from "../../voxels/contours.js";
import { requireDrawnOn } from "./belonging.js";
import { itemsOf, parseDataset, textOf, textsOf } from "./dataset.js";
import { encodeFile, explicitLittleEndian, type Item } from "./encode.js";
import { matchRois, roiPattern } from "./roi-names.js";
import { readRtstruct, writeRtstruct } from "./rtstruct.js";
import { fixedContext, sourceOn } from "./source-series.test-helper.js";

const fixture = new Uint8Array(
  readFileSync(new URL("../../../../../fixtures/dicom-seg/rtstruct_pydicom.dcm", import.meta.url)),
);

const grid: Geometry = {
  size: [8, 6, 3],
  spacingMm: [1, 1, 2],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

/** Slices of a mask as rows of text. */
function pictures(mask: Uint8Array, [width, height]: Vector3): string[][] {
  const rows = (mask.join("").match(new RegExp(`.{${width}}`, "g")) ?? []).map((row) =>
    row.replaceAll("0", "."),
  );
  return Array.from({ length: rows.length / height }, (_, k) => rows.slice(k * height, (k + 1) * height));
}

describe("a structure set that pydicom wrote", () => {
  const set = readRtstruct(fixture, "rs.dcm");

  test("names, types and colours come in the order of the ROIs", () => {
    expect(
      set.rois.map(({ number, name, interpretedType, colour, contours }) => [
        number,
        name,
        interpretedType,
        colour,
        contours.length,
      ]),
    ).toEqual([
      [4, "LN IIa left", "GTV", [255, 0, 0], 1],
      [7, "GTVn 2 – Müller", "", null, 3],
      [2, "Isocenter", "ISOCENTER", [0, 255, 0], 0],
      [9, "Empty node", "", [0, 0, 255], 0],
    ]);
    expect(set).toMatchObject({
      label: "TEST",
      frameOfReferenceUid: "1.2.3.4",
      referencedSeriesUids: ["1.2.3.5"],
    });
    expect(set.problems).toEqual(['"Isocenter": 2 points or open contours left out']);
  });

  const ring = ["........", ".11111..", ".1...1..", ".1...1..", ".11111..", "........"];
  const nothing = ["........", "........", "........", "........", "........", "........"];
  const dot = ["........", "......1.", "........", "........", "........", "........"];
  test("a hole by keyhole and a hole by a contour of its own are the same", () => {
    expect(pictures(rasteriseContours(set.rois[0].contours, grid), grid.size)).toEqual([
      nothing,
      ring,
      nothing,
    ]);
    expect(pictures(rasteriseContours(set.rois[1].contours, grid), grid.size)).toEqual([dot, nothing, ring]);
    expect(contourProblems(set.rois[1].contours, grid)).toEqual(["1 gap between contour planes, left empty"]);
  });

  test("belongs to its series alone", () => {
    const source = sourceOn(grid);
    expect(() => requireDrawnOn(set, source)).not.toThrow();
    const rows: [string, Parameters<typeof requireDrawnOn>, RegExp][] = [
      [
        "another series",
        [set, { ...source, seriesInstanceUid: "9.9" }],
        /rs\.dcm was drawn on the series 1\.2\.3\.5, and the series 9\.9 was given/,
      ],
      [
        "another frame of reference",
        [set, { ...source, frameOfReferenceUid: "9.8" }],
        /rs\.dcm lies in the frame of reference 1\.2\.3\.4, and the series 1\.2\.3\.5 in 9\.8/,
      ],
      ["an image without one", [set, { ...source, frameOfReferenceUid: "" }], /in none; choose/],
      [
        "nothing named",
        [{ ...set, frameOfReferenceUid: "", referencedSeriesUids: [] }, source],
        /states neither/,
      ],
    ];
    for (const [, args, message] of rows) {
      expect(() => requireDrawnOn(...args)).toThrow(InputError);
      expect(() => requireDrawnOn(...args)).toThrow(message);
    }
    expect(() => requireDrawnOn({ ...set, referencedSeriesUids: [] }, source)).not.toThrow();
    expect(() => requireDrawnOn({ ...set, referencedSeriesUids: ["8.8", "1.2.3.5"] }, source)).not.toThrow();
  });
});

describe("ROIs by name", () => {
  const names = ["BODY", "LN IIa left", "gtvN 2", "Cord"];
  test.each<[string, number[]]>([
    ["/LN|node|GTVn/i", [1, 2]],
    ["LN|node|GTVn", [1, 2]],
    ["/LN|node|GTVn/", [1]],
    ["/^(?!BODY)/g", [1, 2, 3]],
    ["cord", [3]],
  ])("%s", (pattern, expected) => {
    expect(matchRois(names, roiPattern(pattern), "rs.dcm")).toEqual(expected);
  });

  test("none: the names are listed", () => {
    expect(() => matchRois(names, roiPattern("parotid"), "rs.dcm")).toThrow(InputError);
    expect(() => matchRois(names, roiPattern("parotid"), "rs.dcm")).toThrow(
      'rs.dcm has no ROI that matches /parotid/i, only "BODY", "LN IIa left", "gtvN 2", "Cord"; choose a pattern that matches these names.',
    );
    expect(() => matchRois([], roiPattern("."), "rs.dcm")).toThrow(/rs\.dcm holds no ROI/);
    expect(() => roiPattern("/LN(/i")).toThrow(InputError);
  });
});

const roi: Item = { ROINumber: "1", ROIName: "LN", ReferencedFrameOfReferenceUID: "1.2" };
const file = (dataset: Item & { readonly SOPClassUID?: string; readonly SOPInstanceUID?: string }) =>
  encodeFile(
    {
      SOPClassUID: "1.2.840.10008.5.1.4.1.1.481.3",
      SOPInstanceUID: "1.2.3",
      Modality: "RTSTRUCT",
      ...dataset,
    },
    explicitLittleEndian,
  );

test("every series that is named, and every part of an ROI, counts", () => {
  const part = (z: string): Item => ({
    ReferencedROINumber: "1",
    ContourSequence: [
      {
        ContourGeometricType: "CLOSED_PLANAR",
        ContourData: ["0", "0", z, "2", "0", z, "2", "2", z],
      },
    ],
  });
  const set = readRtstruct(
    file({
      ReferencedFrameOfReferenceSequence: [
        {
          FrameOfReferenceUID: "1.2",
          RTReferencedStudySequence: [
            { RTReferencedSeriesSequence: [{ SeriesInstanceUID: "1.2.8" }, { SeriesInstanceUID: "1.2.9" }] },
          ],
        },
      ],
      StructureSetROISequence: [roi],
      ROIContourSequence: [part("0"), part("2")],
    }),
    "rs.dcm",
  );
  expect(set.referencedSeriesUids).toEqual(["1.2.8", "1.2.9"]);
  expect(set.rois[0].contours.map(({ pointsMm }) => pointsMm[0][2])).toEqual([0, 2]);
});

describe("refused", () => {
  const withContour = (contourData: readonly string[]) =>
    file({
      StructureSetROISequence: [roi],
      ROIContourSequence: [
        {
          ReferencedROINumber: "1",
          ContourSequence: [{ ContourGeometricType: "CLOSED_PLANAR", ContourData: contourData }],
        },
      ],
    });
  test.each<[string, Uint8Array, RegExp]>([
    ["no DICOM", new Uint8Array(500).fill(65), /not a DICOM file/],
    [
      "an image",
      file({ SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", Modality: "CT" }),
      /of modality CT, and an RTSTRUCT was expected/,
    ],
    ["no ROI", file({}), /holds no ROI/],
    [
      "two frames of reference",
      file({
        StructureSetROISequence: [roi, { ...roi, ROINumber: "2", ReferencedFrameOfReferenceUID: "1.3" }],
      }),
      /2 frames of reference/,
    ],
    ["seven numbers", withContour(["1", "2", "3", "4", "5", "6", "7"]), /"LN" with 7 numbers/],
    ["no number", withContour(["1", "2", "x"]), /numbers were expected/],
    ["half a file", fixture.subarray(0, fixture.length - 100), /cut short or damaged/],
  ])("%s", (_, bytes, message) => {
    expect(() => readRtstruct(bytes, "rs.dcm")).toThrow(InputError);
    expect(() => readRtstruct(bytes, "rs.dcm")).toThrow(message);
    expect(() => readRtstruct(bytes, "rs.dcm")).toThrow(/^rs\.dcm [^\n]*\.$/);
  });

  test("nothing to write", () => {
    expect(() => writeRtstruct([], sourceOn(grid), fixedContext())).toThrow(/segmentation is empty/);
    expect(() => writeRtstruct([{ name: "LN 1", contours: [] }], sourceOn(grid), fixedContext())).toThrow(
      /"LN 1" is empty/,
    );
  });

  test("a series without a frame of reference", () => {
    const roiOnGrid = { name: "LN", contours: traceContours(new Uint8Array(voxelCount(grid)).fill(1), grid) };
    const source = { ...sourceOn(grid), frameOfReferenceUid: "" };
    expect(() => writeRtstruct([roiOnGrid], source, fixedContext())).toThrow(InputError);
  });
});

test("what is written says whose it is, what it is, and that it is for research", () => {
  const mask = new Uint8Array(voxelCount(grid));
  mask.fill(1, 48 + 9, 48 + 12);
  const bytes = writeRtstruct(
    [{ name: "LN 1", contours: traceContours(mask, grid) }],
    sourceOn(grid),
    fixedContext(),
  );
  const dataset = parseDataset(bytes, "out.dcm");
  expect(textOf(dataset, "PatientName")).toBe("Müller^Änne");
  expect(textOf(dataset, "StudyInstanceUID")).toBe("1.2.3.1");
  expect(textOf(dataset, "StructureSetDate")).toBe("20260203");
  expect(textOf(dataset, "SeriesDescription")).toMatch(/RESEARCH USE ONLY/);
  expect(textOf(dataset, "StructureSetName")).toMatch(/RESEARCH USE ONLY/);
  expect(textOf(dataset, "StructureSetLabel").length).toBeLessThanOrEqual(16);
  const [roi] = itemsOf(dataset, "StructureSetROISequence");
  expect(textOf(roi, "ROIGenerationAlgorithm")).toBe("");
  expect(textOf(roi, "ROIGenerationDescription")).toBe(
    "How it was drawn is not known; converted by lnsnet 0.1.0.",
  );
  const [drawn] = itemsOf(itemsOf(dataset, "ROIContourSequence")[0], "ContourSequence");
  expect(textOf(drawn, "ContourGeometricType")).toBe("CLOSED_PLANAR");
  const [image] = itemsOf(drawn, "ContourImageSequence");
  expect(textOf(image, "ReferencedSOPInstanceUID")).toBe("1.2.3.100.2");
  for (const value of textsOf(drawn, "ContourData")) expect(value.length).toBeLessThanOrEqual(16);
  expect(
    writeRtstruct([{ name: "LN 1", contours: traceContours(mask, grid) }], sourceOn(grid), fixedContext()),
  ).toEqual(bytes);
});

test("on resampled slices no contour names an image", () => {
  const source = { ...sourceOn(grid), slices: null };
  const contours = traceContours(new Uint8Array(voxelCount(grid)).fill(1), grid);
  const dataset = parseDataset(writeRtstruct([{ name: "LN", contours }], source, fixedContext()), "out.dcm");
  const [drawn] = itemsOf(itemsOf(dataset, "ROIContourSequence")[0], "ContourSequence");
  expect(itemsOf(drawn, "ContourImageSequence")).toEqual([]);
});

test("nodes of at least 8 mm come back from a file voxel for voxel, whatever the grid", () => {
  const nodes = fc.record({
    geometry: geometriesOf(fc.integer({ min: 12, max: 26 })),
    radiiMm: fc.tuple(numbers(4, 9), numbers(4, 9), numbers(4, 9)),
    bumpMm: fc.tuple(numbers(-4, 4), numbers(-4, 4), numbers(-4, 4)),
  });
  fc.assert(
    fc.property(nodes, ({ geometry, radiiMm, bumpMm }) => {
      const mask = blob(geometry, radiiMm, bumpMm);
      fc.pre(mask.includes(1));
      const source = sourceOn(geometry);
      const bytes = writeRtstruct(
        [{ name: "LN 1", contours: traceContours(mask, geometry) }],
        source,
        fixedContext(),
      );
      const set = readRtstruct(bytes, "out.dcm");
      requireDrawnOn(set, source);
      expect(contourProblems(set.rois[0].contours, geometry)).toEqual([]);
      expect(rasteriseContours(set.rois[0].contours, geometry)).toEqual(mask);
    }),
    { seed: 21, numRuns: 60 },
  );
});

test("a contour of 20,000 numbers is written whole", () => {
  const wide: Geometry = { ...grid, size: [4000, 3, 1] };
  const mask = Uint8Array.from({ length: 12_000 }, (_, n) =>
    n % 2 === 0 || Math.floor(n / 4000) === 1 ? 1 : 0,
  );
  const contours = traceContours(mask, wide);
  expect(contours[0].pointsMm.length).toBeGreaterThan(7000);
  const set = readRtstruct(
    writeRtstruct([{ name: "comb", contours }], sourceOn(wide), fixedContext()),
    "out.dcm",
  );
  expect(rasteriseContours(set.rois[0].contours, wide)).toEqual(mask);
});

/** An ellipsoid along the patient's axes with a ball on its side and a hole in its middle. */
function blob(geometry: Geometry, radiiMm: Vector3, bumpMm: Vector3): Uint8Array {
  const [nx, ny] = geometry.size;
  const centre = pointOfIndex(geometry, [nx / 2, ny / 2, geometry.size[2] / 2]);
  return Uint8Array.from({ length: voxelCount(geometry) }, (_, n) => {
    const point = pointOfIndex(geometry, [n % nx, Math.floor(n / nx) % ny, Math.floor(n / (nx * ny))]);
    const from = point.map((value, axis) => value - centre[axis]);
    const inBody = Math.hypot(...from.map((value, axis) => value / radiiMm[axis])) <= 1;
    const inBump = Math.hypot(...from.map((value, axis) => value - bumpMm[axis])) <= 4;
    return (inBody || inBump) && Math.hypot(...from) > 1.5 ? 1 : 0;
  });
}
