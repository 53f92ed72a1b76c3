// Makes voxel arrays from other voxel arrays.
import type { VoxelArray } from "./volume.js";

/** A new array of `length` zeros, of the same element type as `array`. */
export function emptyLike<T extends VoxelArray>(array: T, length: number): T {
  const SameKind = array.constructor as new (length: number) => T;
  return new SameKind(length);
}

/**
 * 1 where a voxel's value passes, 0 elsewhere. Deliberately a loop: `from` of typed arrays with a function makes a list
 * of all values first, which takes thirty times as long and runs out of memory above 2^27 values.
 */
export function maskWhere(
  data: VoxelArray,
  isForeground: (value: number) => boolean,
): Uint8Array<ArrayBuffer> {
  const mask = new Uint8Array(data.length);
  for (let at = 0; at < mask.length; at++) if (isForeground(data[at])) mask[at] = 1;
  return mask;
}
