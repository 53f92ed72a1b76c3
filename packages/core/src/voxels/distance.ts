// The exact Euclidean distance transform: from every voxel to the nearest voxel of a mask.

import type { Vector3 } from "../volume/volume.js";
import { requireMaskOfSize, requireSpacing } from "./mask-size.js";

/**
 * Squared distance in mm² from each voxel centre to the centre of the nearest nonzero voxel; 0 on the mask,
 * Infinity everywhere where the mask is empty.
 *
 * One pass per axis: the squared distance along a line is the lower envelope of parabolas rooted at its voxels
 * (Felzenszwalb and Huttenlocher, "Distance Transforms of Sampled Functions", Theory of Computing 8, 2012),
 * with the parabolas in mm so that spacing may differ by axis. Time is linear in the number of voxels.
 *
 * @param mask - i fastest
 * @param size - voxels along (i, j, k)
 * @param spacingMm - along (i, j, k)
 * @returns as the mask, i fastest
 * @throws RangeError where the mask does not fill the grid or a spacing is not above zero
 */
export function squaredDistanceMm(mask: Uint8Array, size: Vector3, spacingMm: Vector3): Float64Array {
  requireMaskOfSize(mask.length, size);
  requireSpacing(spacingMm);
  const squared = squaredDistanceAlongRows(mask, size[0], spacingMm[0]);
  const [width, height, depth] = size;
  const envelope = newEnvelope(Math.max(height, depth));
  if (height > 1) {
    for (let k = 0; k < depth; k++) {
      lowerAlongLines(squared, k * width * height, width, width, height, spacingMm[1], envelope);
    }
  }
  if (depth > 1) {
    for (let j = 0; j < height; j++) {
      lowerAlongLines(squared, j * width, width, width * height, depth, spacingMm[2], envelope);
    }
  }
  return squared;
}

/** Along i the input is binary, so one sweep in each direction is enough. */
function squaredDistanceAlongRows(mask: Uint8Array, width: number, spacingMm: number): Float64Array {
  const squared = new Float64Array(mask.length).fill(Number.POSITIVE_INFINITY);
  for (let rowStart = 0; rowStart < mask.length; rowStart += width) {
    const rowEnd = rowStart + width;
    let nearest = -1;
    for (let at = rowStart; at < rowEnd; at++) {
      if (mask[at] !== 0) nearest = at;
      if (nearest >= 0) squared[at] = squareOf((at - nearest) * spacingMm);
    }
    if (nearest < 0) continue;
    nearest = -1;
    for (let at = rowEnd - 1; at >= rowStart; at--) {
      if (mask[at] !== 0) nearest = at;
      if (nearest < 0) continue;
      const fromRight = squareOf((nearest - at) * spacingMm);
      if (fromRight < squared[at]) squared[at] = fromRight;
    }
  }
  return squared;
}

function squareOf(value: number): number {
  return value * value;
}

/** Lines are transformed this many at a time, so that a strided pass reads whole cache lines. */
const lanes = 16;

/** Buffers for the lines being transformed and for the lower envelope of a line. */
interface Envelope {
  /** `heights[lane * length + position]`: the input of each line. */
  readonly heights: Float64Array;
  /** `lowered[lane * length + position]`: the result of each line. */
  readonly lowered: Float64Array;
  /** Positions of the parabolas in the envelope, from left to right. */
  readonly roots: Int32Array;
  /** `rightOf[n]`: the position, in voxels, from which parabola n is the lowest. */
  readonly rightOf: Float64Array;
}

function newEnvelope(length: number): Envelope {
  return {
    heights: new Float64Array(lanes * length),
    lowered: new Float64Array(lanes * length),
    roots: new Int32Array(length),
    rightOf: new Float64Array(length),
  };
}

/** Transforms `lineCount` lines that begin side by side at `start`, each of `length` voxels `stride` apart. */
function lowerAlongLines(
  squared: Float64Array,
  start: number,
  lineCount: number,
  stride: number,
  length: number,
  spacingMm: number,
  envelope: Envelope,
): void {
  const { heights, lowered } = envelope;
  for (let first = 0; first < lineCount; first += lanes) {
    const together = Math.min(lanes, lineCount - first);
    for (let position = 0; position < length; position++) {
      const from = start + first + position * stride;
      for (let lane = 0; lane < together; lane++) heights[lane * length + position] = squared[from + lane];
    }
    for (let lane = 0; lane < together; lane++) lowerLine(lane * length, length, spacingMm ** 2, envelope);
    for (let position = 0; position < length; position++) {
      const to = start + first + position * stride;
      for (let lane = 0; lane < together; lane++) squared[to + lane] = lowered[lane * length + position];
    }
  }
}

function lowerLine(offset: number, length: number, spacingMm2: number, envelope: Envelope): void {
  const { heights, lowered, roots, rightOf } = envelope;
  let last = -1;
  for (let position = 0; position < length; position++) {
    const height = heights[offset + position];
    // A parabola at infinity is never the lowest, and its intersections would be NaN.
    if (height === Number.POSITIVE_INFINITY) continue;
    let meeting = Number.NEGATIVE_INFINITY;
    while (last >= 0) {
      const root = roots[last];
      meeting =
        (position + root) / 2 + (height - heights[offset + root]) / (2 * spacingMm2 * (position - root));
      if (meeting > rightOf[last]) break;
      last--;
    }
    last++;
    roots[last] = position;
    rightOf[last] = last === 0 ? Number.NEGATIVE_INFINITY : meeting;
  }
  if (last < 0) {
    lowered.fill(Number.POSITIVE_INFINITY, offset, offset + length);
    return;
  }
  let lowest = 0;
  for (let position = 0; position < length; position++) {
    while (lowest < last && rightOf[lowest + 1] < position) lowest++;
    const root = roots[lowest];
    lowered[offset + position] = heights[offset + root] + (position - root) ** 2 * spacingMm2;
  }
}
