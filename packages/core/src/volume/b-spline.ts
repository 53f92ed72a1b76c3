// Cubic B-spline interpolation of a volume: computes the coefficients once, then sums 4 × 4 × 4 of them for each point.
import {
  type AxisTable,
  type AxisTables,
  type Cell,
  forEachCell,
  type Layout,
  parallelTables,
} from "./grid-mapping.js";
import type { Geometry, Vector3, Volume, VoxelArray } from "./volume.js";

/** A coefficient for every voxel, with a margin so that no sum over 4 × 4 × 4 leaves the array. */
export interface SplineVolume {
  /** `data[(i + 1) * strides[0] + (j + 1) * strides[1] + (k + 1) * strides[2]]` belongs to voxel (i, j, k). */
  readonly data: Float32Array;
  readonly strides: Vector3;
}

/**
 * The coefficients of the cubic B-spline through all voxels of a volume, which is mirrored about its outermost voxel
 * centres. The same spline as in scipy.ndimage (order 3, mode "mirror") and ITK's BSplineInterpolateImageFunction.
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

/**
 * Writes the spline's values at the voxel centres of `target` into `data`; voxels outside the source's extent are left
 * unchanged.
 *
 * @param source the grid of the volume that the spline goes through
 */
export function sampleSpline(
  spline: SplineVolume,
  source: Geometry,
  target: Geometry,
  data: VoxelArray,
): void {
  const layout: Layout = { strides: spline.strides, before: 1, behind: 1 };
  const tables = parallelTables(source, target, layout);
  if (tables !== null) sampleByRows(spline.data, target.size, tables, data);
  else {
    forEachCell(source, target, layout, (position, cell) => {
      data[position] = valueIn(spline.data, cell);
    });
  }
}

/** One extra coefficient before the first voxel of an axis and two after the last. */
const margins = 3;

/** The recursive filter's pole. */
const pole = Math.sqrt(3) - 2;

/** Turns values into coefficients along an axis, for all lines of a stride side by side, as they lie in memory. */
function filterAlong(data: Float32Array, stride: number, length: number): void {
  if (length === 1) return;
  const block = stride * (length + margins);
  for (let start = stride; start < data.length; start += block) {
    const end = start + stride * (length - 1);
    for (let line = 0; line < stride; line++)
      data[start + line] = initialState(data, start + line, stride, length);
    for (let at = start + stride; at < end + stride; at++) data[at] = 6 * data[at] + pole * data[at - stride];
    const last = pole / (pole * pole - 1);
    for (let at = end; at < end + stride; at++) data[at] = last * (data[at] + pole * data[at - stride]);
    for (let at = end - 1; at >= start; at--) data[at] = pole * (data[at + stride] - data[at]);
  }
}

/** The state of the filter at the first voxel, from the infinite mirrored line before it. */
function initialState(data: Float32Array, start: number, stride: number, length: number): number {
  let sum = 0;
  let weight = 6;
  // The pole to the power of 24 is 2e-14, so more terms do not matter.
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

/** On parallel grids a sum over 4 × 4 rows of coefficients is shared by a whole row of the target. */
function sampleByRows(
  spline: Float32Array,
  size: Vector3,
  [alongI, alongJ, alongK]: AxisTables,
  data: VoxelArray,
): void {
  const step = alongI.stride;
  const first = Math.min(...placesInside(alongI)) - 1;
  const count = Math.max(...placesInside(alongI)) + 3 - first;
  const row = new Float64Array(Math.max(count, 0));
  for (let k = 0; k < size[2]; k++) {
    if (alongK.inside[k] === 0) continue;
    splineWeights(alongK.weight[k], weights2);
    for (let j = 0; j < size[1]; j++) {
      if (alongJ.inside[j] === 0) continue;
      splineWeights(alongJ.weight[j], weights1);
      row.fill(0);
      for (let n = 0; n < 16; n++) {
        const weight = weights1[n & 3] * weights2[n >> 2];
        const start =
          alongJ.low[j] + ((n & 3) - 1) * alongJ.stride + alongK.low[k] + ((n >> 2) - 1) * alongK.stride;
        for (let at = 0, from = start + first * step; at < count; at++, from += step)
          row[at] += weight * spline[from];
      }
      const rowStart = size[0] * (j + size[1] * k);
      for (let i = 0; i < size[0]; i++) {
        if (alongI.inside[i] === 0) continue;
        splineWeights(alongI.weight[i], weights0);
        const at = alongI.low[i] / step - first;
        data[rowStart + i] =
          weights0[0] * row[at - 1] +
          weights0[1] * row[at] +
          weights0[2] * row[at + 1] +
          weights0[3] * row[at + 2];
      }
    }
  }
}

/** The first array entry of each cell of a table, along its source axis. */
function placesInside({ inside, low, stride }: AxisTable): number[] {
  return Array.from(low, (offset) => offset / stride).filter((_, n) => inside[n] === 1);
}

/** The weighted sum over 4 × 4 × 4 coefficients; the eight of the cell are the innermost. */
function valueIn(spline: Float32Array, c: Cell): number {
  splineWeights(c.weight0, weights0);
  splineWeights(c.weight1, weights1);
  splineWeights(c.weight2, weights2);
  const [step0, step1, step2] = [c.high0 - c.low0, c.high1 - c.low1, c.high2 - c.low2];
  const [w0, w1, w2, w3] = weights0;
  let value = 0;
  let plane = c.low0 + c.low1 + c.low2 - step0 - step1 - step2;
  for (let n2 = 0; n2 < 4; n2++, plane += step2) {
    let sum = 0;
    let at = plane;
    for (let n1 = 0; n1 < 4; n1++, at += step1) {
      sum +=
        weights1[n1] *
        (w0 * spline[at] +
          w1 * spline[at + step0] +
          w2 * spline[at + 2 * step0] +
          w3 * spline[at + 3 * step0]);
    }
    value += weights2[n2] * sum;
  }
  return value;
}

/** The cubic B-spline at the distances 1 + t, t, 1 − t and 2 − t. */
function splineWeights(t: number, weights: Float64Array): void {
  const u = 1 - t;
  weights[0] = (u * u * u) / 6;
  weights[1] = 2 / 3 - t * t * (1 - t / 2);
  weights[2] = 2 / 3 - u * u * (1 - u / 2);
  weights[3] = (t * t * t) / 6;
}

const weights0 = new Float64Array(4);
const weights1 = new Float64Array(4);
const weights2 = new Float64Array(4);
