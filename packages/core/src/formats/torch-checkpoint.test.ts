// Checkpoints that PyTorch wrote (fixtures/checkpoints), and damaged ones.
import { readFileSync } from "node:fs";
import { strToU8, unzipSync, type Zippable, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { InputError } from "../errors.js";
import { indexedStream, uniformWhole } from "../random.js";
import type { Unpickled } from "./pickle.js";
import { CheckpointTensor, readTorchCheckpoint } from "./torch-checkpoint.js";

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../../../fixtures/checkpoints/${name}`, import.meta.url)));

const read = (bytes: Uint8Array) => readTorchCheckpoint(bytes, "file.pth") as Map<string, Unpickled>;

/** Shape and numbers of a tensor. */
function contentOf(tensor: Unpickled | undefined): [readonly number[], number[]] {
  if (!(tensor instanceof CheckpointTensor)) throw new Error("no tensor");
  return [tensor.shape, [...tensor.read()]];
}

/** k/8 for k from 0, exact in every type of number. */
const counting = Array.from({ length: 24 }, (_, n) => n / 8);

describe.each(["tensors.pth", "tensors-protocol-5.pth"])("%s", (file) => {
  const checkpoint = read(fixture(file));
  const weights = checkpoint.get("network_weights") as Map<string, Unpickled>;

  test.each<[string, number[], number[]]>([
    ["float32", [2, 3, 4], counting],
    ["float64", [2, 3, 4], counting],
    ["float16", [2, 3, 4], counting],
    ["bfloat16", [2, 3, 4], counting],
    ["int64", [2], [-3, 2 ** 40]],
    ["uint8", [2], [0, 255]],
    ["bool", [2], [1, 0]],
    ["scalar", [], [1.5]],
    ["empty", [0, 3], []],
    [
      "transposed",
      [4, 2, 3],
      Array.from({ length: 24 }, (_, n) => counting[(n % 6) * 4 + Math.floor(n / 6)]),
    ],
    ["part", [2, 2], [16, 18, 20, 22].map((n) => n / 8)],
    ["shared", [2, 3, 4], counting],
    ["parameter", [3, 4], counting.slice(0, 12)],
  ])("the tensor %s", (name, shape, numbers) => {
    expect(contentOf(weights.get(name))).toEqual([shape, numbers]);
  });

  test("plain data", () => {
    expect(checkpoint.get("axes")).toEqual([0, 1, 2]);
    expect(checkpoint.get("text")).toBe("Lymphknoten ä");
    expect(checkpoint.get("numbers")).toEqual([
      0,
      255,
      65535,
      -1,
      2 ** 31,
      -(2 ** 40),
      2n ** 70n,
      0.1,
      true,
      null,
    ]);
  });

  test("values of NumPy and devices stand for nothing", () => {
    const logging = checkpoint.get("logging") as Map<string, Unpickled>;
    expect([...logging.keys()]).toEqual(["mean", "array", "flag"]);
    expect(Object.keys(checkpoint.get("device") as object)).toEqual([]);
  });
});

test("numbers of the other byte order", () => {
  expect(contentOf(read(fixture("big-endian.pth")).get("float32"))).toEqual([[6], [0, 1, 2, 3, 4, 5]]);
});

/** The checkpoint with other files in its archive. */
function withFiles(changed: Zippable): Uint8Array {
  const files = unzipSync(fixture("big-endian.pth"));
  return zipSync({ ...files, ...changed }, { level: 0 });
}

/** A checkpoint that is a tensor of this shape and these strides, over a storage of as many numbers as stated. */
function tensorCheckpoint(shape: readonly number[], strides: readonly number[], stated: number): Uint8Array {
  const integer = (value: number) => [
    0x4a,
    value & 255,
    (value >> 8) & 255,
    (value >> 16) & 255,
    value >>> 24,
  ];
  const tuple = (values: readonly number[]) => [0x28, ...values.flatMap(integer), 0x74];
  const text = (value: string) => [0x58, value.length, 0, 0, 0, ...strToU8(value)];
  const pickle = Uint8Array.from([
    ...strToU8("ctorch._utils\n_rebuild_tensor_v2\n("),
    ...[0x28, ...text("storage"), ...strToU8("ctorch\nFloatStorage\n"), ...text("0"), ...text("cpu")],
    ...[...integer(stated), 0x74, 0x51, ...integer(0), ...tuple(shape), ...tuple(strides)],
    ...strToU8("tR."),
  ]);
  return zipSync({ "a/data.pkl": pickle, "a/data/0": new Uint8Array(16) }, { level: 0 });
}

test("a tensor by strides", () => {
  const tensor = readTorchCheckpoint(tensorCheckpoint([2, 2], [1, 2], 4), "file.pth");
  expect(contentOf(tensor)).toEqual([
    [2, 2],
    [0, 0, 0, 0],
  ]);
});

describe("refuses", () => {
  test.each<[string, Uint8Array, RegExp]>([
    ["what is no archive", fixture("before-1.6.pth"), /no zip archive.*PyTorch 1\.6/],
    ["an archive of something else", zipSync({ "a/b": strToU8("x") }), /without a pickle "data\.pkl"/],
    [
      "a malicious pickle",
      withFiles({
        "little-endian/data.pkl": strToU8("cos\nsystem\nX\u0002\u0000\u0000\u0000ls\u0085R.", true),
      }),
      /asks Python for "os\.system"/,
    ],
    ["what is cut short", fixture("tensors.pth").subarray(0, 3000), /cut short or damaged/],
    ["a tensor beyond its storage", tensorCheckpoint([2, 2], [4, 1], 4), /reaches beyond its storage of 4/],
    ["a tensor that repeats a number", tensorCheckpoint([30000, 30000], [0, 0], 1), /900000000 numbers/],
    ["a tensor with other strides than axes", tensorCheckpoint([2], [2, 1], 4), /other strides than axes/],
    ["a negative length", tensorCheckpoint([-2], [1], 4), /without storage, offset, shape and strides/],
  ])("%s", (_, bytes, message) => {
    const attempt = () => read(bytes);
    expect(attempt).toThrow(InputError);
    expect(attempt).toThrow(message);
  });

  test.each<[string, Uint8Array, RegExp]>([
    [
      "a storage of another length",
      tensorCheckpoint([5], [1], 5),
      /16 bytes in the storage "data\/0", and 20/,
    ],
    ["a storage of other content", withFiles({ "little-endian/data/0": new Uint8Array(8) }), /8 bytes/],
  ])("%s when it is read", (_, bytes, message) => {
    const found: Unpickled = read(bytes);
    const tensor = found instanceof Map ? found.get("float32") : found;
    expect(() => contentOf(tensor)).toThrow(message);
  });
});

/** Every tensor of a value that the reader gave; a value may hold itself. */
function tensorsIn(value: Unpickled, seen = new Set<Unpickled>()): CheckpointTensor[] {
  if (value instanceof CheckpointTensor) return [value];
  if (seen.has(value)) return [];
  seen.add(value);
  if (value instanceof Map) return [...value.values()].flatMap((item) => tensorsIn(item, seen));
  return Array.isArray(value) ? value.flatMap((item) => tensorsIn(item, seen)) : [];
}

test("a damaged checkpoint is read or refused in a sentence, whatever bytes of its pickle change", () => {
  const files = unzipSync(fixture("tensors.pth"));
  const random = indexedStream(14, 0);
  let refused = 0;
  for (let n = 0; n < 1000; n++) {
    const pickle = files["tensors/data.pkl"].slice();
    for (let change = 0; change < 1 + (n % 4); change++)
      pickle[uniformWhole(random, pickle.length)] = uniformWhole(random, 256);
    try {
      const found = readTorchCheckpoint(
        zipSync({ ...files, "tensors/data.pkl": pickle }, { level: 0 }),
        "a.pth",
      );
      for (const tensor of tensorsIn(found)) tensor.read();
    } catch (error) {
      refused++;
      expect(error).toBeInstanceOf(InputError);
    }
  }
  expect(refused).toBeGreaterThan(150);
  expect(refused).toBeLessThan(1000);
});
