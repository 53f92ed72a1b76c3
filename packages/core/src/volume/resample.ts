// Resamples a volume onto another grid: linear, cubic or nearest for scans, linear voting for labels.
import { InputError } from "../errors.js";
import { sampleSpline, splineOf } from "./b-spline.js";
import {
  type AxisTables,
  type Cell,
  forEachCell,
  indexTolerance,
  parallelTables,
  voxelLayout,
} from "./grid-mapping.js";
import type { Geometry, Vector3, Volume, VoxelArray } from "./volume.js";
import { pointOfIndex, voxelCount } from "./volume.js";
import { emptyLike } from "./voxel-array.js";

/** An array that can hold labels. */
export type IntegerVoxelArray = Exclude<VoxelArray, Float32Array | Float64Array>;

/**
 * The values of `volume` at the voxel centres of `target`.
 *
 * Up to half a voxel outside the outermost voxel centres the value is that of the edge; further out it is `outside`.
 * No low-pass filter is applied when the target is coarser. "linear" is trilinear and returns Float32Array. "cubic" is
 * the tricubic B-spline through the voxels (`splineOf`, as in scipy with order 3 and in ITK), returns Float32Array and may
 * overshoot near sharp edges. "nearest" keeps the array type; a centre midway between two voxels takes the value of the
 * higher index.
 */
export function resample<T extends VoxelArray>(
  volume: Volume<T>,
  target: Geometry,
  method: "nearest",
  outside: number,
): Volume<T>;
export function resample(
  volume: Volume,
  target: Geometry,
  method: "linear" | "cubic",
  outside: number,
): Volume<Float32Array>;
export function resample<T extends VoxelArray>(
  volume: Volume<T>,
  target: Geometry,
  method: "linear" | "cubic" | "nearest",
  outside: number,
): Volume<T | Float32Array>;
export function resample<T extends VoxelArray>(
  volume: Volume<T>,
  target: Geometry,
  method: "linear" | "cubic" | "nearest",
  outside: number,
): Volume<T | Float32Array> {
  const count = voxelCount(target);
  const data = method === "nearest" ? emptyLike(volume.data, count) : new Float32Array(count);
  data.fill(outside);
  if (method === "cubic") sampleSpline(splineOf(volume), volume, target, data);
  else if (method === "linear") sampleLinear(volume, target, data);
  else {
    const source = volume.data;
    forEachCell(volume, target, voxelLayout(volume.size), (position, cell) => {
      data[position] = nearestValue(source, cell);
    });
  }
  return { ...gridOf(target), data };
}

/**
 * A label volume on another grid: each label is interpolated linearly as its own 0–1 volume, and the largest wins.
 * Ties go to the lower label. Outside the volume (see {@link resample}) the label is 0. An integer array type
 * is kept; a floating-point one becomes Int32Array.
 * @throws InputError when a label is not a whole number.
 */
export function resampleLabels(volume: Volume, target: Geometry): Volume<IntegerVoxelArray> {
  const source = integerLabels(volume.data);
  const data = emptyLike(source, voxelCount(target));
  forEachCell(volume, target, voxelLayout(volume.size), (position, cell) => {
    data[position] = majorityLabel(source, cell);
  });
  return { ...gridOf(target), data };
}

/**
 * The grid with another spacing over the same extent: size × spacing is kept as nearly as whole voxels allow (at least
 * one voxel), directions are kept, and both grids share their centre, so that nothing shifts by half a voxel.
 * @throws InputError when a spacing is not a positive number.
 */
export function gridWithSpacing(geometry: Geometry, spacingMm: Vector3): Geometry {
  if (!spacingMm.every((s) => Number.isFinite(s) && s > 0)) {
    throw new InputError(
      `A spacing of ${spacingMm.join(" × ")} mm was requested; give three positive numbers.`,
    );
  }
  const sizeAlong = (axis: 0 | 1 | 2) =>
    Math.max(1, Math.round((geometry.size[axis] * geometry.spacingMm[axis]) / spacingMm[axis]));
  const size: Vector3 = [sizeAlong(0), sizeAlong(1), sizeAlong(2)];
  const grid: Geometry = { size, spacingMm, originMm: [0, 0, 0], direction: geometry.direction };
  const oldCentre = pointOfIndex(geometry, centreIndex(geometry.size));
  const newCentre = pointOfIndex(grid, centreIndex(size));
  const originMm: Vector3 = [
    oldCentre[0] - newCentre[0],
    oldCentre[1] - newCentre[1],
    oldCentre[2] - newCentre[2],
  ];
  return { ...grid, originMm };
}

function gridOf(geometry: Geometry): Geometry {
  const { size, spacingMm, originMm, direction } = geometry;
  return { size, spacingMm, originMm, direction };
}

function centreIndex(size: Vector3): Vector3 {
  return [(size[0] - 1) / 2, (size[1] - 1) / 2, (size[2] - 1) / 2];
}

function sampleLinear({ data: source, ...grid }: Volume, target: Geometry, data: VoxelArray): void {
  const layout = voxelLayout(grid.size);
  const tables = parallelTables(grid, target, layout);
  if (tables !== null) sampleLinearByRows(source, target.size, tables, data);
  else {
    forEachCell(grid, target, layout, (position, c) => {
      const q00 = c.low1 + c.low2;
      const q10 = c.high1 + c.low2;
      const q01 = c.low1 + c.high2;
      const q11 = c.high1 + c.high2;
      data[position] = trilinear(
        source,
        c.low0,
        c.high0,
        c.weight0,
        q00,
        q10,
        q01,
        q11,
        c.weight1,
        c.weight2,
      );
    });
  }
}

/** Fast path: on parallel grids a whole row of the target lies between the same four rows of the source. */
function sampleLinearByRows(
  source: VoxelArray,
  size: Vector3,
  [alongI, alongJ, alongK]: AxisTables,
  data: VoxelArray,
): void {
  const { inside, low, high, weight } = alongI;
  for (let k = 0; k < size[2]; k++) {
    if (alongK.inside[k] === 0) continue;
    for (let j = 0; j < size[1]; j++) {
      if (alongJ.inside[j] === 0) continue;
      const q00 = alongJ.low[j] + alongK.low[k];
      const q10 = alongJ.high[j] + alongK.low[k];
      const q01 = alongJ.low[j] + alongK.high[k];
      const q11 = alongJ.high[j] + alongK.high[k];
      const [w1, w2] = [alongJ.weight[j], alongK.weight[k]];
      const row = size[0] * (j + size[1] * k);
      for (let i = 0; i < size[0]; i++) {
        if (inside[i] === 1)
          data[row + i] = trilinear(source, low[i], high[i], weight[i], q00, q10, q01, q11, w1, w2);
      }
    }
  }
}

/** Interpolates from `low` to `high` along the first axis in each of four rows, then between the rows along the other two axes. */
function trilinear(
  source: VoxelArray,
  low: number,
  high: number,
  w0: number,
  q00: number,
  q10: number,
  q01: number,
  q11: number,
  w1: number,
  w2: number,
): number {
  const v0 = 1 - w0;
  const a00 = v0 * source[low + q00] + w0 * source[high + q00];
  const a10 = v0 * source[low + q10] + w0 * source[high + q10];
  const a01 = v0 * source[low + q01] + w0 * source[high + q01];
  const a11 = v0 * source[low + q11] + w0 * source[high + q11];
  const b0 = (1 - w1) * a00 + w1 * a10;
  const b1 = (1 - w1) * a01 + w1 * a11;
  return (1 - w2) * b0 + w2 * b1;
}

const nearlyHalf = 0.5 - indexTolerance;

function nearestValue(source: VoxelArray, c: Cell): number {
  const offset0 = c.weight0 < nearlyHalf ? c.low0 : c.high0;
  const offset1 = c.weight1 < nearlyHalf ? c.low1 : c.high1;
  const offset2 = c.weight2 < nearlyHalf ? c.low2 : c.high2;
  return source[offset0 + offset1 + offset2];
}

function majorityLabel(source: IntegerVoxelArray, c: Cell): number {
  // Nearly every cell lies within a single label, so this cheap test comes first.
  const first = source[c.low0 + c.low1 + c.low2];
  const isUniform =
    source[c.high0 + c.low1 + c.low2] === first &&
    source[c.low0 + c.high1 + c.low2] === first &&
    source[c.high0 + c.high1 + c.low2] === first &&
    source[c.low0 + c.low1 + c.high2] === first &&
    source[c.high0 + c.low1 + c.high2] === first &&
    source[c.low0 + c.high1 + c.high2] === first &&
    source[c.high0 + c.high1 + c.high2] === first;
  if (isUniform) return first;
  for (let corner = 0; corner < 8; corner++) {
    cornerLabels[corner] = source[offsetOfCorner(c, corner)];
    cornerWeights[corner] = weightOfCorner(c, corner);
  }
  let winner = 0;
  let winnerShare = -1;
  for (let corner = 0; corner < 8; corner++) {
    const label = cornerLabels[corner];
    let share = 0;
    for (let other = 0; other < 8; other++) if (cornerLabels[other] === label) share += cornerWeights[other];
    const isTie = Math.abs(share - winnerShare) <= indexTolerance;
    if (isTie ? label < winner : share > winnerShare) {
      winner = label;
      winnerShare = share;
    }
  }
  return winner;
}

const cornerLabels = new Float64Array(8);
const cornerWeights = new Float64Array(8);

function offsetOfCorner(c: Cell, corner: number): number {
  return (corner & 1 ? c.high0 : c.low0) + (corner & 2 ? c.high1 : c.low1) + (corner & 4 ? c.high2 : c.low2);
}

function weightOfCorner(c: Cell, corner: number): number {
  return (
    (corner & 1 ? c.weight0 : 1 - c.weight0) *
    (corner & 2 ? c.weight1 : 1 - c.weight1) *
    (corner & 4 ? c.weight2 : 1 - c.weight2)
  );
}

function integerLabels(data: VoxelArray): IntegerVoxelArray {
  if (!(data instanceof Float32Array || data instanceof Float64Array)) return data;
  const wrong = data.find((value) => !Number.isInteger(value));
  if (wrong !== undefined) {
    throw new InputError(`A label volume holds the value ${wrong}; every label must be a whole number.`);
  }
  return Int32Array.from(data);
}
