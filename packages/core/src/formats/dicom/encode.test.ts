import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { itemsOf, numbersOf, parseDataset, textOf } from "./dataset.js";
import { decimalString, encodeFile, explicitLittleEndian, implicitLittleEndian } from "./encode.js";

describe("decimal strings", () => {
  test.each<[number, string]>([
    [0, "0"],
    [-0, "0"],
    [1.5, "1.5"],
    [-123.4567, "-123.4567"],
    [1 / 3, "0.33333333333333"],
    [-1 / 3, "-0.3333333333333"],
    [-1234567.123456789, "-1234567.1234568"],
    [1.2345678901234e-7, "1.23456789012e-7"],
    [0.1 + 0.2, "0.3"],
  ])("%d", (value, text) => {
    expect(decimalString(value)).toBe(text);
  });

  test("have at most 16 characters and are as near as those allow", () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), (value) => {
        const text = decimalString(value);
        expect(text.length).toBeLessThanOrEqual(16);
        expect(Math.abs(Number(text) - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-7 + 1e-300);
      }),
      { seed: 41, numRuns: 2000 },
    );
  });

  test("are numbers", () => {
    expect(() => decimalString(Number.NaN)).toThrow(RangeError);
    expect(() => decimalString(Number.POSITIVE_INFINITY)).toThrow(RangeError);
  });
});

const dataset = { SOPClassUID: "1.2.3", SOPInstanceUID: "1.2.34" };

test("the bytes of a small file, by hand", () => {
  const bytes = encodeFile({ Modality: "SEG", ...dataset, Rows: 258 }, explicitLittleEndian);
  expect(bytes.subarray(0, 128).every((value) => value === 0)).toBe(true);
  expect(String.fromCharCode(...bytes.subarray(128, 132))).toBe("DICM");
  const groupLength = new DataView(bytes.buffer).getUint32(140, true);
  const body = [...bytes.subarray(144 + groupLength)];
  const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));
  expect(body).toEqual([
    ...[0x08, 0, 0x16, 0, ...ascii("UI"), 6, 0, ...ascii("1.2.3"), 0],
    ...[0x08, 0, 0x18, 0, ...ascii("UI"), 6, 0, ...ascii("1.2.34")],
    ...[0x08, 0, 0x60, 0, ...ascii("CS"), 4, 0, ...ascii("SEG ")],
    ...[0x28, 0, 0x10, 0, ...ascii("US"), 2, 0, 2, 1],
  ]);
});

test.each([explicitLittleEndian, implicitLittleEndian] as const)(
  "what is written in %s is read back",
  (syntax) => {
    const bytes = encodeFile(
      {
        ...dataset,
        SpecificCharacterSet: "ISO_IR 192",
        PatientName: "Müller^Änne",
        ImageType: ["DERIVED", "PRIMARY"],
        SegmentSequence: [
          { SegmentNumber: 3, SegmentLabel: "odd", SegmentedPropertyTypeCodeSequence: [{ CodeValue: "1" }] },
          {},
        ],
        DimensionIndexSequence: [{ DimensionIndexPointer: "ImagePositionPatient" }],
        RecommendedDisplayCIELabValue: [1, 2, 65_535],
        FrameContentSequence: [{ DimensionIndexValues: [1, 70_000] }],
      },
      syntax,
    );
    const read = parseDataset(bytes, "x.dcm");
    expect(read.transferSyntaxUid).toBe(syntax);
    expect(textOf(read, "PatientName")).toBe("Müller^Änne");
    expect(textOf(read, "ImageType")).toBe("DERIVED\\PRIMARY");
    const [first, second] = itemsOf(read, "SegmentSequence");
    expect(textOf(first, "SegmentLabel")).toBe("odd");
    expect(textOf(itemsOf(first, "SegmentedPropertyTypeCodeSequence")[0], "CodeValue")).toBe("1");
    expect(textOf(second, "SegmentLabel")).toBe("");
    expect(numbersOf(read, "RecommendedDisplayCIELabValue")).toEqual([1, 2, 65_535]);
    expect(numbersOf(itemsOf(read, "FrameContentSequence")[0], "DimensionIndexValues")).toEqual([1, 70_000]);
  },
);

test("a value too long for explicit VR is refused by name, and fits implicit VR", () => {
  const long = { ...dataset, ContourData: new Array<string>(30_000).fill("1.5") };
  expect(() => encodeFile(long, explicitLittleEndian)).toThrow(/ContourData has 120000 bytes/);
  expect(numbersOf(parseDataset(encodeFile(long, implicitLittleEndian), "x"), "ContourData")).toHaveLength(
    30_000,
  );
});
