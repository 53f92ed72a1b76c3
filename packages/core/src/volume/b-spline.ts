// Cubic B-spline interpolation of a volume: coefficients once, then a weighted sum of 4 × 4 × 4 of them a point.
import type { Vector3, Volume } from "./volume.js";

/** Coefficients around every voxel, with a margin so that no sum over 4 × 4 × 4 leaves the array. */
export interface SplineVolume {
  /** `data[(i + 1) * strides[0] + (j + 1) * strides[1] + (k + 1) * strides[2]]` belongs to voxel (i, j, k). */
  readonly data: Float32Array;
  readonly strides: Vector3;
}

/**
 * The coefficients of the cubic B-spline through all voxels of a volume, which is mirrored about its outermost voxel
 * centres. The same spline as scipy.ndimage's of order 3 with mode "mirror" and ITK's BSplineInterpolateImageFunction.
 * Recursive filter: Unser, "Splines: A Perfect Fit for Signal and Image Processing", IEEE Signal Processing Magazine 16,
 * 1999, Box 2.
 */
export function splineOf({ data: voxels, size }: Volume): SplineVolume {
  const [nx, ny, nz] = size;
  const strides: Vector3 = [1, nx + margins, (nx + margins) * (ny + margins)];
  const data = new Float32Array(strides[2] * (nz + margins));
  for (let k = 0, row = 0; k < nz; k++) {
    for (let j = 0; j < ny; j++, row += nx) {
      data.set(voxels.subarray(row, row + nx), 1 + strides[1] * (j + 1) + strides[2] * (k + 1));
    }
  }
  for (const axis of [0, 1, 2] as const) {
    filterAlong(data, strides[axis], size[axis]);
    mirrorMargins(data, strides[axis], size[axis]);
  }
  return { data, strides };
}

/** One coefficient before the first voxel of an axis and two behind the last. */
const margins = 3;

/** The recursive filter's pole. */
const pole = Math.sqrt(3) - 2;

/** Turns values into coefficients along one axis. All lines of a stride go side by side, as they lie in memory. */
function filterAlong(data: Float32Array, stride: number, length: number): void {
  if (length === 1) return;
  const block = stride * (length + margins);
  for (let start = stride; start < data.length; start += block) {
    const end = start + stride * (length - 1);
    for (let line = 0; line < stride; line++)
      data[start + line] = beginning(data, start + line, stride, length);
    for (let at = start + stride; at < end + stride; at++) data[at] = 6 * data[at] + pole * data[at - stride];
    const last = pole / (pole * pole - 1);
    for (let at = end; at < end + stride; at++) data[at] = last * (data[at] + pole * data[at - stride]);
    for (let at = end - 1; at >= start; at--) data[at] = pole * (data[at + stride] - data[at]);
  }
}

/** What the filter would have gathered from the endless mirrored line before its first voxel. */
function beginning(data: Float32Array, start: number, stride: number, length: number): number {
  let sum = 0;
  let weight = 6;
  // The pole to the power of 24 is 2e-14.
  for (let n = 0; n < 24; n++, weight *= pole) sum += weight * data[start + stride * mirrored(n, length)];
  return sum;
}

function mirrored(index: number, length: number): number {
  if (length === 1) return 0;
  const period = 2 * (length - 1);
  const place = (index + period) % period;
  return Math.min(place, period - place);
}

function mirrorMargins(data: Float32Array, stride: number, length: number): void {
  const block = stride * (length + margins);
  for (let start = 0; start < data.length; start += block) {
    for (const index of [-1, length, length + 1]) {
      const from = start + stride * (mirrored(index, length) + 1);
      data.copyWithin(start + stride * (index + 1), from, from + stride);
    }
  }
}
