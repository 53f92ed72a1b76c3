// NRRD headers as other programs write them: every type name, space and encoding; and what is refused.
import { gzipSync, strToU8 } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { VoxelArray } from "../volume/volume.js";
import { nrrdCompanion, nrrdSegments, readNrrd } from "./nrrd.js";

/** An attached file of 2 × 1 × 1 voxels in LPS; a field given as null is left out, others take the place of these. */
function nrrdFile(
  fields: Record<string, string | null> = {},
  data: Uint8Array = raw16,
  lines: string[] = [],
) {
  const all: Record<string, string | null> = {
    type: "short",
    dimension: "3",
    space: "left-posterior-superior",
    sizes: "2 1 1",
    "space directions": "(1,0,0) (0,2,0) (0,0,3)",
    "space origin": "(10,20,30)",
    endian: "little",
    encoding: "raw",
    ...fields,
  };
  const header = Object.entries(all).flatMap(([key, value]) => (value === null ? [] : `${key}: ${value}`));
  const head = strToU8(["NRRD0004", "# a comment", ...header, ...lines, "", ""].join("\n"));
  return joined(head, data);
}

function joined(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const raw16 = Uint8Array.of(0xff, 0xff, 100, 0);
const voxels = Int16Array.of(-1, 100);

describe("types and byte orders", () => {
  const names: [string, VoxelArray][] = [
    ...["signed char", "int8", "int8_t"].map((n): [string, VoxelArray] => [n, Int8Array.of(-1, 100)]),
    ...["uchar", "unsigned char", "uint8", "uint8_t"].map((n): [string, VoxelArray] => [
      n,
      Uint8Array.of(1, 100),
    ]),
    ...["short", "short int", "signed short", "int16_t"].map((n): [string, VoxelArray] => [n, voxels]),
    ...["ushort", "unsigned short int", "uint16"].map((n): [string, VoxelArray] => [
      n,
      Uint16Array.of(1, 60000),
    ]),
    ...["int", "signed int", "int32_t"].map((n): [string, VoxelArray] => [n, Int32Array.of(-1, 70000)]),
    ...["uint", "unsigned int", "uint32"].map((n): [string, VoxelArray] => [n, Uint32Array.of(1, 4e9)]),
    ["float", Float32Array.of(-0.125, 12.5)],
    ["double", Float64Array.of(-0.1, 1e300)],
  ];
  for (const endian of ["little", "big"]) {
    test.each(names)(`%s, ${endian} endian`, (type, expected) => {
      const bytes = new Uint8Array(expected.buffer.slice(0));
      const width = expected.BYTES_PER_ELEMENT;
      if (endian === "big")
        for (let n = 0; n < bytes.length; n += width) bytes.subarray(n, n + width).reverse();
      expect(readNrrd(nrrdFile({ type, endian }, bytes), "x.nrrd").data).toEqual(expected);
    });
  }

  test.each([
    ["long long", BigInt64Array.of(-1n, 100n), Int32Array.of(-1, 100)],
    ["uint64", BigUint64Array.of(1n, 4000000000n), Uint32Array.of(1, 4e9)],
  ])("%s is narrowed where it fits", (type, stored, expected) => {
    expect(readNrrd(nrrdFile({ type }, new Uint8Array(stored.buffer)), "x.nrrd").data).toEqual(expected);
  });
});

describe("encodings", () => {
  test.each([
    ["raw", nrrdFile({}, raw16)],
    ["gzip", nrrdFile({ encoding: "gzip" }, gzipSync(raw16))],
    ["gz", nrrdFile({ encoding: "gz" }, gzipSync(raw16))],
    ["ascii", nrrdFile({ encoding: "ascii", endian: null }, strToU8("-1\n 100\n"))],
    ["txt", nrrdFile({ encoding: "TXT", endian: null }, strToU8("-1 100"))],
    [
      "raw behind two lines and a byte",
      nrrdFile({ lineskip: "2", "byte skip": "1" }, joined(strToU8("a\nb\n?"), raw16)),
    ],
    ["raw at the end", nrrdFile({ byteskip: "-1" }, joined(strToU8("anything"), raw16))],
    [
      "gzip behind bytes of its content",
      nrrdFile({ encoding: "gzip", "byte skip": "3" }, gzipSync(joined(strToU8("abc"), raw16))),
    ],
  ])("%s", (_, bytes) => {
    expect(readNrrd(bytes, "x.nrrd").data).toEqual(voxels);
  });

  test("lines may end as in Windows", () => {
    const text = String.fromCharCode(...nrrdFile()).replace(/\n/g, "\r\n");
    expect(
      readNrrd(
        Uint8Array.from(text, (c) => c.charCodeAt(0)),
        "x.nrrd",
      ),
    ).toEqual(readNrrd(nrrdFile(), "x.nrrd"));
  });
});

describe("where a volume lies", () => {
  const place = (fields: Record<string, string | null>) => {
    const problems: string[] = [];
    const { spacingMm, originMm, direction } = readNrrd(nrrdFile(fields), "x.nrrd", undefined, (p) =>
      problems.push(p),
    );
    return { spacingMm, originMm, direction, problems };
  };
  const inLps = {
    spacingMm: [1, 2, 3],
    originMm: [10, 20, 30],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    problems: [],
  };

  test.each(["left-posterior-superior", "LPS", "lps"])("%s", (space) => {
    expect(place({ space })).toEqual(inLps);
  });

  test.each(["right-anterior-superior", "RAS"])("%s: x and y turn round", (space) => {
    expect(place({ space })).toEqual({
      ...inLps,
      originMm: [-10, -20, 30],
      direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
    });
  });

  test("LAS: y turns round; reported, since ITK reads it otherwise", () => {
    expect(place({ space: "LAS" })).toEqual({
      ...inLps,
      originMm: [10, -20, 30],
      direction: [1, 0, 0, 0, -1, 0, 0, 0, 1],
      problems: [expect.stringMatching(/left-anterior-superior/)],
    });
  });

  test("axes in another order: each vector is the step along its own axis", () => {
    expect(place({ "space directions": "(0,0,2) (-1,0,0) (0,3,0)" })).toEqual({
      ...inLps,
      spacingMm: [2, 1, 3],
      direction: [0, -1, 0, 0, 0, 1, 1, 0, 0],
    });
  });

  test("a list axis of one sample does not matter", () => {
    const fields = {
      dimension: "4",
      sizes: "1 2 1 1",
      kinds: "list domain domain domain",
      "space directions": "none (1,0,0) (0,2,0) (0,0,3)",
    };
    expect(place(fields)).toEqual(inLps);
    expect(readNrrd(nrrdFile(fields), "x.nrrd").size).toEqual([2, 1, 1]);
  });

  test("spacings alone: along L, P, S from zero, and reported", () => {
    const fields = { space: null, "space directions": null, "space origin": null, spacings: "1 2 3" };
    expect(place(fields)).toEqual({
      ...inLps,
      originMm: [0, 0, 0],
      problems: [expect.stringMatching(/states no orientation \(no space\)/)],
    });
  });

  test("no origin: zero, and reported", () => {
    expect(place({ "space origin": null })).toEqual({
      ...inLps,
      originMm: [0, 0, 0],
      problems: [expect.stringMatching(/no space origin/)],
    });
  });
});

describe("a detached header", () => {
  test.each([
    ["scan.raw", "scan.raw"],
    ["./scan of a neck.raw", "scan of a neck.raw"],
  ])("names %s", (written, companion) => {
    const header = nrrdFile({ "data file": written }, new Uint8Array(0));
    expect(nrrdCompanion(header, "x.nhdr")).toBe(companion);
    expect(readNrrd(header, "x.nhdr", raw16).data).toEqual(voxels);
  });

  test("needs no empty line at its end", () => {
    const header = nrrdFile({ datafile: "scan.raw" }, new Uint8Array(0)).slice(0, -1);
    expect(readNrrd(header, "x.nhdr", raw16).data).toEqual(voxels);
  });

  test("none is named where the voxels follow", () => {
    expect(nrrdCompanion(nrrdFile(), "x.nrrd")).toBeNull();
  });
});

test("the segments of a .seg.nrrd, by label; none elsewhere", () => {
  const lines = [
    "Segment0_LabelValue:=2",
    "Segment0_Name:=Lymphknoten Ⅱ \\\\ links",
    "Segment0_Layer:=0",
    "Segment1_LabelValue:=1",
    "Segmentation_MasterRepresentation:=Binary labelmap",
  ];
  const bytes = nrrdFile({}, raw16, lines);
  expect(nrrdSegments(bytes, "x.seg.nrrd")).toEqual([
    { label: 1, name: "Segment 1" },
    { label: 2, name: "Lymphknoten Ⅱ \\ links" },
  ]);
  expect(readNrrd(bytes, "x.seg.nrrd").data).toEqual(voxels);
  expect(nrrdSegments(nrrdFile(), "x.nrrd")).toEqual([]);
});

describe("refused, in one sentence that names the file", () => {
  const four = (kind: string) => ({
    dimension: "4",
    sizes: "3 2 1 1",
    kinds: `${kind} domain domain domain`,
    "space directions": "none (1,0,0) (0,2,0) (0,0,3)",
  });
  const rows: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /not an NRRD file/],
    ["a text", new Uint8Array(99).fill(65), /not an NRRD file/],
    ["a later version", strToU8("NRRD0009\ntype: short\n\n"), /not an NRRD file of version 1 to 5/],
    ["a header without sizes", nrrdFile({ sizes: null }), /dimension 3 and sizes none/],
    ["sizes unlike the dimension", nrrdFile({ sizes: "2 1" }), /dimension 3 and sizes 2 1/],
    ["sizes that are no numbers", nrrdFile({ sizes: "2 x 1" }), /sizes 2 x 1/],
    ["an axis without voxels", nrrdFile({ sizes: "2 0 1" }), /sizes 2 0 1/],
    ["voxels cut short", nrrdFile({}, raw16.subarray(1)), /has 3 bytes of voxels, and its header promises 4/],
    [
      "half a gzip stream",
      nrrdFile({ encoding: "gzip" }, gzipSync(raw16).slice(0, 12)),
      /cut short or damaged/,
    ],
    [
      "more than promised in a gzip stream",
      nrrdFile({ encoding: "gzip" }, gzipSync(new Uint8Array(2 ** 21))),
      /unpack to more, and at most 1\.0 MiB/,
    ],
    ["a byte skip in words", nrrdFile({ "byte skip": "all" }), /"all" for byteskip/],
    ["a line skip backwards", nrrdFile({ lineskip: "-1" }), /"-1" for lineskip/],
    ["too few numbers as text", nrrdFile({ encoding: "ascii" }, strToU8("1")), /holds 1 numbers as text/],
    ["a word as text", nrrdFile({ encoding: "ascii" }, strToU8("1 two")), /holds the voxel "two"/],
    ["a number too large as text", nrrdFile({ encoding: "ascii" }, strToU8("1 40000")), /"40000".*int16/],
    ["bzip2", nrrdFile({ encoding: "bzip2" }), /encoding bzip2/],
    ["hex", nrrdFile({ encoding: "hex" }), /encoding hex/],
    ["an unknown type", nrrdFile({ type: "block" }), /type block/],
    ["no byte order", nrrdFile({ endian: null }), /byte order nowhere/],
    [
      "2D",
      nrrdFile({ dimension: "2", sizes: "2 1", "space directions": "(1,0,0) (0,1,0)" }),
      /2 spatial axes/,
    ],
    ["colour", nrrdFile(four("RGB-color")), /an axis of 3 RGB-color/],
    ["vectors", nrrdFile(four("vector")), /an axis of 3 vector/],
    ["layers of segments", nrrdFile(four("list")), /layers of segments/],
    [
      "4D",
      nrrdFile({
        dimension: "4",
        sizes: "2 1 1 3",
        space: null,
        "space directions": null,
        spacings: "1 1 1 1",
      }),
      /4 spatial axes/,
    ],
    [
      "2D in colour",
      nrrdFile({
        kinds: "RGB-color domain domain",
        space: null,
        "space directions": null,
        spacings: "1 1 1",
      }),
      /2 axes in space|RGB-color/,
    ],
    ["scanner-xyz", nrrdFile({ space: "scanner-xyz" }), /lies in the space "scanner-xyz"/],
    ["directions in no named space", nrrdFile({ space: null }), /lies in the space "\(none stated\)"/],
    ["time in the space", nrrdFile({ space: "left-posterior-superior-time" }), /-time"/],
    ["a space without directions", nrrdFile({ "space directions": null }), /spacing of/],
    ["no spacing", nrrdFile({ space: null, "space directions": null }), /states no spacing/],
    [
      "axis mins",
      nrrdFile({ space: null, "space directions": null, spacings: "1 1 1", axismins: "0 0 5" }),
      /states axis mins/,
    ],
    ["zero spacing", nrrdFile({ "space directions": "(1,0,0) (0,0,0) (0,0,3)" }), /spacing of 1 × 0 × 3 mm/],
    [
      "zero spacings",
      nrrdFile({ space: null, "space directions": null, spacings: "1 0 3" }),
      /spacing of 1 × 0 × 3 mm/,
    ],
    [
      "vectors of two numbers",
      nrrdFile({ "space directions": "(1,0) (0,1) (0,0)" }),
      /space directions \(1,0\)/,
    ],
    [
      "a direction NaN",
      nrrdFile({ "space directions": "(nan,0,0) (0,1,0) (0,0,1)" }),
      /space directions \(nan,0,0\)/,
    ],
    [
      "directions that open and never close",
      nrrdFile({ "space directions": "(1,0,0) (0,1,0) (0" }),
      /directions/,
    ],
    ["an origin NaN", nrrdFile({ "space origin": "(0,nan,0)" }), /space origin \(0,nan,0\)/],
    ["an origin that is no vector", nrrdFile({ "space origin": "1 2 3" }), /space origin 1 2 3/],
    ["an origin without an end", nrrdFile({ "space origin": "(1,2,3" }), /space origin \(1,2,3/],
    ["an origin of two numbers", nrrdFile({ "space origin": "(1,2)" }), /space origin/],
    ["an origin with an empty number", nrrdFile({ "space origin": "(1,,3)" }), /space origin/],
    ["two origins", nrrdFile({ "space origin": "(1,2,3) (4,5,6)" }), /space origin/],
    ["a shear", nrrdFile({ "space directions": "(1,0,0) (0.1,1,0) (0,0,1)" }), /sheared grid/],
    ["centimetres", nrrdFile({ "space units": '"cm" "cm" "cm"' }), /distances in cm/],
    [
      "NaN",
      nrrdFile({ type: "float" }, new Uint8Array(Float32Array.of(Number.NaN, 1).buffer)),
      /1 NaN or infinite/,
    ],
    [
      "a missing data file",
      nrrdFile({ "data file": "scan.raw" }),
      /keeps its voxels in scan\.raw, which was not given/,
    ],
    ["a list of data files", nrrdFile({ "data file": "LIST" }), /one file in the same folder/],
    ["a pattern of data files", nrrdFile({ "data file": "s%03d.raw 1 9 1" }), /one file in the same folder/],
    ["a data file above", nrrdFile({ "data file": "../secret" }), /one file in the same folder/],
    ["a data file above, hidden", nrrdFile({ "data file": "./../secret" }), /one file in the same folder/],
    ["a data file anywhere", nrrdFile({ "data file": "/etc/passwd" }), /one file in the same folder/],
  ];
  test.each(rows)("%s", (_, bytes, message) => {
    const read = () => readNrrd(bytes, "scan.nrrd");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^scan\.nrrd [^\n]*\.$/);
  });

  test("a data file cut short is named", () => {
    const header = nrrdFile({ "data file": "scan.raw" }, new Uint8Array(0));
    expect(() => readNrrd(header, "scan.nhdr", raw16.subarray(2))).toThrow(
      /^scan\.raw \(of scan\.nhdr\) is cut short/,
    );
  });
});
