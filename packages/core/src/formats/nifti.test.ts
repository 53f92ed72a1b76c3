import fc from "fast-check";
import { gzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import type { Matrix3, Vector3, Volume, VoxelArray } from "../volume/volume.js";
import { pointOfIndex, sameGeometry } from "../volume/volume.js";
import { gunzip } from "./gzip.js";
import { readNifti, writeNifti } from "./nifti.js";
import { randomVolumes } from "./random-volume.test-helper.js";

const identity: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** Every field a test changes; the rest are zero. */
interface Fields {
  version?: 1 | 2;
  bigEndian?: boolean;
  dims?: number[];
  datatype?: number;
  pixdim?: number[];
  slope?: number;
  intercept?: number;
  units?: number;
  qform?: number[];
  sform?: number[];
  voxels?: (view: DataView, start: number, little: boolean) => void;
  voxelBytes?: number;
}

/** A NIfTI file written field by field at the offsets that nifti1.h and nifti2.h state. */
function niftiFile(fields: Fields): Uint8Array {
  const { version = 1, bigEndian = false, dims = [3, 2, 1, 1], datatype = 4, pixdim = [1, 1, 1, 1] } = fields;
  const start = version === 1 ? 352 : 544;
  const bytes = new Uint8Array(start + (fields.voxelBytes ?? 4));
  const view = new DataView(bytes.buffer);
  const little = !bigEndian;
  const real = (first: number, values: number[]) =>
    values.forEach((value, n) => {
      if (version === 1) view.setFloat32(first + 4 * n, value, little);
      else view.setFloat64(first + 8 * n, value, little);
    });
  const code = (offset: number, value: number) =>
    version === 1 ? view.setInt16(offset, value, little) : view.setInt32(offset, value, little);
  view.setInt32(0, version === 1 ? 348 : 540, little);
  bytes.set(
    version === 1 ? [0x6e, 0x2b, 0x31, 0] : [0x6e, 0x2b, 0x32, 0, 13, 10, 26, 10],
    version === 1 ? 344 : 4,
  );
  dims.forEach((n, position) => {
    if (version === 1) view.setInt16(40 + 2 * position, n, little);
    else view.setBigInt64(16 + 8 * position, BigInt(n), little);
  });
  view.setInt16(version === 1 ? 70 : 12, datatype, little);
  real(version === 1 ? 76 : 104, pixdim);
  if (version === 1) view.setFloat32(108, start, little);
  else view.setBigInt64(168, BigInt(start), little);
  real(version === 1 ? 112 : 176, [fields.slope ?? 0, fields.intercept ?? 0]);
  if (version === 1) bytes[123] = fields.units ?? 2;
  else view.setInt32(500, fields.units ?? 2, little);
  if (fields.qform) {
    code(version === 1 ? 252 : 344, 1);
    real(version === 1 ? 256 : 352, fields.qform);
  }
  if (fields.sform) {
    code(version === 1 ? 254 : 348, 1);
    real(version === 1 ? 280 : 400, fields.sform);
  }
  fields.voxels?.(view, start, little);
  return bytes;
}

const straight = [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0];

describe("a written volume, read again", () => {
  test("has the same voxels, array type and place", () => {
    fc.assert(
      fc.property(randomVolumes, (volume) => {
        const again = readNifti(writeNifti(volume), "again.nii.gz");
        expect(again.data).toEqual(volume.data);
        expect(again.data.constructor).toBe(volume.data.constructor);
        expect(sameGeometry(again, volume, 1e-3)).toBe(true);
        again.direction.forEach((value, n) => {
          expect(value).toBeCloseTo(volume.direction[n], 6);
        });
      }),
      { seed: 1, numRuns: 200 },
    );
  });

  test("lies in the same place by its qform alone", () => {
    fc.assert(
      fc.property(randomVolumes, (volume) => {
        const file = gunzip(writeNifti(volume), 2 ** 20, "file");
        new DataView(file.buffer).setInt16(254, 0, true);
        file.fill(0, 280, 328);
        // Near half a turn the quaternion's unstored component is the root of a float32 rounding error, 5e-4 at most.
        expect(sameGeometry(readNifti(file, "file"), volume, 2e-2)).toBe(true);
      }),
      { seed: 2, numRuns: 200 },
    );
  });

  test("survives a second round trip unchanged, byte for byte", () => {
    const volume: Volume = {
      size: [2, 1, 1],
      spacingMm: [0.5, 2, 3],
      originMm: [10, -20, 30],
      direction: identity,
      data: Int16Array.of(-1024, 7),
    };
    const bytes = writeNifti(volume, { description: "lnsnet" });
    expect(readNifti(bytes, "x")).toEqual(volume);
    expect(writeNifti(readNifti(bytes, "x"), { description: "lnsnet" })).toEqual(bytes);
  });
});

describe("where a volume lies", () => {
  const place = (fields: Fields) => {
    const { spacingMm, originMm, direction } = readNifti(niftiFile(fields), "x.nii");
    return { spacingMm, originMm, direction };
  };

  test.each([1, 2] as const)("the sform of version %i in RAS becomes LPS", (version) => {
    const sform = [2, 0, 0, 10, 0, 3, 0, 20, 0, 0, 4, 30];
    expect(place({ version, sform, qform: [1, 0, 0, 0, 0, 0] })).toEqual({
      spacingMm: [2, 3, 4],
      originMm: [-10, -20, 30],
      direction: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
    });
  });

  test.each([1, 2] as const)("the qform of version %i: half a turn about z, then left-handed", (version) => {
    const qform = [0, 0, 1, 10, 20, 30];
    expect(place({ version, qform, pixdim: [1, 2, 3, 4] })).toEqual({
      spacingMm: [2, 3, 4],
      originMm: [-10, -20, 30],
      direction: identity,
    });
    expect(place({ version, qform, pixdim: [-1, 2, 3, 4] }).direction).toEqual([1, 0, 0, 0, 1, 0, 0, 0, -1]);
  });

  test("neither: the spacing alone, i to the left, j to anterior, centred on zero", () => {
    expect(place({ dims: [3, 2, 1, 1], pixdim: [1, 2, 3, 4] })).toEqual({
      spacingMm: [2, 3, 4],
      originMm: [-1, 0, 0],
      direction: [1, 0, 0, 0, -1, 0, 0, 0, 1],
    });
  });

  test.each([
    ["metres", 1, 1000],
    ["millimetres", 2, 1],
    ["micrometres", 3, 1e-3],
    ["millimetres and seconds", 10, 1],
    ["nothing", 0, 1],
  ])("units: %s", (_, units, millimetres) => {
    const sform = [-0.5, 0, 0, -8, 0, -0.5, 0, 0, 0, 0, 0.5, 0];
    const { spacingMm, originMm } = place({ sform, units });
    expect(spacingMm[0]).toBeCloseTo(0.5 * millimetres, 12);
    expect(originMm[0]).toBeCloseTo(8 * millimetres, 12);
  });

  describe("what is reported", () => {
    const reported = (fields: Fields) => {
      const problems: string[] = [];
      readNifti(niftiFile(fields), "x.nii", (problem) => problems.push(problem));
      return problems;
    };
    // 101 voxels along i; the qform (half a turn about z) lies by so many mm along z from the sform.
    const both = (offset: number): Fields => ({
      dims: [3, 101, 1, 1],
      voxelBytes: 202,
      pixdim: [1, 1, 1, 3],
      sform: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 3, 0],
      qform: [0, 0, 1, 0, 0, offset],
    });

    test("nothing, where the transforms agree or one is alone", () => {
      expect(reported(both(0))).toEqual([]);
      expect(reported(both(0.09))).toEqual([]);
      expect(reported({ sform: straight })).toEqual([]);
      expect(reported({ qform: [0, 0, 1, 0, 0, 0] })).toEqual([]);
    });

    test.each([
      ["a shift of 0.2 voxel", both(0.2), /sform and qform disagree by 0\.200 mm/],
      [
        "a turn by 0.02",
        { ...both(0), qform: [0, 0, Math.sqrt(1 - 1e-4), 0, 0, 0] },
        /by 2\.00 mm at a corner/,
      ],
      ["another spacing in pixdim", { ...both(0), pixdim: [1, 1.01, 1, 3] }, /disagree by 1\.00 mm/],
      [
        "a qform of NaN",
        { ...both(0), qform: [Number.NaN, 0, 1, 0, 0, 0] },
        /disagree, since the qform holds NaN/,
      ],
      [
        "an sform of zeros",
        { sform: new Array(12).fill(0), qform: [0, 0, 1, 0, 0, 0] },
        /sform is all zeros although its code is positive; the qform is used/,
      ],
      ["no transform", {}, /states no orientation/],
      [
        "a shear",
        { sform: [-1, -5e-4, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0] },
        /not quite perpendicular \(cosine 0\.000500\)/,
      ],
    ] satisfies [string, Fields, RegExp][])("%s", (_, fields, message) => {
      expect(reported(fields)).toEqual([expect.stringMatching(message)]);
    });

    test("and the qform is used where the sform is zeros", () => {
      const sform = new Array(12).fill(0);
      const volume = readNifti(
        niftiFile({ sform, pixdim: [1, 1, 2, 3], qform: [0, 0, 1, 7, 8, 9] }),
        "x.nii",
      );
      expect(volume).toMatchObject({ spacingMm: [1, 2, 3], originMm: [-7, -8, 9] });
    });

    test("and the sform wins", () => {
      expect(readNifti(niftiFile(both(50)), "x.nii").originMm).toEqual([0, 0, 0]);
    });
  });

  test("a slight shear is straightened, and the middle of the volume hardly moves", () => {
    const volume = readNifti(niftiFile({ sform: [-1, -5e-4, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0] }), "x.nii");
    const [a, b, , c, d] = volume.direction;
    expect(a * b + c * d).toBeCloseTo(0, 12);
    expect(Math.hypot(a, c)).toBeCloseTo(1, 12);
    expect(pointOfIndex(volume, [1, 1, 0])[0]).toBeCloseTo(1.0005, 3);
  });
});

describe("voxels", () => {
  const two = (
    write: (view: DataView, offset: number, value: number, little: boolean) => void,
    width: number,
  ) =>
    ((view, start, little) => {
      write(view, start, 1, little);
      write(view, start + width, 100, little);
    }) satisfies Fields["voxels"];
  const rows: [string, number, number, ReturnType<typeof two>, VoxelArray][] = [
    ["uint8", 2, 1, two((v, o, x) => v.setUint8(o, x), 1), Uint8Array.of(1, 100)],
    ["int8", 256, 1, two((v, o, x) => v.setInt8(o, -x), 1), Int8Array.of(-1, -100)],
    ["int16", 4, 2, two((v, o, x, le) => v.setInt16(o, -x, le), 2), Int16Array.of(-1, -100)],
    ["uint16", 512, 2, two((v, o, x, le) => v.setUint16(o, x, le), 2), Uint16Array.of(1, 100)],
    ["int32", 8, 4, two((v, o, x, le) => v.setInt32(o, -x, le), 4), Int32Array.of(-1, -100)],
    ["uint32", 768, 4, two((v, o, x, le) => v.setUint32(o, x, le), 4), Uint32Array.of(1, 100)],
    ["float32", 16, 4, two((v, o, x, le) => v.setFloat32(o, x / 8, le), 4), Float32Array.of(0.125, 12.5)],
    ["float64", 64, 8, two((v, o, x, le) => v.setFloat64(o, x / 8, le), 8), Float64Array.of(0.125, 12.5)],
    ["int64", 1024, 8, two((v, o, x, le) => v.setBigInt64(o, BigInt(-x), le), 8), Int32Array.of(-1, -100)],
    ["uint64", 1280, 8, two((v, o, x, le) => v.setBigUint64(o, BigInt(x), le), 8), Uint32Array.of(1, 100)],
  ];
  for (const version of [1, 2] as const) {
    for (const bigEndian of [false, true]) {
      test.each(rows)(
        `version ${version}, ${bigEndian ? "big" : "little"} endian: %s`,
        (_, datatype, width, voxels, expected) => {
          const file = niftiFile({
            version,
            bigEndian,
            datatype,
            voxels,
            voxelBytes: 2 * width,
            sform: straight,
          });
          const volume = readNifti(file, "x.nii");
          expect(volume.data).toEqual(expected);
          expect(volume.direction).toEqual(identity);
          expect(readNifti(gzipSync(file), "x.nii.gz")).toEqual(volume);
        },
      );
    }
  }

  test.each([
    ["2·stored − 1024", 2, -1024, Float32Array.of(-1022, -824)],
    ["slope one with an intercept", 1, -1000, Float32Array.of(-999, -900)],
    ["identity", 1, 0, Int16Array.of(1, 100)],
    ["slope zero means none", 0, 5, Int16Array.of(1, 100)],
    ["slope NaN means none", Number.NaN, Number.NaN, Int16Array.of(1, 100)],
  ])("scaling: %s", (_, slope, intercept, expected) => {
    const voxels = two((v, o, x, le) => v.setInt16(o, x, le), 2);
    expect(readNifti(niftiFile({ slope, intercept, voxels }), "x.nii").data).toEqual(expected);
  });

  test("a view into a larger buffer is read like a file of its own, and not shared", () => {
    const file = niftiFile({ sform: straight });
    const around = new Uint8Array(file.length + 3);
    around.set(file, 3);
    const volume = readNifti(around.subarray(3), "x.nii");
    around.fill(255);
    expect(volume.data).toEqual(Int16Array.of(0, 0));
  });

  test("a gzip file of two members is one file", () => {
    const file = niftiFile({ sform: straight, voxels: (v, o) => v.setInt16(o, 42, true) });
    const [a, b] = [gzipSync(file.subarray(0, 100)), gzipSync(file.subarray(100))];
    const both = new Uint8Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    expect(readNifti(both, "x.nii.gz").data[0]).toBe(42);
  });
});

describe("refused, in one sentence that names the file", () => {
  const real = (value: number): Fields => ({
    datatype: 16,
    voxelBytes: 8,
    voxels: (view, start) => view.setFloat32(start + 4, value, true),
  });
  const withByte = (bytes: Uint8Array, position: number, value: number) => {
    const changed = bytes.slice();
    changed[position < 0 ? changed.length + position : position] = value;
    return changed;
  };
  const noise = Int16Array.from({ length: 2000 }, (_, n) => (n * 7919) % 2003);
  const good = writeNifti({
    size: [20, 10, 10],
    spacingMm: [1, 1, 1],
    originMm: [0, 0, 0],
    direction: identity,
    data: noise,
  });
  const rows: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /is empty/],
    ["a text", new Uint8Array(1000).fill(65), /not a NIfTI/],
    ["a short text", new Uint8Array(20).fill(65), /not a NIfTI/],
    ["a gzip file of text", gzipSync(new Uint8Array(1000).fill(65)), /not a NIfTI/],
    ["the header of a pair", withByte(niftiFile({}), 345, 0x69), /\.hdr and \.img/],
    ["a header with a wrong length", withByte(niftiFile({}), 0, 0), /cannot be read/],
    ["a gzip header alone", good.subarray(0, 10), /cut short or damaged/],
    ["half a gzip file", good.subarray(0, good.length / 2), /cut short or damaged/],
    ["a gzip file without its last byte", good.subarray(0, good.length - 1), /cut short or damaged/],
    [
      "a gzip file with a wrong checksum",
      withByte(good, -6, good[good.length - 6] ^ 1),
      /cut short or damaged/,
    ],
    ["a gzip file with a byte after it", Uint8Array.from([...good, 1]), /cut short or damaged/],
    ["a gzip file with zeros and a byte after it", Uint8Array.from([...good, 0, 0, 0, 0, 0, 1]), /cut short/],
    [
      "more voxels than promised",
      gzipSync(Uint8Array.from([...niftiFile({}), ...new Uint8Array(2 ** 20 + 1)])),
      /unpack to more, and at most 1\.0 MiB/,
    ],
    [
      "10 GB of voxels promised",
      gzipSync(niftiFile({ dims: [3, 30000, 30000, 6] })),
      /unpack to 10\.1 GiB by its header, and at most 4\.0 GiB/,
    ],
    ["voxels cut short", niftiFile({}).subarray(0, 354), /has 2 bytes of voxels, and its header promises 4/],
    ["a header alone", niftiFile({}).subarray(0, 348), /has 0 bytes of voxels/],
    ["2D", niftiFile({ dims: [2, 2, 1] }), /dimensions 2 × 1, and/],
    ["4D", niftiFile({ dims: [4, 2, 1, 1, 2], voxelBytes: 8 }), /dimensions 2 × 1 × 1 × 2/],
    ["5D", niftiFile({ dims: [5, 2, 1, 1, 1, 3], voxelBytes: 12 }), /dimensions/],
    ["an axis without voxels", niftiFile({ dims: [3, 2, 0, 1] }), /dimensions 2 × 0 × 1/],
    ["complex", niftiFile({ datatype: 32, voxelBytes: 16 }), /complex/],
    ["RGB", niftiFile({ datatype: 128, voxelBytes: 6 }), /colour/],
    ["an unknown type", niftiFile({ datatype: 77 }), /data type 77/],
    ["zero spacing", niftiFile({ pixdim: [1, 1, 0, 1] }), /spacing of 1 × 0 × 1 mm/],
    [
      "negative spacing",
      niftiFile({ pixdim: [1, 1, 1, -2], qform: [0, 0, 1, 0, 0, 0] }),
      /spacing of 1 × 1 × -2 mm/,
    ],
    ["spacing NaN", niftiFile({ pixdim: [1, 1, Number.NaN, 1] }), /spacing of 1 × NaN × 1 mm/],
    ["an sform of zeros alone", niftiFile({ sform: new Array(12).fill(0) }), /sform of zeros and no qform/],
    ["a spacing of ten metres", niftiFile({ pixdim: [1, 1e4, 1, 1] }), /spacing of 10000 × 1 × 1 mm/],
    ["an origin beyond a kilometre", niftiFile({ qform: [0, 0, 0, 2e6, 0, 0] }), /within a kilometre/],
    ["a flat sform", niftiFile({ sform: [-1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 0, 0] }), /spacing of 1 × 1 × 0 mm/],
    ["origin NaN", niftiFile({ sform: [-1, 0, 0, Number.NaN, 0, -1, 0, 0, 0, 0, 1, 0] }), /first voxel/],
    [
      "a shear",
      niftiFile({ sform: [-1, -0.01, 0, 0, 0, -1, 0, 0, 0, 0, 1, 0] }),
      /sheared grid \(cosine 0\.0100/,
    ],
    ["a rotation NaN", niftiFile({ qform: [Number.NaN, 0, 0, 0, 0, 0] }), /rotation/],
    ["NaN", niftiFile(real(Number.NaN)), /1 NaN or infinite voxel,/],
    ["infinity", niftiFile(real(Number.POSITIVE_INFINITY)), /1 NaN or infinite voxel,/],
    ["infinity by scaling", niftiFile({ ...real(3e38), slope: 2 }), /1 NaN or infinite/],
    ["an infinite slope", niftiFile({ slope: Number.POSITIVE_INFINITY }), /scales its voxels/],
    [
      "int64 beyond 32 bits",
      niftiFile({ datatype: 1024, voxelBytes: 16, voxels: (v, o) => v.setBigInt64(o, 2n ** 40n, true) }),
      /1099511627776/,
    ],
  ];
  test.each(rows)("%s", (_, bytes, message) => {
    const read = () => readNifti(bytes, "scan.nii.gz");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^scan\.nii\.gz [^\n]*\.$/);
  });

  test("4D with one volume is read", () => {
    expect(readNifti(niftiFile({ dims: [4, 2, 1, 1, 1] }), "x").size).toEqual([2, 1, 1] satisfies Vector3);
  });
});
