import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { readSafetensors, type StoredTensor, writeSafetensors } from "./safetensors.js";

const encode = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** A file from a header's text and its data. */
function file(header: string, data: readonly number[] = [], statedLength = header.length): Uint8Array {
  const bytes = new Uint8Array(8 + header.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(statedLength), true);
  bytes.set(encode(header), 8);
  bytes.set(data, 8 + header.length);
  return bytes;
}

const onlyTensor = (bytes: Uint8Array) => [...readSafetensors(bytes, "x").tensors.values()][0];

describe("round trip", () => {
  const everyType: [string, StoredTensor][] = [
    ["f64", { dtype: "F64", shape: [2], data: Float64Array.of(Math.PI, -0) }],
    [
      "f32",
      { dtype: "F32", shape: [1, 3], data: Float32Array.of(1.5, Number.NaN, Number.NEGATIVE_INFINITY) },
    ],
    ["f16", { dtype: "F16", shape: [2], data: Float32Array.of(0.5, -65504) }],
    ["bf16", { dtype: "BF16", shape: [2], data: Float32Array.of(0.5, -3.3895313892515355e38) }],
    ["i64", { dtype: "I64", shape: [1], data: BigInt64Array.of(-(2n ** 60n)) }],
    ["u64", { dtype: "U64", shape: [1], data: BigUint64Array.of(2n ** 63n) }],
    ["i32", { dtype: "I32", shape: [1], data: Int32Array.of(-5) }],
    ["u32", { dtype: "U32", shape: [1], data: Uint32Array.of(4e9) }],
    ["i16", { dtype: "I16", shape: [1], data: Int16Array.of(-5) }],
    ["u16", { dtype: "U16", shape: [1], data: Uint16Array.of(65535) }],
    ["i8", { dtype: "I8", shape: [1], data: Int8Array.of(-5) }],
    ["u8", { dtype: "U8", shape: [3], data: Uint8Array.of(1, 2, 255) }],
    ["bool", { dtype: "BOOL", shape: [2], data: Uint8Array.of(1, 0) }],
    ["scalar", { dtype: "F32", shape: [], data: Float32Array.of(7) }],
    ["empty", { dtype: "F32", shape: [0, 4], data: new Float32Array(0) }],
    ["__proto__", { dtype: "U8", shape: [1], data: Uint8Array.of(9) }],
  ];

  test("every type, shape and the metadata", () => {
    const metadata = { format: "pt", note: "Grüße" };
    const read = readSafetensors(writeSafetensors(new Map(everyType), metadata), "x");
    expect(Object.fromEntries(read.tensors)).toEqual(Object.fromEntries(everyType));
    expect(read.tensors.size).toBe(everyType.length);
    expect(read.metadata).toEqual(metadata);
  });

  test("data begin at a multiple of 8, wide types first, and the order of the map does not matter", () => {
    const bytes = writeSafetensors(new Map(everyType));
    const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(headerLength % 8).toBe(0);
    const header = JSON.parse(String.fromCharCode(...bytes.subarray(8, 8 + headerLength)));
    expect(header.f64.data_offsets).toEqual([0, 16]);
    expect(header.i64.data_offsets).toEqual([16, 24]);
    expect(header.u64.data_offsets).toEqual([24, 32]);
    expect(header.empty.data_offsets).toEqual([32, 32]);
    expect(header.f16.data_offsets[0] % 2).toBe(0);
    expect(writeSafetensors(new Map([...everyType].reverse()))).toEqual(bytes);
  });

  test("a file without metadata has none; a view of a larger buffer is read and not shared", () => {
    const bytes = writeSafetensors(new Map([["a", { dtype: "F32", shape: [1], data: Float32Array.of(2) }]]));
    const around = new Uint8Array(bytes.length + 1);
    around.set(bytes, 1);
    const { tensors, metadata } = readSafetensors(around.subarray(1), "x");
    around.fill(0);
    expect(metadata).toEqual({});
    expect(tensors.get("a")?.data).toEqual(Float32Array.of(2));
  });

  test("a count that does not fit the shape is refused", () => {
    const wrong: StoredTensor = { dtype: "F32", shape: [2], data: Float32Array.of(1) };
    expect(() => writeSafetensors(new Map([["a", wrong]]))).toThrow(RangeError);
  });
});

describe("F16", () => {
  const half = (value: number) => {
    const bytes = writeSafetensors(
      new Map([["a", { dtype: "F16", shape: [1], data: Float32Array.of(value) }]]),
    );
    return bytes[bytes.length - 2] | (bytes[bytes.length - 1] << 8);
  };

  test.each([
    ["one", 1, 0x3c00],
    ["minus two", -2, 0xc000],
    ["minus zero", -0, 0x8000],
    ["the greatest", 65504, 0x7bff],
    ["just below the halfway to infinity", 65519.996, 0x7bff],
    ["infinity", Number.NEGATIVE_INFINITY, 0xfc00],
    ["NaN", Number.NaN, 0x7e00],
    ["halfway, the lower is even", 1 + 2 ** -11, 0x3c00],
    ["halfway, the upper is even", 1 + 3 * 2 ** -11, 0x3c02],
    ["just above halfway", 1 + 2 ** -11 + 2 ** -20, 0x3c01],
    ["a carry into the exponent", 2 - 2 ** -12, 0x4000],
    ["the least normal", 2 ** -14, 0x0400],
    ["rounded up to the least normal", 2 ** -14 - 2 ** -26, 0x0400],
    ["the least subnormal", 2 ** -24, 0x0001],
    ["half of it, to even", 2 ** -25, 0x0000],
    ["a little more than half of it", 2 ** -25 * 1.001, 0x0001],
    ["one and a half of it, to even", 1.5 * 2 ** -24, 0x0002],
    ["nearly nothing", 1e-30, 0x0000],
  ])("%s", (_, value, bits) => {
    expect(half(value)).toBe(bits);
  });

  test.each([65520, -1e10])("%d is beyond F16 and refused", (value) => {
    expect(() => half(value)).toThrow(InputError);
    expect(() => half(value)).toThrow(
      `The tensor "a" holds ${value}, and float16 ends at 65504; store it as float32 instead.`,
    );
  });

  test("all 65,536 numbers are read as IEEE 754 defines them", () => {
    const empty = writeSafetensors(
      new Map([["a", { dtype: "F16", shape: [65_536], data: new Float32Array(65_536) }]]),
    );
    const halves = Uint16Array.from({ length: 65_536 }, (_, half) => half);
    empty.set(new Uint8Array(halves.buffer), empty.length - halves.byteLength);
    const read = readSafetensors(empty, "a.safetensors").tensors.get("a")?.data;
    const defined = Float32Array.from(halves, (half) => {
      const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
      if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
      return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
    });
    expect(read).toEqual(defined);
  });

  test("rounds as NumPy does", () => {
    const { float32, float16 }: { float32: number[]; float16: number[] } = JSON.parse(
      readFileSync(new URL("../../../../fixtures/safetensors/half.json", import.meta.url), "utf8"),
    );
    const data = new Float32Array(Uint32Array.from(float32).buffer);
    const bytes = writeSafetensors(new Map([["a", { dtype: "F16", shape: [data.length], data }]]));
    expect([...new Uint16Array(bytes.slice(-2 * data.length).buffer)]).toEqual(float16);
  });

  test("each of the 65536 halves is read and written as itself", () => {
    const data = Array.from({ length: 65536 }, (_, n) => [n & 255, n >> 8]).flat();
    const original = file('{"a":{"dtype":"F16","shape":[65536],"data_offsets":[0,131072]}}', data);
    const { tensors } = readSafetensors(original, "x");
    const again = writeSafetensors(tensors);
    const body = new Uint16Array(again.slice(again.length - 131072).buffer);
    const values = tensors.get("a")?.data ?? [];
    expect(body.filter((bits, n) => bits !== n && !Number.isNaN(Number(values[n])))).toHaveLength(0);
    expect(values.filter((value) => Number.isNaN(value))).toHaveLength(2 * 1023);
  });

  test("no half is nearer than the one chosen", () => {
    fc.assert(
      fc.property(fc.float({ min: -65000, max: 65000, noNaN: true }), (value) => {
        const bits = half(value);
        const read = (pattern: number) =>
          Number(
            onlyTensor(
              file('{"a":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}}', [pattern & 255, pattern >> 8]),
            ).data[0],
          );
        const distance = Math.abs(read(bits) - value);
        if ((bits & 0x7fff) > 0) expect(distance).toBeLessThanOrEqual(Math.abs(read(bits - 1) - value));
        expect(distance).toBeLessThanOrEqual(Math.abs(read(bits + 1) - value));
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

test("BF16 rounds to the nearest, halfway to even", () => {
  const data = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, -225.7 * 2 ** 120, Number.NaN);
  const read = onlyTensor(writeSafetensors(new Map([["a", { dtype: "BF16", shape: [4], data }]])));
  expect([...read.data]).toEqual([1, 1 + 2 ** -6, -226 * 2 ** 120, Number.NaN]);
});

describe("refused, in one sentence that names the file", () => {
  const header = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  const rows: [string, Uint8Array, RegExp][] = [
    ["nothing", new Uint8Array(0), /only 0 bytes/],
    ["a text", encode("this is not a safetensors file"), /no safetensors header/],
    ["a header cut short", file(header).subarray(0, 30), /30 bytes where its header alone needs/],
    ["data cut short", file(header, [0, 0, 0]), /3 bytes of data where its header states 4/],
    ["data too long", file(header, [0, 0, 0, 0, 0]), /5 bytes of data where its header states 4/],
    ["no JSON", file("{{{{{{{{"), /not JSON/],
    ["a list", file("[]"), /not a JSON object/],
    [
      "an unknown type",
      file('{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}', [0]),
      /as F8_E4M3,/,
    ],
    [
      "a type of the prototype",
      file('{"a":{"dtype":"toString","shape":[1],"data_offsets":[0,1]}}', [0]),
      /as toString,/,
    ],
    ["a negative shape", file('{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}', [0]), /shape \[-1\]/],
    ["no offsets", file('{"a":{"dtype":"U8","shape":[1]}}', [0]), /offsets/],
    [
      "offsets against the shape",
      file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', [0, 0, 0, 0]),
      /4 bytes where/,
    ],
    ["a gap", file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}', [0, 0]), /gap or an overlap/],
    [
      "an overlap",
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        [0],
      ),
      /gap or an overlap before the tensor "b"/,
    ],
    ["metadata of numbers", file('{"__metadata__":{"a":1}}'), /not text/],
    ["a tensor that is a number", file('{"a":1}'), /without a description/],
  ];
  test.each(rows)("%s", (_, bytes, message) => {
    const read = () => readSafetensors(bytes, "weights.safetensors");
    expect(read).toThrow(InputError);
    expect(read).toThrow(message);
    expect(read).toThrow(/^weights\.safetensors [^\n]*\.$/);
  });
});
