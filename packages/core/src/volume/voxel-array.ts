// Making voxel arrays of the same kind as another.
import type { VoxelArray } from "./volume.js";

/** A new array of `length` zeros, of the same element type as `array`. */
export function emptyLike<T extends VoxelArray>(array: T, length: number): T {
  const SameKind = array.constructor as new (length: number) => T;
  return new SameKind(length);
}
