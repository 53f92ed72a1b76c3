// Attributes are read alike from every encoding, and bytes that are no DICOM end in a sentence.
import dcmjs from "dcmjs";
import { deflateSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { bytesOf, ctFile, ctItem, fixture } from "./ct.test-helper.js";
import {
  has,
  itemsOf,
  numberOf,
  numbersOf,
  parseDataset,
  parseReadablePart,
  textOf,
  textsOf,
  usableNumberOf,
} from "./dataset.js";
import { dictionary } from "./dictionary.js";
import { encodeFile, explicitLittleEndian, implicitLittleEndian } from "./encode.js";

describe("the same attributes from", () => {
  test.each(["explicit", "implicit", "big-endian", "deflated", "rle"])("%s", (name) => {
    const dataset = parseDataset(fixture(`syntaxes/${name}.dcm`), name);
    expect(textOf(dataset, "PatientName")).toBe("MISTER^CT");
    expect(textOf(dataset, "SOPInstanceUID")).toBe("1.2.840.113619.2.30.1.1762295590.1623.978668950.109");
    expect(textsOf(dataset, "ImageType")).toEqual(["ORIGINAL", "PRIMARY", "AXIAL"]);
    expect(numberOf(dataset, "Rows")).toBe(48);
    expect(numbersOf(dataset, "PixelSpacing")).toEqual([0.675781, 0.675781]);
    expect(numberOf(dataset, "RescaleIntercept")).toBe(-1024);
    expect(has(dataset, "PatientBirthDate")).toBe(false);
    expect(numbersOf(dataset, "NumberOfFrames")).toEqual([]);
    expect(itemsOf(dataset, "PlanePositionSequence")).toEqual([]);
  });

  test("a file without preamble, and a bare dataset of either VR", () => {
    const file = ctFile();
    const meta = new DataView(file.buffer).getUint32(140, true);
    const implicit = encodeFile(ctItem(), implicitLittleEndian);
    const implicitMeta = new DataView(implicit.buffer).getUint32(140, true);
    for (const bytes of [file.slice(128 + 4), file.slice(144 + meta), implicit.slice(144 + implicitMeta)]) {
      const dataset = parseDataset(bytes, "old");
      expect(textOf(dataset, "SeriesDescription")).toBe("Neck");
      expect(numbersOf(dataset, "ImagePositionPatient")).toEqual([0, 0, 0]);
    }
  });
});

test("sequences, also where their writer did not know them", () => {
  const item = { PlanePositionSequence: [{ ImagePositionPatient: ["1", "2", "3"] }] };
  const file = encodeFile(ctItem(item), explicitLittleEndian);
  const positionIn = (bytes: Uint8Array) => {
    const [first] = itemsOf(parseDataset(bytes, "x"), "PlanePositionSequence");
    return numbersOf(first, "ImagePositionPatient");
  };
  expect(positionIn(file)).toEqual([1, 2, 3]);

  const unknown = encodeFile(ctItem(item), implicitLittleEndian);
  const sequence = sequenceBytes(unknown);
  const withoutSequence = encodeFile(ctItem(), explicitLittleEndian);
  expect(positionIn(insertedAsUnknown(withoutSequence, sequence))).toEqual([1, 2, 3]);
});

/** The content of the implicit PlanePositionSequence (0020,9113). */
function sequenceBytes(file: Uint8Array): Uint8Array {
  const start = positionOf(file, [0x20, 0x00, 0x13, 0x91]);
  const length = new DataView(file.buffer).getUint32(start + 4, true);
  return file.slice(start + 8, start + 8 + length);
}

/** The file with (0020,9113) of VR UN before its group 0028. */
function insertedAsUnknown(file: Uint8Array, content: Uint8Array): Uint8Array {
  const at = positionOf(file, [0x28, 0x00, 0x02, 0x00]);
  const header = [0x20, 0x00, 0x13, 0x91, 0x55, 0x4e, 0, 0, ...bytesOf(Uint32Array.of(content.length))];
  return Uint8Array.from([...file.slice(0, at), ...header, ...content, ...file.slice(at)]);
}

function positionOf(bytes: Uint8Array, pattern: readonly number[]): number {
  return bytes.findIndex((_, n) => pattern.every((byte, k) => bytes[n + k] === byte));
}

test.each([
  ["ISO_IR 100", [0x4d, 0xfc, 0x6c, 0x6c, 0x65, 0x72], "Müller"],
  ["ISO_IR 192", [0x4d, 0xc3, 0xbc, 0x6c, 0x6c, 0x65, 0x72, 0x20], "Müller"],
  ["ISO_IR 144", [0xbb, 0xee, 0xda, 0xd0], "Люка"],
  ["\\ISO 2022 IR 87", [0x1b, 0x24, 0x42, 0x3b, 0x33, 0x1b, 0x28, 0x42], "山"],
])("text of the character set %s", (set, bytes, expected) => {
  const file = ctFile({ SpecificCharacterSet: set.split("\\"), PatientName: Uint8Array.from(bytes) });
  expect(textOf(parseDataset(file, "x"), "PatientName")).toBe(expected);
});

describe("refused with a sentence", () => {
  const rows: [string, Uint8Array, RegExp][] = [
    ["an empty file", new Uint8Array(0), /is empty/],
    ["text", new TextEncoder().encode("not DICOM ".repeat(30)), /is not a DICOM file/],
    ["three bytes", Uint8Array.of(8, 0, 5), /is not a DICOM file/],
    ["a header cut short", fixture("syntaxes/explicit.dcm").slice(0, 900), /cut short or damaged/],
    ["pixels cut short", fixture("syntaxes/explicit.dcm").slice(0, -100), /cut short or damaged/],
    ["fragments cut short", fixture("syntaxes/jpeg-ls-80.dcm").slice(0, -1000), /cut short or damaged/],
    ["a deflated stream cut short", fixture("syntaxes/deflated.dcm").slice(0, -1000), /cut short or damaged/],
  ];
  test.each(rows)("%s", (_, bytes, message) => {
    const parse = () => parseDataset(bytes, "scan.dcm");
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(message);
    expect(parse).toThrow(/^scan\.dcm [^\n]*\.$/);
  });

  test("a number that is none", () => {
    const dataset = parseDataset(ctFile({ PixelSpacing: ["1", "wide"] }), "scan.dcm");
    expect(() => numbersOf(dataset, "PixelSpacing")).toThrow(/PixelSpacing \(0028,0030\) "1\\wide"/);
  });
});

test("of a file that is cut short, what stands before the cut is there", () => {
  const { dataset, damage } = parseReadablePart(fixture("syntaxes/explicit.dcm").slice(0, -100), "scan.dcm");
  expect(damage).toBeInstanceOf(InputError);
  expect(dataset.transferSyntaxUid).toBe(explicitLittleEndian);
  expect(numberOf(dataset, "Rows")).toBe(48);
});

describe("lengths", () => {
  /** A file whose dataset ends in these bytes, in explicit VR little endian. */
  const endingIn = (...bytes: number[]) => Uint8Array.from([...ctFile(), ...bytes]);
  const rows: [string, Uint8Array, RegExp][] = [
    [
      "an element longer than the file",
      endingIn(0xe0, 0x7f, 0x20, 0x00, 0x4f, 0x42, 0, 0, 200, 0, 0, 0, 1, 2),
      /\(7FE0,0020\) states 200 bytes, and only 2 are left/,
    ],
    [
      "a sequence without end",
      endingIn(0xfc, 0xff, 0x01, 0x00, 0x53, 0x51, 0, 0, 255, 255, 255, 255),
      /a sequence has no end/,
    ],
    [
      "an item without end",
      endingIn(
        ...[0xfc, 0xff, 0x01, 0x00, 0x53, 0x51, 0, 0, 255, 255, 255, 255],
        ...[0xfe, 0xff, 0x00, 0xe0, 255, 255, 255, 255],
      ),
      /a sequence has no end/,
    ],
    [
      "an item longer than its sequence",
      endingIn(
        ...[0xfc, 0xff, 0x01, 0x00, 0x53, 0x51, 0, 0, 8, 0, 0, 0],
        ...[0xfe, 0xff, 0x00, 0xe0, 10, 0, 0, 0],
        ...[0xfc, 0xff, 0x02, 0x00, 0x55, 0x53, 2, 0, 1, 0],
      ),
      /an item of \(FFFC,0001\) is longer than its sequence/,
    ],
  ];
  test.each(rows)("%s", (_, bytes, message) => {
    expect(() => parseDataset(bytes, "scan.dcm")).toThrow(message);
    expect(numberOf(parseReadablePart(bytes, "scan.dcm").dataset, "Rows")).toBe(2);
  });

  test("more elements than any image has, deflated to almost nothing", () => {
    const deflated = fixture("syntaxes/deflated.dcm");
    const start = 144 + new DataView(deflated.buffer).getUint32(140, true);
    const zeros = deflateSync(new Uint8Array(16 * 2 ** 20));
    const bytes = Uint8Array.from([...deflated.slice(0, start), ...zeros]);
    expect(() => parseDataset(bytes, "scan.dcm")).toThrow(/more than 1000000 elements/);
  });

  test("numbers of eight bytes, whose representation dicom-parser does not know", () => {
    const table = Uint8Array.of(0xe0, 0x7f, 0x01, 0x00, 0x4f, 0x56, 0, 0, 16, 0, 0, 0);
    const values = bytesOf(BigUint64Array.of(0n, 5_000_000_000n));
    const dataset = parseDataset(endingIn(...table, ...values), "scan.dcm");
    expect(numbersOf(dataset, "ExtendedOffsetTable")).toEqual([0, 5e9]);
  });

  test("text of spaces alone is empty", () => {
    const dataset = parseDataset(ctFile({ SeriesDescription: " ".repeat(60_000) }), "scan.dcm");
    expect(textOf(dataset, "SeriesDescription")).toBe("");
  });
});

test("a number that nothing depends on is left out where it is none", () => {
  const dataset = parseDataset(ctFile({ InstanceNumber: "1-2", SeriesNumber: "0x10" }), "scan.dcm");
  expect(usableNumberOf(dataset, "InstanceNumber")).toBeNull();
  expect(usableNumberOf(dataset, "SeriesNumber")).toBeNull();
  expect(usableNumberOf(dataset, "Rows")).toBe(2);
});

test("the dictionary is that of dcmjs", () => {
  const names: Record<string, { tag: string; vr: string }> = dcmjs.data.DicomMetaDictionary.nameMap;
  for (const [keyword, [tag, vr]] of Object.entries(dictionary)) {
    const known = names[keyword];
    expect([keyword, known?.tag.replace(/[(),]/g, "").toLowerCase()]).toEqual([keyword, tag.slice(1)]);
    // dcmjs gives OW for pixel data whatever the context, and "ox" or "xs" where two are allowed.
    if (/^[A-Z]{2}$/.test(known.vr)) expect([keyword, vr]).toEqual([keyword, known.vr]);
  }
});
