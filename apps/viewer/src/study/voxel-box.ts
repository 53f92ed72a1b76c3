// Boxes of voxels: a mask in a box of a grid, and arithmetic with boxes.
import type { Vector3 } from "@lnsnet/core/volume";
import type { IndexBox } from "@lnsnet/core/voxels";

/** A mask in a box of the scan's grid: nonzero is foreground, i fastest within the box. */
export interface BoxedMask extends IndexBox {
  readonly data: Uint8Array;
}

/** A mask of its caller's own, which may be handed to another thread. */
export interface OwnMask extends BoxedMask {
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A vector whose three entries come from a function of the axis. */
export const vector = (along: (axis: 0 | 1 | 2) => number): Vector3 => [along(0), along(1), along(2)];

/** The box from the first to the last voxel (both belong to it), clipped to the grid; null where nothing is left. */
export function boxBetween(first: Vector3, last: Vector3, gridSize: Vector3): IndexBox | null {
  const start = vector((axis) => Math.max(0, first[axis]));
  const size = vector((axis) => Math.min(gridSize[axis] - 1, last[axis]) - start[axis] + 1);
  return size.some((length) => length < 1) ? null : { start, size };
}

/** The smallest box around two boxes. */
export function boxAround(a: IndexBox, b: IndexBox): IndexBox {
  const start = vector((axis) => Math.min(a.start[axis], b.start[axis]));
  const end = (axis: 0 | 1 | 2) => Math.max(a.start[axis] + a.size[axis], b.start[axis] + b.size[axis]);
  return { start, size: vector((axis) => end(axis) - start[axis]) };
}

/** The box with `margin` more voxels on each side of each axis, clipped to the grid. */
export function boxWithMargin({ start, size }: IndexBox, margin: Vector3, gridSize: Vector3): IndexBox {
  const grown = boxBetween(
    vector((axis) => start[axis] - margin[axis]),
    vector((axis) => start[axis] + size[axis] - 1 + margin[axis]),
    gridSize,
  );
  if (grown === null) throw new RangeError(`A box at ${start.join(", ")} lies outside the scan.`);
  return grown;
}

/** @throws RangeError where the mask does not fill its box, or the box leaves the grid */
export function requireMaskInGrid({ start, size, data }: BoxedMask, gridSize: Vector3): void {
  if (data.length !== size[0] * size[1] * size[2])
    throw new RangeError(`A mask of ${data.length} voxels does not fill a box of ${size.join(" × ")}.`);
  if (start.some((first, axis) => first < 0 || first + size[axis] > gridSize[axis]))
    throw new RangeError(
      `A box of ${size.join(" × ")} at ${start.join(", ")} leaves the grid of ${gridSize.join(" × ")}.`,
    );
}

/** Whether voxels lie in memory that other threads see. */
export const isShared = ({ buffer }: { readonly buffer: ArrayBufferLike }): boolean =>
  typeof SharedArrayBuffer !== "undefined" && buffer instanceof SharedArrayBuffer;
