// MetaImage headers as other programs write them: types, byte orders, the ways to store voxels; and what is refused.
import { gzipSync, strToU8, zlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { VoxelArray } from "../volume/volume.js";
import { metaImageCompanion, readMetaImage } from "./meta-image.js";

/** A .mha file of 2 × 1 × 1 voxels; a field given as null is left out, others take the place of these. */
function metaFile(fields: Record<string, string | null> = {}, data: Uint8Array = raw16): Uint8Array {
  const all: Record<string, string | null> = {
    ObjectType: "Image",
    NDims: "3",
    BinaryData: "True",
    TransformMatrix: "1 0 0 0 1 0 0 0 1",
    Offset: "10 20 30",
    ElementSpacing: "1 2 3",
    DimSize: "2 1 1",
    ElementType: "MET_SHORT",
    ...fields,
    ElementDataFile: fields.ElementDataFile ?? "LOCAL",
  };
  const lines = Object.entries(all).flatMap(([key, value]) => (value === null ? [] : `${key} = ${value}\n`));
  return joined(strToU8(lines.join("")), data);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const raw16 = Uint8Array.of(0xff, 0xff, 100, 0);
const voxels = Int16Array.of(-1, 100);

describe("types and byte orders", () => {
  const rows: [string, VoxelArray | BigInt64Array, VoxelArray?][] = [
    ["MET_CHAR", Int8Array.of(-1, 100)],
    ["MET_UCHAR", Uint8Array.of(1, 200)],
    ["MET_SHORT", voxels],
    ["MET_USHORT", Uint16Array.of(1, 60000)],
    ["MET_INT", Int32Array.of(-1, 70000)],
    ["MET_UINT", Uint32Array.of(1, 4e9)],
    ["MET_LONG", Int32Array.of(-1, 70000)],
    ["MET_ULONG", Uint32Array.of(1, 4e9)],
    ["MET_LONG_LONG", BigInt64Array.of(-1n, 70000n), Int32Array.of(-1, 70000)],
    ["MET_FLOAT", Float32Array.of(-0.125, 12.5)],
    ["MET_DOUBLE", Float64Array.of(-0.1, 1e300)],
  ];
  for (const msb of ["False", "True"]) {
    test.each(rows)(`%s, MSB ${msb}`, (ElementType, stored, expected) => {
      const bytes = new Uint8Array(stored.buffer.slice(0));
      const width = stored.BYTES_PER_ELEMENT;
      if (msb === "True")
        for (let n = 0; n < bytes.length; n += width) bytes.subarray(n, n + width).reverse();
      for (const key of ["BinaryDataByteOrderMSB", "ElementByteOrderMSB"]) {
        const file = metaFile({ ElementType, [key]: msb }, bytes);
        expect(readMetaImage(file, "x.mha").data).toEqual(expected ?? stored);
      }
    });
  }
});

describe("ways to store voxels", () => {
  const zlibbed = zlibSync(raw16);
  test.each([
    ["plain", metaFile()],
    ["zlib", metaFile({ CompressedData: "True" }, zlibbed)],
    [
      "zlib of a stated size, with something behind",
      metaFile({ CompressedData: "True", CompressedDataSize: `${zlibbed.length}` }, joined(zlibbed, raw16)),
    ],
    ["gzip", metaFile({ CompressedData: "True" }, gzipSync(raw16))],
    ["text", metaFile({ BinaryData: "False" }, strToU8("-1\n100\n"))],
    ["at the end", metaFile({ HeaderSize: "-1" }, joined(strToU8("anything"), raw16))],
    [
      "at a byte of the file",
      metaFile({ HeaderSize: "300" }, joined(new Uint8Array(300 - headLength()), raw16)),
    ],
  ])("%s", (_, file) => {
    expect(readMetaImage(file, "x.mha").data).toEqual(voxels);
  });

  function headLength(): number {
    return metaFile({ HeaderSize: "300" }, new Uint8Array(0)).length;
  }

  test("in a file beside the header, behind bytes of its own", () => {
    const header = metaFile({ HeaderSize: "2", ElementDataFile: "a scan.raw" }, new Uint8Array(0));
    expect(metaImageCompanion(header, "x.mhd")).toBe("a scan.raw");
    expect(readMetaImage(header, "x.mhd", joined(strToU8("ab"), raw16)).data).toEqual(voxels);
    expect(metaImageCompanion(metaFile(), "x.mha")).toBeNull();
  });
});

describe("where a volume lies", () => {
  const place = (fields: Record<string, string | null>) => {
    const problems: string[] = [];
    const volume = readMetaImage(metaFile(fields), "x.mha", undefined, (p) => problems.push(p));
    return { spacingMm: volume.spacingMm, originMm: volume.originMm, direction: volume.direction, problems };
  };
  const straight = {
    spacingMm: [1, 2, 3],
    originMm: [10, 20, 30],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    problems: [],
  };

  test("three numbers an axis: i to posterior, j to the right, k to inferior", () => {
    expect(place({ TransformMatrix: "0 1 0 -1 0 0 0 0 -1", AnatomicalOrientation: "LPS" })).toEqual({
      ...straight,
      direction: [0, -1, 0, 1, 0, 0, 0, 0, -1],
    });
  });

  test.each([
    ["Position", "TransformMatrix"],
    ["Origin", "Rotation"],
    ["Offset", "Orientation"],
  ])("%s and %s", (origin, matrix) => {
    const none = { Offset: null, TransformMatrix: null };
    expect(place({ ...none, [origin]: "10 20 30", [matrix]: "1 0 0 0 1 0 0 0 1" })).toEqual(straight);
  });

  test("ElementSize where there is no ElementSpacing, as MetaIO", () => {
    expect(place({ ElementSpacing: null, ElementSize: "1 2 3" })).toEqual(straight);
    expect(place({ ElementSize: "9 9 9" })).toEqual(straight);
  });

  test("neither offset nor matrix: reported", () => {
    expect(place({ Offset: null, TransformMatrix: null })).toEqual({
      ...straight,
      originMm: [0, 0, 0],
      problems: [expect.stringMatching(/no Offset/), expect.stringMatching(/no TransformMatrix/)],
    });
  });
});

describe("refused, in one sentence that names the file", () => {
  const badChecksum = zlibSync(raw16);
  badChecksum[badChecksum.length - 1] ^= 1;
  const rows: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /not a MetaImage/],
    ["a text", new Uint8Array(999).fill(65), /not a MetaImage/],
    ["a header without its last line", metaFile().subarray(0, 100), /not a MetaImage/],
    ["a mesh", metaFile({ ObjectType: "Mesh" }), /MetaIO file of the kind Mesh/],
    ["2D", metaFile({ NDims: "2", DimSize: "2 1" }), /dimensions 2 1 \(NDims 2\)/],
    ["4D", metaFile({ NDims: "4", DimSize: "2 1 1 3" }), /dimensions 2 1 1 3 \(NDims 4\)/],
    ["no size", metaFile({ DimSize: null }), /dimensions none/],
    ["an axis without voxels", metaFile({ DimSize: "2 0 1" }), /dimensions 2 0 1/],
    ["colour", metaFile({ ElementNumberOfChannels: "3" }), /3 channels/],
    ["an array type", metaFile({ ElementType: "MET_UCHAR_ARRAY" }), /type MET_UCHAR_ARRAY/],
    ["no type", metaFile({ ElementType: null }), /type none/],
    ["voxels cut short", metaFile({}, raw16.subarray(1)), /has 3 bytes of voxels, and its header promises 4/],
    ["nothing before the end", metaFile({ HeaderSize: "-1", DimSize: "2 99 1" }), /cut short/],
    [
      "half a zlib stream",
      metaFile({ CompressedData: "True" }, zlibSync(raw16).slice(0, 6)),
      /cut short or damaged/,
    ],
    ["a wrong checksum", metaFile({ CompressedData: "True" }, badChecksum), /cut short or damaged/],
    ["no zlib stream", metaFile({ CompressedData: "True" }, raw16), /cut short or damaged/],
    [
      "too little in a stream",
      metaFile({ CompressedData: "True" }, zlibSync(raw16.subarray(2))),
      /has 2 bytes/,
    ],
    ["zero spacing", metaFile({ ElementSpacing: "1 0 3" }), /spacing of 1 × 0 × 3 mm/],
    ["negative spacing", metaFile({ ElementSpacing: "1 -2 3" }), /spacing of 1 × -2 × 3 mm/],
    ["no spacing", metaFile({ ElementSpacing: null }), /states no ElementSpacing/],
    ["two spacings", metaFile({ ElementSpacing: "1 1" }), /"1 1" for elementspacing.*3 numbers/],
    ["an offset of words", metaFile({ Offset: "a b c" }), /"a b c" for offset/],
    ["a matrix of zeros", metaFile({ TransformMatrix: "0 0 0 0 0 0 0 0 0" }), /three vectors of length 1/],
    [
      "a matrix with a shear",
      metaFile({ TransformMatrix: "1 0 0 0.6 0.8 0 0 0 1" }),
      /sheared grid \(cosine 0\.600/,
    ],
    ["micrometres", metaFile({ DistanceUnits: "um" }), /distances in um/],
    ["scaled voxels", metaFile({ ElementToIntensityFunctionSlope: "2" }), /slope 2, offset 0/],
    [
      "NaN",
      metaFile({ ElementType: "MET_FLOAT" }, new Uint8Array(Float32Array.of(1, Number.NaN).buffer)),
      /1 NaN/,
    ],
    ["a missing data file", metaFile({ ElementDataFile: "scan.raw" }), /scan\.raw, which was not given/],
    ["a list of data files", metaFile({ ElementDataFile: "LIST" }), /one file in the same folder/],
    [
      "a pattern of data files",
      metaFile({ ElementDataFile: "s%03d.raw 1 9 1" }),
      /one file in the same folder/,
    ],
    ["a data file above", metaFile({ ElementDataFile: "../secret" }), /one file in the same folder/],
  ];
  test.each(rows)("%s", (_, bytes, message) => {
    const read = () => readMetaImage(bytes, "scan.mha");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^scan\.mha [^\n]*\.$/);
  });
});
