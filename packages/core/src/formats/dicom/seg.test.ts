import { readFileSync } from "node:fs";
import fc from "fast-check";
import { gunzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { directions, geometriesOf, numbers } from "../../volume/geometries.test-helper.js";
import { resample } from "../../volume/resample.js";
import {
  type Geometry,
  indexOfPoint,
  pointOfIndex,
  sameGeometry,
  type Volume,
  voxelCount,
  voxelVolumeMm3,
} from "../../volume/volume.js";
import { labelMasks } from "../../voxels/instances.js";
import { readNrrd } from "../nrrd.js";
import { requireDrawnOn } from "./belonging.js";
import { itemsOf, numberOf, numbersOf, parseDataset, textOf, textsOf } from "./dataset.js";
import { encodeFile, explicitLittleEndian, type Item } from "./encode.js";
import { objectSummary } from "./object-summary.js";
import { readSeg, writeSeg } from "./seg.js";
import { fixedContext, sourceOn } from "./source-series.test-helper.js";

const folder = new URL("../../../../../fixtures/dicom-seg/", import.meta.url);
const segFile = (name: string) => gunzipSync(new Uint8Array(readFileSync(new URL(`${name}.dcm.gz`, folder))));
const nrrdFile = (name: string) =>
  readNrrd(new Uint8Array(readFileSync(new URL(`${name}.nrrd`, folder))), name);

const counted = (mask: Uint8Array) => mask.reduce((sum, value) => sum + value, 0);

describe("the same liver in every encoding", () => {
  const livers = ["liver", "liver_expb", "liver_deflate", "liver_rle", "liver_j2k"];
  const cropped = ["", "_deflate", "_rle", "_j2k"].map((syntax) => `liver_nonbyte_aligned${syntax}`);

  test("equals the NRRD of dcmqi, voxel for voxel and in its place", async () => {
    const nrrd = nrrdFile("liver_seg");
    for (const name of livers) {
      const seg = await readSeg(segFile(name), name);
      expect(sameGeometry(seg.geometry, nrrd)).toBe(true);
      expect(seg).toMatchObject({ type: "BINARY", problems: [] });
      expect(
        seg.segments.map(({ number, label, propertyType, algorithmType }) => ({
          number,
          label,
          propertyType,
          algorithmType,
        })),
      ).toEqual([{ number: 1, label: "Liver", propertyType: "Liver", algorithmType: "SEMIAUTOMATIC" }]);
      const mask = seg.segments[0].mask();
      expect(counted(mask)).toBe(107_098);
      expect(mask.every((value, n) => value === nrrd.data[n])).toBe(true);
    }
  });

  test("also where frames do not begin at a byte", async () => {
    const [first, ...others] = await Promise.all(
      cropped.map(async (name) => {
        const seg = await readSeg(segFile(name), name);
        expect(seg.geometry.size).toEqual([510, 510, 3]);
        return seg.segments[0].mask();
      }),
    );
    expect(counted(first)).toBe(107_098);
    for (const other of others) expect(other.every((value, n) => value === first[n])).toBe(true);
  });
});

test("overlapping segments keep all their voxels", async () => {
  const seg = await readSeg(segFile("partial_overlaps"), "overlaps");
  const layers = [1, 2, 3].map((n) => nrrdFile(`partial_overlaps-${n}`));
  expect(seg.segments.map(({ label }) => label)).toEqual([
    "GREEN",
    "ORANGE",
    "PURPLE",
    "LIGHT_BLUE",
    "DARK_BLUE",
  ]);
  for (const { number, mask } of seg.segments) {
    const voxels = mask();
    expect(
      layers.some((layer) => voxels.every((value, n) => (value === 1) === (layer.data[n] === number))),
    ).toBe(true);
  }
  const { regions: bodies, overlaps } = labelMasks(
    seg.segments.map(({ label, mask }) => ({ name: label, mask: mask() })),
    seg.geometry.size,
  );
  expect(overlaps.length).toBeGreaterThan(0);
  const lost = overlaps.reduce((sum, { voxels }) => sum + voxels, 0);
  expect(bodies.reduce((sum, { voxels }) => sum + voxels, 0) + lost).toBe(
    9602 + 11_888 + 10_743 + 6693 + 4713,
  );
});

test.each([
  ["odd_size", "BINARY", 322],
  ["labelmap_noppv", "LABELMAP", 630],
  ["labelmap_ppv5", "LABELMAP", 630],
])("%s (%s) equals its NRRD", async (name, type, voxels) => {
  const seg = await readSeg(segFile(name), name);
  const nrrd = nrrdFile(name);
  expect(seg.type).toBe(type);
  expect(sameGeometry(seg.geometry, nrrd)).toBe(true);
  expect(seg.segments.map(({ number }) => number)).toEqual([1]);
  const mask = seg.segments[0].mask();
  expect(counted(mask)).toBe(voxels);
  expect(mask.every((value, n) => (value === 1) === (nrrd.data[n] === 1))).toBe(true);
});

test.each([
  // The structured report that dcmqi wrote of it says 33.5824 mL.
  ["primary_tumour", [["Neoplasm, Primary", 795, 33.5824]]],
  [
    "secondary_tumour",
    [
      ["Neoplasm, Primary", 54, 2.281],
      ["Neoplasm, Secondary", 212, 8.955],
    ],
  ],
] as const)("%s of the head and neck has the volumes of its peers", async (name, expected) => {
  const seg = await readSeg(segFile(name), name);
  const voxelMl = voxelVolumeMm3(seg.geometry) / 1000;
  for (const [n, [label, voxels, volumeMl]] of expected.entries()) {
    const mask = seg.segments[n].mask();
    expect(seg.segments[n].label).toBe(label);
    expect(counted(mask)).toBe(voxels);
    expect(voxels * voxelMl).toBeCloseTo(volumeMl, 3);
  }
});

const grid: Geometry = {
  size: [5, 3, 4],
  spacingMm: [1, 2, 3],
  originMm: [10, 20, 30],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
};

/** A label volume with voxels of the given labels at the given places. */
function labelled(
  geometry: Geometry,
  ...voxels: readonly (readonly [label: number, i: number, j: number, k: number])[]
): Volume<Uint16Array> {
  const data = new Uint16Array(voxelCount(geometry));
  for (const [label, i, j, k] of voxels) data[i + geometry.size[0] * (j + geometry.size[1] * k)] = label;
  return { ...geometry, data };
}

describe("a written object", () => {
  const labels = labelled(grid, [7, 0, 0, 1], [7, 4, 2, 3], [2, 1, 1, 1], [300, 2, 2, 0]);
  const bytes = writeSeg(labels, [{ label: 7, name: "LN IIa left" }], sourceOn(grid), fixedContext());
  const dataset = parseDataset(bytes, "out.dcm");

  test("has a segment a label, coded as a lymph node; without a model nobody says how it was drawn", () => {
    const segments = itemsOf(dataset, "SegmentSequence");
    expect(segments.map((item) => [numberOf(item, "SegmentNumber"), textOf(item, "SegmentLabel")])).toEqual([
      [1, "Lymph node 2"],
      [2, "LN IIa left"],
      [3, "Lymph node 300"],
    ]);
    const code = (item: (typeof segments)[number]) =>
      textsOf(item, "CodeValue").concat(textOf(item, "CodingSchemeDesignator"), textOf(item, "CodeMeaning"));
    for (const segment of segments) {
      expect(textOf(segment, "SegmentAlgorithmType")).toBe("MANUAL");
      expect(textOf(segment, "SegmentAlgorithmName")).toBe("");
      expect(textOf(segment, "SegmentDescription")).toContain(
        "How it was drawn is not known; converted by lnsnet 0.1.0.",
      );
      expect(itemsOf(segment, "SegmentedPropertyCategoryCodeSequence").map(code)).toEqual([
        ["91723000", "SCT", "Anatomical Structure"],
      ]);
      expect(itemsOf(segment, "SegmentedPropertyTypeCodeSequence").map(code)).toEqual([
        ["59441001", "SCT", "Lymph node"],
      ]);
    }
    expect(textOf(dataset, "ContentDescription")).toMatch(/RESEARCH USE ONLY/);
    expect(textOf(dataset, "SeriesDescription")).toMatch(/RESEARCH USE ONLY/);
  });

  test("leaves empty frames out and names the slice of each", () => {
    const frames = itemsOf(dataset, "PerFrameFunctionalGroupsSequence").map((groups) => {
      const [position] = itemsOf(groups, "PlanePositionSequence");
      const [identification] = itemsOf(groups, "SegmentIdentificationSequence");
      const [derivation] = itemsOf(groups, "DerivationImageSequence");
      const [content] = itemsOf(groups, "FrameContentSequence");
      return {
        segment: numberOf(identification, "ReferencedSegmentNumber"),
        positionMm: numbersOf(position, "ImagePositionPatient"),
        index: numbersOf(content, "DimensionIndexValues"),
        image: textOf(itemsOf(derivation, "SourceImageSequence")[0], "ReferencedSOPInstanceUID"),
      };
    });
    expect(frames).toEqual([
      { segment: 1, positionMm: [10, 20, 33], index: [1, 2], image: "1.2.3.100.2" },
      { segment: 2, positionMm: [10, 20, 33], index: [2, 2], image: "1.2.3.100.2" },
      { segment: 2, positionMm: [10, 20, 39], index: [2, 3], image: "1.2.3.100.4" },
      { segment: 3, positionMm: [10, 20, 30], index: [3, 1], image: "1.2.3.100.1" },
    ]);
  });

  test("packs bits from the lowest, frame after frame without a gap", () => {
    const element = dataset.content.elements.x7fe00010;
    const pixels = bytes.subarray(element.dataOffset, element.dataOffset + element.length);
    // Frames of 15 bits: voxel 6 of the first, 0 of the second, 14 of the third, 12 of the fourth.
    const expected = new Uint8Array(8);
    for (const bit of [6, 15, 30 + 14, 45 + 12]) expected[bit >> 3] |= 1 << (bit & 7);
    expect(pixels).toEqual(expected);
  });

  test("names every image, and none as a frame's own, where the source was resampled", () => {
    const resampled = { ...sourceOn(grid), slices: null };
    const written = parseDataset(writeSeg(labels, [], resampled, fixedContext()), "out.dcm");
    const [groups] = itemsOf(written, "PerFrameFunctionalGroupsSequence");
    expect(itemsOf(groups, "DerivationImageSequence")).toEqual([]);
    const [shared] = itemsOf(written, "SharedFunctionalGroupsSequence");
    const [derivation] = itemsOf(shared, "DerivationImageSequence");
    const images = itemsOf(derivation, "SourceImageSequence");
    expect(images.map((image) => textOf(image, "ReferencedSOPInstanceUID"))).toEqual(
      [1, 2, 3, 4].map((n) => `1.2.3.100.${n}`),
    );
    expect(images.map((image) => textOf(image, "SpatialLocationsPreserved"))).toEqual(Array(4).fill("NO"));
    expect(
      itemsOf(itemsOf(written, "ReferencedSeriesSequence")[0], "ReferencedInstanceSequence"),
    ).toHaveLength(4);
  });

  test("is refused where it would be empty or lie elsewhere", () => {
    const write = (volume: Volume) => () => writeSeg(volume, [], sourceOn(grid), fixedContext());
    expect(write(labelled(grid))).toThrow(InputError);
    expect(write(labelled(grid))).toThrow(/segmentation is empty/);
    expect(write({ ...labels, originMm: [10, 20, 30.5] })).toThrow(
      /do not have the grid of the series 1\.2\.3\.5/,
    );
  });
});

test("labels come back from a file voxel for voxel and in their place, whatever the grid", async () => {
  const cases = geometriesOf(fc.integer({ min: 1, max: 9 })).chain((geometry) =>
    fc.record({
      geometry: fc.constant(geometry),
      data: fc.array(fc.constantFrom(0, 0, 0, 0, 1, 2, 5), {
        minLength: voxelCount(geometry),
        maxLength: voxelCount(geometry),
      }),
    }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ({ geometry, data }) => {
      fc.pre(data.some((label) => label !== 0));
      const labels = { ...geometry, data: Uint8Array.from(data) };
      const source = sourceOn(geometry);
      const names = [1, 2, 5].map((label) => ({ label, name: String(label) }));
      const seg = await readSeg(writeSeg(labels, names, source, fixedContext()), "out.dcm");
      requireDrawnOn(seg, source);
      // Slices of the file are slices of the source: its corner lies on a voxel.
      for (const index of indexOfPoint(geometry, seg.geometry.originMm)) {
        expect(Math.abs(index - Math.round(index))).toBeLessThan(1e-6);
      }
      const read = new Uint8Array(voxelCount(seg.geometry));
      for (const { label, mask } of seg.segments) {
        mask().forEach((value, n) => {
          if (value === 1) read[n] = Number(label);
        });
      }
      const onSource = resample({ ...seg.geometry, data: read }, geometry, "nearest", 0);
      expect(onSource.data).toEqual(labels.data);
    }),
    { seed: 31, numRuns: 150 },
  );
});

describe("objects of other writers", () => {
  const position = (z: number): Item => ({
    PlanePositionSequence: [{ ImagePositionPatient: ["0", "0", String(z)] }],
  });
  const frame = (z: number, segment = 1): Item => ({
    ...position(z),
    SegmentIdentificationSequence: [{ ReferencedSegmentNumber: segment }],
  });
  const axial = ["1", "0", "0", "0", "1", "0"];
  const shared: Item = {
    PlaneOrientationSequence: [{ ImageOrientationPatient: axial }],
    PixelMeasuresSequence: [{ PixelSpacing: ["2", "1"], SliceThickness: "3" }],
  };
  /** 8×1 voxels a frame. */
  const object = (
    frames: readonly Item[],
    changes: Item & { readonly SOPClassUID?: string; readonly SOPInstanceUID?: string } = {},
  ) =>
    encodeFile(
      {
        SOPClassUID: "1.2.840.10008.5.1.4.1.1.66.4",
        SOPInstanceUID: "1.2.3",
        Modality: "SEG",
        SegmentationType: "BINARY",
        Rows: 1,
        Columns: 8,
        NumberOfFrames: String(frames.length),
        SamplesPerPixel: 1,
        PhotometricInterpretation: "MONOCHROME2",
        BitsAllocated: 1,
        BitsStored: 1,
        HighBit: 0,
        PixelRepresentation: 0,
        SegmentSequence: [{ SegmentNumber: 1, SegmentLabel: "LN" }],
        SharedFunctionalGroupsSequence: [shared],
        PerFrameFunctionalGroupsSequence: frames,
        PixelData: Uint8Array.from(frames, (_, n) => n + 1),
        ...changes,
      },
      explicitLittleEndian,
    );

  test("frames in any order, with a gap: sorted along the normal, the gap empty", async () => {
    const seg = await readSeg(object([frame(9), frame(0), frame(3)]), "seg.dcm");
    expect(seg.geometry).toEqual({
      size: [8, 1, 4],
      spacingMm: [1, 2, 3],
      originMm: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    });
    expect(seg.segments[0].mask().join("")).toBe("01000000" + "11000000" + "00000000" + "10000000");
  });

  test.each<[string, number[], Item, RegExp | null]>([
    ["one plane", [4], {}, /neither stated nor told by 1 plane, and taken as 3\.00 mm/],
    ["one plane of no thickness", [4], { SliceThickness: [] }, /taken as 1\.00 mm/],
    ["two planes", [0, 6], {}, /told by 2 planes, and taken as 3\.00 mm/],
    ["one plane whose distance is stated", [4], { SpacingBetweenSlices: "2" }, null],
    ["three planes", [0, 6, 12], {}, null],
  ])(
    "%s: a distance that is a guess is told, and no volume without it",
    async (_, places, measures, guess) => {
      const pixelMeasures = { PixelSpacing: ["2", "1"], SliceThickness: "3", ...measures };
      const file = object(
        places.map((z) => frame(z)),
        { SharedFunctionalGroupsSequence: [{ ...shared, PixelMeasuresSequence: [pixelMeasures] }] },
      );
      const { depthGuess } = await readSeg(file, "seg.dcm");
      if (guess === null) expect(depthGuess).toBeNull();
      else expect(depthGuess).toMatch(guess);
      const summary = await objectSummary(file, "seg.dcm");
      expect(summary?.regions.map(({ volumeMl }) => volumeMl === null)).toEqual([guess !== null]);
      expect(summary?.problems.join()).toBe(
        guess === null ? "" : `${depthGuess}, so that no volume is told without its scan`,
      );
    },
  );

  test.each<[string, number[], Item, number[]]>([
    ["slices of 3 mm that lie 6 mm apart", [0, 6, 12], {}, [6, 3]],
    ["the same where the distance is stated", [0, 6, 12], { SpacingBetweenSlices: "3" }, [3, 5]],
    ["two frames, which may be slices or have some between", [0, 6], {}, [3, 3]],
    ["slices that overlap", [0, 1.5, 3], {}, [1.5, 3]],
    ["two bodies of one slice each", [0, 9, 21], {}, [3, 8]],
  ])("%s", async (_, places, measures, [stepMm, slices]) => {
    const pixelMeasures = { PixelSpacing: ["2", "1"], SliceThickness: "3", ...measures };
    const seg = await readSeg(
      object(
        places.map((z) => frame(z)),
        { SharedFunctionalGroupsSequence: [{ ...shared, PixelMeasuresSequence: [pixelMeasures] }] },
      ),
      "seg.dcm",
    );
    expect(seg.geometry).toMatchObject({ size: [8, 1, slices], spacingMm: [1, 2, stepMm] });
  });

  test("an orientation a frame, seen from the head: z falls along the normal", async () => {
    const turned: Item = {
      PlaneOrientationSequence: [{ ImageOrientationPatient: ["1", "0", "0", "0", "-1", "0"] }],
    };
    const { PixelMeasuresSequence } = shared;
    const seg = await readSeg(
      object(
        [
          { ...frame(0), ...turned },
          { ...frame(3), ...turned },
        ],
        {
          SharedFunctionalGroupsSequence: [{ PixelMeasuresSequence } as Item],
        },
      ),
      "seg.dcm",
    );
    expect(seg.geometry.originMm).toEqual([0, 0, 3]);
    expect(pointOfIndex(seg.geometry, [0, 0, 1])).toEqual([0, 0, 0]);
    expect(seg.segments[0].mask().join("")).toBe("01000000" + "10000000");
  });

  test("fractional: from half of the maximum on, and said", async () => {
    const seg = await readSeg(
      object([frame(0)], {
        SegmentationType: "FRACTIONAL",
        SegmentationFractionalType: "PROBABILITY",
        MaximumFractionalValue: 200,
        BitsAllocated: 8,
        BitsStored: 8,
        HighBit: 7,
        PixelData: Uint8Array.of(0, 1, 99, 100, 101, 200, 0, 0),
      }),
      "seg.dcm",
    );
    expect(seg.segments[0].mask().join("")).toBe("00011100");
    expect(seg.problems).toEqual(["fractional (probability): voxels of at least 100 of 200 are inside"]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      "an RTSTRUCT",
      object([frame(0)], { SOPClassUID: "1.2.840.10008.5.1.4.1.1.481.3", Modality: "RTSTRUCT" }),
      /of modality RTSTRUCT, and a segmentation/,
    ],
    ["an unknown type", object([frame(0)], { SegmentationType: "SURFACE" }), /of type "SURFACE"/],
    ["no segment", object([frame(0)], { SegmentSequence: [] }), /holds no segment/],
    [
      "fewer places than frames",
      object([frame(0), frame(3)], { PerFrameFunctionalGroupsSequence: [frame(0)] }),
      /has 2 frames and positions for 1/,
    ],
    [
      "no position",
      object([{ SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }] }]),
      /0 values of ImagePositionPatient, and 3/,
    ],
    ["no segment of a frame", object([position(0)]), /belongs to no segment/],
    [
      "frames a million slices apart",
      object([frame(0), frame(1e6)], {
        SharedFunctionalGroupsSequence: [
          {
            ...shared,
            PixelMeasuresSequence: [{ PixelSpacing: ["2", "1"], SpacingBetweenSlices: "0.001" }],
          },
        ],
      }),
      /2 frames so far apart/,
    ],
    [
      "mixed orientations",
      object([
        frame(0),
        {
          ...frame(3),
          PlaneOrientationSequence: [{ ImageOrientationPatient: ["0", "1", "0", "0", "0", "1"] }],
        },
      ]),
      /different orientation or pixel spacing \(frames 1 and 2\)/,
    ],
    [
      "a sheared orientation",
      object([frame(0)], {
        SharedFunctionalGroupsSequence: [
          {
            ...shared,
            PlaneOrientationSequence: [{ ImageOrientationPatient: ["1", "0", "0", "0.5", "1", "0"] }],
          },
        ],
      }),
      /perpendicular/,
    ],
    [
      "no spacing",
      object([frame(0)], {
        SharedFunctionalGroupsSequence: [
          { ...shared, PixelMeasuresSequence: [{ PixelSpacing: ["0", "1"] }] },
        ],
      }),
      /spacing of 0 × 1 mm/,
    ],
    ["too few pixels", object([frame(0)], { Rows: 99 }), /seg\.dcm/],
  ])("refused: %s", async (_, bytes, message) => {
    const read = async () => (await readSeg(bytes, "seg.dcm")).segments.map(({ mask }) => mask());
    await expect(read()).rejects.toThrow(InputError);
    await expect(read()).rejects.toThrow(message);
    await expect(read()).rejects.toThrow(/^seg\.dcm [^\n]*\.$/);
  });

  test("frames at uneven distances stand for their slabs, half way to their neighbours, without a gap", async () => {
    // Slabs of 3, 4.5, 6 and 6 mm: 19.5 mm of one voxel of 1 × 2 mm.
    const frames = [0, 3, 9, 15].map((z) => frame(z));
    const seg = await readSeg(object(frames, { PixelData: Uint8Array.of(1, 1, 1, 1) }), "seg.dcm");
    const voxels = seg.segments[0].mask().filter((value) => value === 1).length;
    const volume = voxels * seg.geometry.spacingMm.reduce((product, spacing) => product * spacing, 1);
    expect(volume / 39).toBeCloseTo(1, 1);
    expect(seg.problems).toEqual(["frames at uneven distances, each extended half way to its neighbours"]);
  });

  test("frames shifted within their planes are on a grid that holds them all", async () => {
    const aside = { ...frame(3), PlanePositionSequence: [{ ImagePositionPatient: ["1", "0", "3"] }] };
    const seg = await readSeg(object([frame(0), aside], { PixelData: Uint8Array.of(1, 1) }), "seg.dcm");
    expect(seg.geometry.size).toEqual([9, 1, 2]);
    expect(seg.segments[0].mask().join("")).toBe("100000000" + "010000000");
  });

  test("a series that is the second of those it names is one that it was drawn on", async () => {
    const named = ["1.2.98", "1.2.3.5"].map((uid) => ({ SeriesInstanceUID: uid }));
    const seg = await readSeg(object([frame(0)], { ReferencedSeriesSequence: named }), "seg.dcm");
    const source = { ...sourceOn(grid), frameOfReferenceUid: seg.frameOfReferenceUid };
    expect(() => requireDrawnOn(seg, source)).not.toThrow();
    expect(() => requireDrawnOn(seg, { ...source, seriesInstanceUid: "1.2.97" })).toThrow(
      /drawn on the series 1\.2\.98, 1\.2\.3\.5, and the series 1\.2\.97/,
    );
  });

  test("another frame of reference or series is refused", async () => {
    const seg = await readSeg(object([frame(0)], { FrameOfReferenceUID: "1.2.99" }), "seg.dcm");
    expect(() => requireDrawnOn(seg, sourceOn(grid))).toThrow(
      /frame of reference 1\.2\.99, and the series 1\.2\.3\.5 in 1\.2\.3\.4/,
    );
  });
});

test("nodes on a grid of 300 slices and any direction: positions are exact after 16 characters", async () => {
  await fc.assert(
    fc.asyncProperty(directions, numbers(0.3, 1), async (direction, spacing) => {
      const geometry: Geometry = {
        size: [2, 2, 300],
        spacingMm: [spacing, spacing, 0.625],
        originMm: [-249.51171875, -431.2, -1189.3333],
        direction,
      };
      const labels = labelled(geometry, [1, 0, 0, 0], [1, 1, 1, 299]);
      const seg = await readSeg(writeSeg(labels, [], sourceOn(geometry), fixedContext()), "out.dcm");
      const far = pointOfIndex(geometry, [1, 1, 299]);
      const index = indexOfPoint(seg.geometry, far);
      const nearest = index.map(Math.round);
      index.forEach((value, axis) => {
        expect(Math.abs(value - nearest[axis])).toBeLessThan(1e-6);
      });
      const mask = seg.segments[0].mask();
      expect(mask[nearest[0] + 2 * (nearest[1] + 2 * nearest[2])]).toBe(1);
    }),
    { seed: 32, numRuns: 30 },
  );
});
