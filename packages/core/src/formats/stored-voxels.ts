// Converts voxels from the way files store them (bytes of a stated type and byte order, or text) to typed arrays, and back.
import { InputError } from "../errors.js";
import { counted, shown } from "../text.js";
import type { VoxelArray } from "../volume/volume.js";

/** The number types that volume files store. 64-bit integers are read where they fit in 32 bits, and never written. */
export type StoredType = keyof typeof storedTypes;

/** The types that voxels have in memory. */
export type WrittenType = Exclude<StoredType, "int64" | "uint64">;

const storedTypes = {
  uint8: { bytes: 1, make: (buffer: ArrayBuffer) => new Uint8Array(buffer) },
  int8: { bytes: 1, make: (buffer: ArrayBuffer) => new Int8Array(buffer) },
  int16: { bytes: 2, make: (buffer: ArrayBuffer) => new Int16Array(buffer) },
  uint16: { bytes: 2, make: (buffer: ArrayBuffer) => new Uint16Array(buffer) },
  int32: { bytes: 4, make: (buffer: ArrayBuffer) => new Int32Array(buffer) },
  uint32: { bytes: 4, make: (buffer: ArrayBuffer) => new Uint32Array(buffer) },
  float32: { bytes: 4, make: (buffer: ArrayBuffer) => new Float32Array(buffer) },
  float64: { bytes: 8, make: (buffer: ArrayBuffer) => new Float64Array(buffer) },
  int64: { bytes: 8, make: (buffer: ArrayBuffer) => new BigInt64Array(buffer) },
  uint64: { bytes: 8, make: (buffer: ArrayBuffer) => new BigUint64Array(buffer) },
} as const;

/** Bytes of one voxel. */
export function bytesPerVoxel(type: StoredType): number {
  return storedTypes[type].bytes;
}

/** The stored type that holds an array's values exactly. */
export function writtenTypeOf(array: VoxelArray): WrittenType {
  // Each typed array carries its own name: "Int16Array" stores int16.
  return array[Symbol.toStringTag].replace("Array", "").toLowerCase() as WrittenType;
}

/** What a header says about the voxels that follow it. */
export interface VoxelLayout {
  readonly type: StoredType;
  readonly count: number;
  readonly littleEndian: boolean;
  /** Byte offset of the first voxel. */
  readonly start: number;
}

/**
 * The voxels stored in `bytes` from `start` on, as a copy. int64 and uint64 become Int32Array and Uint32Array, if
 * every value fits.
 *
 * @param name The file, for messages.
 * @throws InputError where the bytes are too few, or a 64-bit value needs more than 32 bits
 */
export function voxelsOfBytes(bytes: Uint8Array, layout: VoxelLayout, name: string): VoxelArray {
  const { type, count, littleEndian, start } = layout;
  const width = bytesPerVoxel(type);
  const wanted = count * width;
  if (start < 0 || bytes.length < start + wanted) {
    throw new InputError(
      `${name} is cut short: it has ${Math.max(0, bytes.length - Math.max(0, start))} bytes of voxels, and its header promises ${wanted}; copy or download it again.`,
    );
  }
  // Not slice(): for Node's Buffer that is a view, not a copy.
  const raw = new Uint8Array(bytes.subarray(start, start + wanted));
  if (littleEndian !== machineIsLittleEndian && width > 1) reverseEach(raw, width);
  const stored = storedTypes[type].make(raw.buffer);
  if (stored instanceof BigInt64Array) return narrowed(stored, new Int32Array(count), name);
  if (stored instanceof BigUint64Array) return narrowed(stored, new Uint32Array(count), name);
  return stored;
}

/**
 * The voxels of a text, separated by white space.
 *
 * @param name The file, for messages.
 * @throws InputError where a word is not a number of the type, or there are too few or too many numbers
 */
export function voxelsOfText(text: string, type: StoredType, count: number, name: string): VoxelArray {
  // Counted first, so that no memory is allocated for voxels that a header promises but the file does not have.
  let words = 0;
  for (const _ of text.matchAll(/\S+/g)) words++;
  if (words !== count) {
    throw new InputError(
      `${name} holds ${words} numbers as text, and its header promises ${count} voxels; copy or download it again.`,
    );
  }
  const narrow = type === "int64" ? "int32" : type === "uint64" ? "uint32" : type;
  const voxels = storedTypes[narrow].make(new ArrayBuffer(count * bytesPerVoxel(narrow)));
  let n = 0;
  for (const [word] of text.matchAll(/\S+/g)) {
    const value = Number(word);
    voxels[n] = value;
    const isRounded = narrow === "float32" && Number.isFinite(voxels[n]);
    if (voxels[n] !== value && !isRounded) {
      throw new InputError(
        `${name} holds the voxel "${shown(word)}", and a number of the type ${narrow} was expected; correct the file.`,
      );
    }
    n++;
  }
  return voxels;
}

/** A text as a number; NaN if it is not a number. Surrounding white space is allowed. */
export function numberOf(text: string): number {
  // Number("") is 0.
  return text.trim() === "" ? Number.NaN : Number(text);
}

/** The bytes of an array (a view, not a copy), in this machine's byte order: little-endian, as every file that we write. */
export function bytesOfVoxels(data: VoxelArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/**
 * Refuses voxels without a finite value.
 *
 * @param name The file, for the message.
 * @throws InputError where a voxel is NaN or infinite
 */
export function refuseNonFinite(data: VoxelArray, name: string): void {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return;
  let count = 0;
  for (let n = 0; n < data.length; n++) if (!Number.isFinite(data[n])) count++;
  if (count > 0) {
    throw new InputError(
      `${name} holds ${counted(count, "NaN or infinite voxel")}, and finite numbers were expected; replace them first, for example by the value of air.`,
    );
  }
}

const machineIsLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function reverseEach(bytes: Uint8Array, width: number): void {
  for (let start = 0; start < bytes.length; start += width) {
    for (let low = start, high = start + width - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}

function narrowed<T extends Int32Array | Uint32Array>(
  wide: BigInt64Array | BigUint64Array,
  narrow: T,
  name: string,
): T {
  for (let n = 0; n < narrow.length; n++) {
    const value = Number(wide[n]);
    narrow[n] = value;
    if (narrow[n] !== value) {
      throw new InputError(
        `${name} holds the 64-bit value ${wide[n]}, and values that fit in 32 bits were expected; convert it to a smaller type.`,
      );
    }
  }
  return narrow;
}
