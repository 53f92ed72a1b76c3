// Reads and writes safetensors, named tensors in one file: https://github.com/huggingface/safetensors#format
import { strFromU8, strToU8 } from "fflate";
import { InputError } from "../errors.js";
import { shown } from "../text.js";
import { converted, floatsOfBfloat16, floatsOfFloat16 } from "./half-floats.js";

/** How a tensor's numbers are stored: the format's `dtype`. */
export type TensorType = keyof ArrayOf;

interface ArrayOf {
  F64: Float64Array;
  F32: Float32Array;
  F16: Float32Array;
  BF16: Float32Array;
  I64: BigInt64Array;
  U64: BigUint64Array;
  I32: Int32Array;
  U32: Uint32Array;
  I16: Int16Array;
  U16: Uint16Array;
  I8: Int8Array;
  U8: Uint8Array;
  BOOL: Uint8Array;
}

/**
 * A tensor of a file; the last axis of `shape` varies fastest. F16 and BF16 are float32 in memory and are rounded when
 * written (to nearest, ties to even). BOOL is 0 or 1.
 */
export type StoredTensor = {
  [Type in TensorType]: {
    readonly dtype: Type;
    readonly shape: readonly number[];
    readonly data: ArrayOf[Type];
  };
}[TensorType];

/**
 * The tensors, in the order of the file's header, and the metadata of a safetensors file. The data are copies.
 * @param name The file, for messages.
 * @throws InputError when the file is cut short, is not a safetensors file, or its header contradicts itself.
 */
export function readSafetensors(
  bytes: Uint8Array,
  name: string,
): { tensors: Map<string, StoredTensor>; metadata: Record<string, string> } {
  const { header, firstByte } = headerOf(bytes, name);
  const { __metadata__: metadata = {}, ...entries } = header;
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw broken(name, "metadata that is not text");
  }
  const body = bytes.subarray(firstByte);
  const described = Object.entries(entries).map(([key, entry]) => descriptionOf(key, entry, name));
  refuseGapsAndOverlaps(described, body.length, name);
  const tensors = new Map<string, StoredTensor>();
  for (const { key, dtype, shape, start, end } of described) {
    // The checks above make the array's kind that of dtype, which the type system cannot follow through a variable.
    tensors.set(key, {
      dtype,
      shape,
      data: codecs[dtype].decode(Uint8Array.from(body.subarray(start, end))),
    } as StoredTensor);
  }
  return { tensors, metadata: metadata as Record<string, string> };
}

/**
 * A safetensors file. Tensors are ordered by the width of their type, widest first, then by name, and the data begin
 * at a multiple of 8 bytes: every tensor is aligned for its type, and equal content gives equal bytes.
 * @throws RangeError when a tensor does not have as many elements as its shape states.
 * @throws InputError when a finite number of an F16 tensor is beyond the largest F16, 65504.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const width = (tensor: StoredTensor) => codecs[tensor.dtype].bytes;
  const ordered = [...tensors].sort(
    ([a, first], [b, second]) => width(second) - width(first) || (a < b ? -1 : 1),
  );
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(["__metadata__", sortedByKey(metadata)]);
  let length = 0;
  for (const [key, tensor] of ordered) {
    const { dtype, shape, data } = tensor;
    if (data.length !== elementsOf(shape)) {
      throw new RangeError(`The tensor ${key} of shape [${shape}] has ${data.length} elements.`);
    }
    const end = length + data.length * width(tensor);
    entries.push([key, { dtype, shape, data_offsets: [length, end] }]);
    length = end;
  }
  const text = strToU8(JSON.stringify(Object.fromEntries(entries)));
  const headerLength = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + headerLength + length);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.fill(0x20, 8, 8 + headerLength);
  file.set(text, 8);
  let offset = 8 + headerLength;
  for (const [key, tensor] of ordered) {
    const encoded = encodedBytes(tensor, key);
    file.set(encoded, offset);
    offset += encoded.length;
  }
  return file;
}

interface Codec<Data> {
  readonly bytes: number;
  /** `raw` owns its buffer from byte 0. */
  readonly decode: (raw: Uint8Array<ArrayBuffer>) => Data;
}

// Typed arrays are assumed to be little-endian, like the file: all machines that ONNX Runtime runs on are.
const codecs: { readonly [Type in TensorType]: Codec<ArrayOf[Type]> } = {
  F64: { bytes: 8, decode: (raw) => new Float64Array(raw.buffer) },
  F32: { bytes: 4, decode: (raw) => new Float32Array(raw.buffer) },
  F16: {
    bytes: 2,
    decode: (raw) => floatsOfFloat16(new Uint16Array(raw.buffer)),
  },
  BF16: { bytes: 2, decode: (raw) => floatsOfBfloat16(new Uint16Array(raw.buffer)) },
  I64: { bytes: 8, decode: (raw) => new BigInt64Array(raw.buffer) },
  U64: { bytes: 8, decode: (raw) => new BigUint64Array(raw.buffer) },
  I32: { bytes: 4, decode: (raw) => new Int32Array(raw.buffer) },
  U32: { bytes: 4, decode: (raw) => new Uint32Array(raw.buffer) },
  I16: { bytes: 2, decode: (raw) => new Int16Array(raw.buffer) },
  U16: { bytes: 2, decode: (raw) => new Uint16Array(raw.buffer) },
  I8: { bytes: 1, decode: (raw) => new Int8Array(raw.buffer) },
  U8: { bytes: 1, decode: (raw) => raw },
  BOOL: { bytes: 1, decode: (raw) => raw },
};

function encodedBytes({ dtype, data }: StoredTensor, key: string): Uint8Array {
  const stored = dtype === "F16" ? float16Of(data, key) : dtype === "BF16" ? bfloat16Of(data) : data;
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

function broken(name: string, found: string, cause?: unknown): InputError {
  return new InputError(
    `${name} has ${found}, and a complete safetensors file was expected; check the path, or copy the file again.`,
    { cause },
  );
}

function headerOf(bytes: Uint8Array, name: string): { header: Record<string, unknown>; firstByte: number } {
  if (bytes.length < 8) throw broken(name, `only ${bytes.length} bytes`);
  const stated = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  // The reference reader refuses longer headers too; a file of another format states an absurd length here.
  if (stated > 100_000_000n)
    throw broken(name, `no safetensors header (its length would be ${stated} bytes)`);
  const firstByte = 8 + Number(stated);
  if (firstByte > bytes.length)
    throw broken(name, `${bytes.length} bytes where its header alone needs ${firstByte}`);
  let header: unknown;
  try {
    header = JSON.parse(strFromU8(bytes.subarray(8, firstByte)));
  } catch (cause) {
    throw broken(name, "a header that is not JSON", cause);
  }
  if (!isRecord(header)) throw broken(name, "a header that is not a JSON object");
  return { header, firstByte };
}

interface Description {
  readonly key: string;
  readonly dtype: TensorType;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

function descriptionOf(key: string, entry: unknown, name: string): Description {
  if (!isRecord(entry)) throw broken(name, `a tensor "${key}" without a description`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (typeof dtype !== "string" || !Object.hasOwn(codecs, dtype)) {
    throw new InputError(
      `${name} stores the tensor "${key}" as ${shown(dtype)}, and one of ${Object.keys(codecs).join(", ")} was expected; convert it to F32.`,
    );
  }
  if (!isCounts(shape)) throw broken(name, `a tensor "${key}" of the shape ${shown(shape)}`);
  if (!isCounts(offsets) || offsets.length !== 2) {
    throw broken(name, `a tensor "${key}" at the offsets ${shown(offsets)}`);
  }
  const [start, end] = offsets;
  const needed = elementsOf(shape) * codecs[dtype as TensorType].bytes;
  if (end - start !== needed) {
    throw broken(name, `a tensor "${key}" of ${end - start} bytes where its shape and type need ${needed}`);
  }
  return { key, dtype: dtype as TensorType, shape, start, end };
}

/** The format allows neither, so a file that is cut short or hides data is noticed. */
function refuseGapsAndOverlaps(described: readonly Description[], length: number, name: string): void {
  let expected = 0;
  for (const { key, start, end } of [...described].sort((a, b) => a.start - b.start || a.end - b.end)) {
    if (start !== expected) throw broken(name, `a gap or an overlap before the tensor "${key}"`);
    expected = end;
  }
  if (expected !== length) throw broken(name, `${length} bytes of data where its header states ${expected}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function elementsOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

function sortedByKey(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function float16Of(floats: Float32Array, key: string): Uint16Array {
  const beyond = floats.find((value) => Number.isFinite(value) && Math.abs(value) >= HALF_OVERFLOW);
  if (beyond !== undefined)
    throw new InputError(
      `The tensor "${key}" holds ${beyond}, and float16 ends at 65504; store it as float32 instead.`,
    );
  return converted(bitsOf(floats), Uint16Array, float16OfFloatBits);
}

/** Halfway from the largest float16 to the next power of two: from here on, rounding gives infinity. */
const HALF_OVERFLOW = 65520;

function float16OfFloatBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  const exponent = (magnitude >>> 23) - 112;
  if (exponent >= 31) return sign | 0x7c00;
  if (exponent <= 0) {
    // Subnormal float16: the significand is shifted right, and the bits that it loses decide the rounding.
    if (exponent < -10) return sign;
    return sign | roundedShift((magnitude & 0x7fffff) | 0x800000, 14 - exponent);
  }
  // A carry out of the fraction raises the exponent, which is the correct rounding.
  return sign | roundedShift((exponent << 23) | (magnitude & 0x7fffff), 13);
}

/** value / 2^shift, rounded to the nearest integer, ties to even. */
function roundedShift(value: number, shift: number): number {
  const half = 2 ** (shift - 1);
  const kept = value >>> shift;
  const lost = value & (2 * half - 1);
  return lost > half || (lost === half && kept & 1) ? kept + 1 : kept;
}

function bfloat16Of(floats: Float32Array): Uint16Array {
  return converted(bitsOf(floats), Uint16Array, (bits) =>
    (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : roundedShift(bits, 16),
  );
}

const bitsOf = (floats: Float32Array): Uint32Array => new Uint32Array(Float32Array.from(floats).buffer);
