// Dilation, erosion and boundary of a mask. Outside the volume is background.

import type { Vector3 } from "../volume/volume.js";
import { squaredDistanceMm } from "./distance.js";
import { requireMaskOfSize, requireSpacing } from "./mask-size.js";

/** A box of voxels, in indices (i, j, k). */
export interface IndexBox {
  readonly start: Vector3;
  readonly size: Vector3;
}

/** A voxel with its six face neighbours, or all voxels whose centres are at most `radiusMm` away. */
export type StructuringElement = "faces" | { readonly radiusMm: number; readonly spacingMm: Vector3 };

/**
 * Erosion (0 and 1): the voxels whose whole structuring element is foreground.
 *
 * @param mask - foreground where nonzero, i fastest; not changed
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid, the radius is negative or a spacing is not above zero
 */
export function erode(mask: Uint8Array, size: Vector3, element: StructuringElement = "faces"): Uint8Array {
  requireMaskOfSize(mask.length, size);
  if (element === "faces") return keepWhere(mask, size, true);
  requireRadius(element.radiusMm);
  requireSpacing(element.spacingMm);
  const box = foregroundBox(mask, size);
  const eroded = new Uint8Array(mask.length);
  if (box === null) return eroded;

  const { radiusMm, spacingMm } = element;
  const background = cropMask(mask, size, box).map((value) => (value === 0 ? 1 : 0));
  const squared = squaredDistanceMm(background, box.size, spacingMm);
  const limit = withTies(radiusMm);
  forEachOffset(size, box, (at, inBox, i, j, k) => {
    const outsideMm = Math.min(
      Math.min(i + 1, box.size[0] - i) * spacingMm[0],
      Math.min(j + 1, box.size[1] - j) * spacingMm[1],
      Math.min(k + 1, box.size[2] - k) * spacingMm[2],
    );
    if (Math.min(squared[inBox], outsideMm ** 2) > limit) eroded[at] = 1;
  });
  return eroded;
}

/**
 * Dilation (0 and 1): the voxels whose structuring element touches the foreground.
 *
 * @param mask - foreground where nonzero, i fastest; not changed
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid, the radius is negative or a spacing is not above zero
 */
export function dilate(mask: Uint8Array, size: Vector3, element: StructuringElement = "faces"): Uint8Array {
  requireMaskOfSize(mask.length, size);
  if (element === "faces") return dilateByFaces(mask, size);
  requireRadius(element.radiusMm);
  requireSpacing(element.spacingMm);
  const dilated = new Uint8Array(mask.length);
  const foreground = foregroundBox(mask, size);
  if (foreground === null) return dilated;

  const { radiusMm, spacingMm } = element;
  const box = growBox(foreground, radiusMm, spacingMm, size);
  const squared = squaredDistanceMm(cropMask(mask, size, box), box.size, spacingMm);
  const limit = withTies(radiusMm);
  forEachOffset(size, box, (at, inBox) => {
    if (squared[inBox] <= limit) dilated[at] = 1;
  });
  return dilated;
}

/**
 * The surface voxels of a mask (0 and 1): foreground with a face neighbour in the background or outside the volume.
 *
 * @param mask - foreground where nonzero, i fastest
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid
 */
export function boundary(mask: Uint8Array, size: Vector3): Uint8Array {
  requireMaskOfSize(mask.length, size);
  return keepWhere(mask, size, false);
}

/**
 * The smallest box that holds all foreground, or null for an empty mask.
 *
 * @param mask - foreground where nonzero, i fastest
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid
 */
export function foregroundBox(mask: Uint8Array, size: Vector3): IndexBox | null {
  requireMaskOfSize(mask.length, size);
  const [width, height, depth] = size;
  const low = [width, height, depth];
  const high = [-1, -1, -1];
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const rowStart = width * (j + height * k);
      let first = 0;
      while (first < width && mask[rowStart + first] === 0) first++;
      if (first === width) continue;
      let last = width - 1;
      while (mask[rowStart + last] === 0) last--;
      if (first < low[0]) low[0] = first;
      if (last > high[0]) high[0] = last;
      if (j < low[1]) low[1] = j;
      if (j > high[1]) high[1] = j;
      if (k < low[2]) low[2] = k;
      high[2] = k;
    }
  }
  if (high[2] < 0) return null;
  return {
    start: [low[0], low[1], low[2]],
    size: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1],
  };
}

/**
 * The part of a mask inside a box.
 *
 * @param mask - i fastest
 * @param size - voxels along (i, j, k)
 * @param box - within the volume
 * @throws RangeError where the mask does not fill the grid or the box extends beyond it
 */
export function cropMask(mask: Uint8Array, size: Vector3, box: IndexBox): Uint8Array {
  requireMaskOfSize(mask.length, size);
  const { start, size: boxSize } = box;
  if (start.some((at, axis) => at < 0 || at + boxSize[axis] > size[axis])) {
    throw new RangeError(
      `A box of ${boxSize.join(" × ")} from (${start.join(", ")}) extends beyond ${size.join(" × ")}.`,
    );
  }
  const cropped = new Uint8Array(boxSize[0] * boxSize[1] * boxSize[2]);
  for (let k = 0; k < boxSize[2]; k++) {
    for (let j = 0; j < boxSize[1]; j++) {
      const from = start[0] + size[0] * (start[1] + j + size[1] * (start[2] + k));
      cropped.set(mask.subarray(from, from + boxSize[0]), boxSize[0] * (j + boxSize[1] * k));
    }
  }
  return cropped;
}

/** The foreground voxels whose face neighbours are all foreground (`interior`), or the other foreground voxels. */
function keepWhere(mask: Uint8Array, size: Vector3, interior: boolean): Uint8Array {
  const [width, height, depth] = size;
  const slice = width * height;
  const kept = new Uint8Array(mask.length);
  for (let k = 0, at = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const rowInside = j > 0 && j < height - 1 && k > 0 && k < depth - 1;
      for (let i = 0; i < width; i++, at++) {
        if (mask[at] === 0) continue;
        const surrounded =
          rowInside &&
          i > 0 &&
          i < width - 1 &&
          mask[at - 1] !== 0 &&
          mask[at + 1] !== 0 &&
          mask[at - width] !== 0 &&
          mask[at + width] !== 0 &&
          mask[at - slice] !== 0 &&
          mask[at + slice] !== 0;
        if (surrounded === interior) kept[at] = 1;
      }
    }
  }
  return kept;
}

function dilateByFaces(mask: Uint8Array, size: Vector3): Uint8Array {
  const [width, height, depth] = size;
  const slice = width * height;
  const dilated = new Uint8Array(mask.length);
  for (let k = 0, at = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      for (let i = 0; i < width; i++, at++) {
        if (mask[at] === 0) continue;
        dilated[at] = 1;
        if (i > 0) dilated[at - 1] = 1;
        if (i < width - 1) dilated[at + 1] = 1;
        if (j > 0) dilated[at - width] = 1;
        if (j < height - 1) dilated[at + width] = 1;
        if (k > 0) dilated[at - slice] = 1;
        if (k < depth - 1) dilated[at + slice] = 1;
      }
    }
  }
  return dilated;
}

/** The squared radius with a tolerance for rounding: a voxel exactly `radiusMm` away belongs to the ball. */
function withTies(radiusMm: number): number {
  return radiusMm ** 2 * (1 + 1e-9);
}

function requireRadius(radiusMm: number): void {
  if (!(radiusMm >= 0)) throw new RangeError(`A ball's radius must be 0 mm or more, not ${radiusMm}.`);
}

function growBox(box: IndexBox, byMm: number, spacingMm: Vector3, size: Vector3): IndexBox {
  const low = box.start.map((at, axis) => Math.max(0, at - Math.ceil(byMm / spacingMm[axis])));
  const high = box.start.map((at, axis) =>
    Math.min(size[axis], at + box.size[axis] + Math.ceil(byMm / spacingMm[axis])),
  );
  return { start: [low[0], low[1], low[2]], size: [high[0] - low[0], high[1] - low[1], high[2] - low[2]] };
}

/** Calls back with the offset in the volume, the offset in the box and the index within the box. */
function forEachOffset(
  size: Vector3,
  box: IndexBox,
  visit: (at: number, inBox: number, i: number, j: number, k: number) => void,
): void {
  const { start, size: boxSize } = box;
  for (let k = 0, inBox = 0; k < boxSize[2]; k++) {
    for (let j = 0; j < boxSize[1]; j++) {
      const rowStart = start[0] + size[0] * (start[1] + j + size[1] * (start[2] + k));
      for (let i = 0; i < boxSize[0]; i++, inBox++) visit(rowStart + i, inBox, i, j, k);
    }
  }
}
