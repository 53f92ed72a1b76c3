// Slices of a boxed mask across one of its index axes, as masks of their own.
import type { Geometry, Vector3 } from "@lnsnet/core/volume";
import { stepsAlong } from "./plane.js";
import { type BoxedMask, vector } from "./voxel-box.js";

/** An index axis: 0 for i, 1 for j, 2 for k. */
export type IndexAxis = 0 | 1 | 2;

/** The index axis that runs nearest to a direction, LPS. */
export function nearestAxis(grid: Geometry, towards: Vector3): IndexAxis {
  const steps = stepsAlong(grid, towards);
  const along = vector((axis) => Math.abs(steps[axis] / grid.spacingMm[axis]));
  return along[0] > along[1] && along[0] > along[2] ? 0 : along[1] > along[2] ? 1 : 2;
}

/** The two axes that lie in the slices across an axis, in their order. */
export function axesOfSlice(axis: IndexAxis): readonly [IndexAxis, IndexAxis] {
  return axis === 0 ? [1, 2] : axis === 1 ? [0, 2] : [0, 1];
}

/** Offsets of the voxels of slice `n` of a box, the first axis of the slice fastest. */
export function offsetsOfSlice(size: Vector3, axis: IndexAxis, n: number): Int32Array {
  const strides = [1, size[0], size[0] * size[1]];
  const [a, b] = axesOfSlice(axis);
  const offsets = new Int32Array(size[a] * size[b]);
  for (let row = 0, at = 0; row < size[b]; row++)
    for (let column = 0; column < size[a]; column++, at++)
      offsets[at] = n * strides[axis] + row * strides[b] + column * strides[a];
  return offsets;
}

/** Slice `n` of a box (0 and 1), the first axis of the slice fastest. */
export function sliceOf({ data, size }: Omit<BoxedMask, "start">, axis: IndexAxis, n: number): Uint8Array {
  return Uint8Array.from(offsetsOfSlice(size, axis, n), (at) => (data[at] === 0 ? 0 : 1));
}
