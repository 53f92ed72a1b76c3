// Every transfer syntax gives the stored values; fragments, bits and signs are where the header says; the rest is refused.
import loadOpenJph from "@cornerstonejs/codec-openjph";
import { deflateSync, zlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../../errors.js";
import { bytesOf, type CtAttributes, ctFile, encapsulatedFile, fixture } from "./ct.test-helper.js";
import { parseDataset } from "./dataset.js";
import { frameDecoder, type StoredFrame } from "./pixel-data.js";

const stored = new Int16Array(fixture("syntaxes/stored.raw").buffer);
const cut: CtAttributes = { Rows: 48, Columns: 64 };

async function frames(bytes: Uint8Array, count = 1): Promise<StoredFrame[]> {
  const decode = await frameDecoder(parseDataset(bytes, "scan.dcm"));
  return Array.from({ length: count }, (_, n) => decode(n));
}

describe("a slice compressed by dcmtk or GDCM", () => {
  test.each([
    "explicit",
    "implicit",
    "big-endian",
    "deflated",
    "rle",
    "jpeg-lossless-57",
    "jpeg-lossless-70",
    "jpeg-ls-80",
    "jpeg-2000-90",
  ])("%s: equal", async (name) => {
    const [frame] = await frames(fixture(`syntaxes/${name}.dcm`));
    expect(frame).toEqual(stored);
  });

  test("jpeg-lossless-57, predictor 7 over values on both sides of 0: equal", async () => {
    const original = await frames(fixture("tilted-uneven/14.dcm"));
    expect(await frames(fixture("syntaxes/jpeg-lossless-57-negative.dcm"))).toEqual(original);
  });

  test("jpeg-2000-91, lossy: as far from the original as GDCM decodes it, 10 at most and 1.83 in the mean", async () => {
    const [frame] = await frames(fixture("syntaxes/jpeg-2000-91.dcm"));
    const differences = Array.from(frame, (value, n) => Math.abs(value - stored[n]));
    expect(Math.max(...differences)).toBe(10);
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeCloseTo(1.8327, 2);
  });

  test("jpeg-50: 8 bits of the window −160 to 240 HU, each step 8.03 HU", async () => {
    const [frame] = await frames(fixture("syntaxes/jpeg-50.dcm"));
    const differences = Array.from(frame, (value, n) => {
      const hu = Math.min(Math.max(stored[n] - 1024, -160), 240);
      return Math.abs(Math.min(Math.max(value * 8.027451 - 124, -160), 240) - hu);
    });
    expect(differences.reduce((a, b) => a + b) / differences.length).toBeLessThan(20);
  });
});

interface HtEncoder {
  getDecodedBuffer(info: object): Uint8Array;
  setQuality(isLossless: boolean, step: number): void;
  encode(): void;
  getEncodedBuffer(): Uint8Array;
}

test.each(["1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202", "1.2.840.10008.1.2.4.203"])(
  "high-throughput JPEG 2000 of OpenJPH's encoder: %s",
  async (syntax) => {
    const openJph: object = await loadOpenJph({ print: () => undefined, printErr: () => undefined });
    const { HTJ2KEncoder } = openJph as { HTJ2KEncoder: new () => HtEncoder };
    const encoder = new HTJ2KEncoder();
    const info = { width: 64, height: 48, bitsPerSample: 16, componentCount: 1, isSigned: true };
    encoder.getDecodedBuffer({ ...info, isUsingColorTransform: false }).set(bytesOf(stored));
    encoder.setQuality(true, 0);
    encoder.encode();
    const encoded = Uint8Array.from(encoder.getEncodedBuffer());
    expect((await frames(encapsulatedFile(cut, syntax, [encoded])))[0]).toEqual(stored);
  },
);

describe("stored bits", () => {
  const bits = (allocated: number, stored_: number, high: number, sign: number): CtAttributes => ({
    BitsAllocated: allocated,
    BitsStored: stored_,
    HighBit: high,
    PixelRepresentation: sign,
  });
  const words = (...values: number[]) => bytesOf(Uint16Array.from(values));
  const rows: [string, CtAttributes, Uint8Array, StoredFrame][] = [
    ["16 signed", bits(16, 16, 15, 1), words(0, 0xffff, 0x8000, 7), Int16Array.of(0, -1, -32768, 7)],
    ["16 unsigned", bits(16, 16, 15, 0), words(0, 0xffff, 0x8000, 7), Uint16Array.of(0, 65535, 32768, 7)],
    [
      "12 of 16 signed",
      bits(16, 12, 11, 1),
      words(0x7ff, 0x800, 0xfff, 0xf001),
      Int16Array.of(2047, -2048, -1, 1),
    ],
    [
      "12 of 16 unsigned",
      bits(16, 12, 11, 0),
      words(0x7ff, 0x800, 0xfff, 0xf001),
      Uint16Array.of(2047, 2048, 4095, 1),
    ],
    [
      "12 of 16, high bit 15",
      bits(16, 12, 15, 1),
      words(0x7ff0, 0x8000, 0xffff, 0x0010),
      Int16Array.of(2047, -2048, -1, 1),
    ],
    ["8 signed", bits(8, 8, 7, 1), Uint8Array.of(0, 127, 128, 255), Int8Array.of(0, 127, -128, -1)],
    ["8 unsigned", bits(8, 8, 7, 0), Uint8Array.of(0, 127, 128, 255), Uint8Array.of(0, 127, 128, 255)],
    [
      "32 signed",
      bits(32, 32, 31, 1),
      bytesOf(Int32Array.of(1, -1, 2 ** 30, -5)),
      Int32Array.of(1, -1, 2 ** 30, -5),
    ],
    [
      "24 of 32 unsigned",
      bits(32, 24, 23, 0),
      bytesOf(Uint32Array.of(0xff000001, 2, 3, 0xffffff)),
      Uint32Array.of(1, 2, 3, 0xffffff),
    ],
    ["1", bits(1, 1, 0, 0), Uint8Array.of(0b1010, 0), Uint8Array.of(0, 1, 0, 1)],
  ];
  test.each(rows)("%s", async (_, attributes, PixelData, expected) => {
    const [frame] = await frames(ctFile({ ...attributes, PixelData }));
    expect(frame).toEqual(expected);
  });

  test("frames of bits that do not end at a byte", async () => {
    const attributes = { ...bits(1, 1, 0, 0), Rows: 1, Columns: 3, NumberOfFrames: "3" };
    // From the lowest bit on: 110 001 011
    const file = ctFile({ ...attributes, PixelData: Uint8Array.of(0b10100011, 0b1) });
    expect(await frames(file, 3)).toEqual([
      Uint8Array.of(1, 1, 0),
      Uint8Array.of(0, 0, 1),
      Uint8Array.of(0, 1, 1),
    ]);
  });
});

describe("frames of fragments", () => {
  const deflatedFrame = "1.2.840.10008.1.2.8.1";
  const jpegLs = "1.2.840.10008.1.2.4.80";
  const values = [Int16Array.of(1, 2, 3, 4), Int16Array.of(-1, -2, -3, -4)];
  const packed = values.map((frame) => deflateSync(bytesOf(frame)));
  const even = (bytes: Uint8Array) => bytes.length + (bytes.length % 2);
  const two = { NumberOfFrames: "2" };

  test("one each, no table", async () => {
    expect(await frames(encapsulatedFile(two, deflatedFrame, packed), 2)).toEqual(values);
  });

  const parts = [packed[0].slice(0, 4), packed[0].slice(4), packed[1]];
  const second = 8 + 4 + 8 + even(parts[1]);

  test("several a frame, basic offset table", async () => {
    const file = encapsulatedFile(two, deflatedFrame, parts, [0, second]);
    expect(await frames(file, 2)).toEqual(values);
  });

  test("several a frame, extended offset table", async () => {
    const table = bytesOf(BigUint64Array.of(0n, BigInt(second)));
    const file = encapsulatedFile({ ...two, ExtendedOffsetTable: table }, deflatedFrame, parts);
    expect(await frames(file, 2)).toEqual(values);
  });

  test("several a frame without table, told apart by the first marker of JPEG", async () => {
    const [encoded] = fragmentsOf(fixture("syntaxes/jpeg-ls-80.dcm"));
    const halves = [encoded.slice(0, 1000), encoded.slice(1000)];
    const file = encapsulatedFile({ ...cut, ...two }, jpegLs, [...halves, ...halves]);
    expect(await frames(file, 2)).toEqual([stored, stored]);
  });

  test("refused where they cannot be told apart", async () => {
    await expect(frames(encapsulatedFile(two, deflatedFrame, parts), 2)).rejects.toThrow(
      /^scan\.dcm has 3 compressed fragments that cannot be assigned to the 2 frames/,
    );
  });
});

/** The fragments of a file with one frame in one fragment. */
function fragmentsOf(bytes: Uint8Array): Uint8Array[] {
  const element = parseDataset(bytes, "x").content.elements.x7fe00010;
  return (element.fragments ?? []).map(({ position, length }) => bytes.slice(position, position + length));
}

describe("refused with a sentence", () => {
  const jpegLs = fragmentsOf(fixture("syntaxes/jpeg-ls-80.dcm"));
  const lossless = fragmentsOf(fixture("syntaxes/jpeg-lossless-70.dcm"));
  const j2k = fragmentsOf(fixture("syntaxes/jpeg-2000-90.dcm"));
  const as = (uid: string, fragments: Uint8Array[]) => encapsulatedFile(cut, uid, fragments);
  const rows: [string, Uint8Array, RegExp][] = [
    ["RGB", ctFile({ SamplesPerPixel: 3, PhotometricInterpretation: "RGB" }), /colour image \(RGB\)/],
    ["a palette", ctFile({ PhotometricInterpretation: "PALETTE COLOR" }), /colour image \(PALETTE COLOR\)/],
    ["no rows", ctFile({ Rows: 0 }), /2 columns, 0 rows and 1 frame,/],
    ["12 bits allocated", ctFile({ BitsAllocated: 12 }), /pixels of 12 bits/],
    ["a high bit beyond the cell", ctFile({ HighBit: 16 }), /stored below bit 17/],
    [
      "too few pixels",
      ctFile({ PixelData: new Uint8Array(6) }),
      /it has 6 bytes of pixels, and its header promises 8/,
    ],
    ["JPEG XL", as("1.2.840.10008.1.2.4.110", jpegLs), /JPEG XL Lossless, which cannot be decoded/],
    ["full progression", as("1.2.840.10008.1.2.4.55", jpegLs), /JPEG Full Progression/],
    ["an unknown syntax", as("1.2.3.4", jpegLs), /transfer syntax 1\.2\.3\.4/],
    [
      "another JPEG than stated",
      as("1.2.840.10008.1.2.4.51", jpegLs),
      /frame 1 that cannot be decoded as JPEG Extended/,
    ],
    ["half a JPEG-LS frame", as("1.2.840.10008.1.2.4.80", [jpegLs[0].slice(0, 900)]), /JPEG-LS Lossless/],
    [
      "half a JPEG lossless frame",
      as("1.2.840.10008.1.2.4.70", [lossless[0].slice(0, 900)]),
      /JPEG Lossless/,
    ],
    ["a third of a JPEG 2000 header", as("1.2.840.10008.1.2.4.90", [j2k[0].slice(0, 60)]), /JPEG 2000/],
    [
      "nine tenths of a JPEG 2000 frame",
      as("1.2.840.10008.1.2.4.90", [j2k[0].slice(0, (j2k[0].length * 9) / 10)]),
      /no end marker/,
    ],
    [
      "12 bits a sample",
      as("1.2.840.10008.1.2.4.51", [Uint8Array.of(0xff, 0xd8, 0xff, 0xc1, 0, 11, 12, 0, 48, 0, 64, 1)]),
      /JPEG Extended.*12 bits per sample/,
    ],
    ["zeros as HTJ2K", as("1.2.840.10008.1.2.4.201", [new Uint8Array(64)]), /High-Throughput JPEG 2000/],
    ["zeros as RLE", as("1.2.840.10008.1.2.5", [new Uint8Array(64)]), /0 RLE segments, not 2/],
    ["a zlib header", as("1.2.840.10008.1.2.8.1", [zlibSync(bytesOf(stored))]), /Deflated Image Frame/],
    [
      "another size",
      encapsulatedFile({ Rows: 48, Columns: 63 }, "1.2.840.10008.1.2.4.80", jpegLs),
      /64 × 48 pixels, not 63 × 48/,
    ],
  ];
  test.each(rows)("%s", async (_, bytes, message) => {
    const read = frames(bytes);
    await expect(read).rejects.toBeInstanceOf(InputError);
    await expect(read).rejects.toThrow(message);
    await expect(read).rejects.toThrow(/^scan\.dcm [^\n]*\.$/);
  });
});
