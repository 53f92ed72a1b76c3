// Values of a volume at the voxels of another grid: linear, cubic or nearest for scans, linear voting for labels.
import { InputError } from "../errors.js";
import { type SplineVolume, splineOf } from "./b-spline.js";
import type { Geometry, Matrix3, Vector3, Volume, VoxelArray } from "./volume.js";
import { indexOfPoint, pointOfIndex, voxelCount } from "./volume.js";
import { emptyLike } from "./voxel-array.js";

/** An array that can hold labels. */
export type IntegerVoxelArray = Exclude<VoxelArray, Float32Array | Float64Array>;

/**
 * The values of `volume` at the voxel centres of `target`.
 *
 * Within half a voxel outside the outermost voxel centres the edge value holds; further out the value is `outside`.
 * No low-pass filter is applied when the target is coarser. "linear" is trilinear and returns Float32Array. "cubic" is
 * the tricubic B-spline through the voxels ({@link splineOf}: scipy's order 3 and ITK's), returns Float32Array and may
 * overshoot beside sharp edges. "nearest" keeps the array type, and a centre midway between two voxels takes the one of
 * the higher index.
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
  if (method === "cubic") {
    resampleSpline(volume, splineOf(volume), target, data);
  } else {
    const rule = method === "nearest" ? nearestValue : linearValue;
    const source = volume.data;
    forEachCellInside(volume, target, (position, cell) => {
      data[position] = rule(source, cell);
    });
  }
  return { ...gridOf(target), data };
}

/**
 * A label volume on another grid: each label is interpolated linearly as its own 0–1 volume, and the greatest wins.
 * Equal shares go to the lower label. Outside the volume (see {@link resample}) the label is 0. An integer array type
 * is kept; a floating-point one becomes Int32Array.
 * @throws InputError when a label is not a whole number.
 */
export function resampleLabels(volume: Volume, target: Geometry): Volume<IntegerVoxelArray> {
  const source = integerLabels(volume.data);
  const data = emptyLike(source, voxelCount(target));
  forEachCellInside(volume, target, (position, cell) => {
    data[position] = majorityLabel(source, cell);
  });
  return { ...gridOf(target), data };
}

/**
 * The grid of another spacing over the same extent: size × spacing is kept as nearly as whole voxels allow (at least
 * one), directions are kept, and both grids share their centre, so that nothing shifts by half a voxel.
 * @throws InputError when a spacing is not a positive number.
 */
export function gridWithSpacing(geometry: Geometry, spacingMm: Vector3): Geometry {
  if (!spacingMm.every((s) => Number.isFinite(s) && s > 0)) {
    throw new InputError(
      `A spacing of ${spacingMm.join(" × ")} mm was asked for; give three positive numbers.`,
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

/**
 * The eight source voxels around a point. `low` and `high` are offsets into the source array along its three axes
 * (stride included), `weight` the share of the high one. One object is reused for every point.
 */
interface Cell {
  low0: number;
  low1: number;
  low2: number;
  high0: number;
  high1: number;
  high2: number;
  weight0: number;
  weight1: number;
  weight2: number;
}

function linearValue(source: VoxelArray, c: Cell): number {
  const q00 = c.low1 + c.low2;
  const q10 = c.high1 + c.low2;
  const q01 = c.low1 + c.high2;
  const q11 = c.high1 + c.high2;
  const w0 = c.weight0;
  const v0 = 1 - w0;
  const a00 = v0 * source[c.low0 + q00] + w0 * source[c.high0 + q00];
  const a10 = v0 * source[c.low0 + q10] + w0 * source[c.high0 + q10];
  const a01 = v0 * source[c.low0 + q01] + w0 * source[c.high0 + q01];
  const a11 = v0 * source[c.low0 + q11] + w0 * source[c.high0 + q11];
  const b0 = (1 - c.weight1) * a00 + c.weight1 * a10;
  const b1 = (1 - c.weight1) * a01 + c.weight1 * a11;
  return (1 - c.weight2) * b0 + c.weight2 * b1;
}

function resampleSpline(source: Geometry, spline: SplineVolume, target: Geometry, data: VoxelArray): void {
  const layout: Layout = { strides: spline.strides, before: 1, behind: 1 };
  const mapping = indexMapping(target, source);
  const axes = parallelAxes(mapping, target.size);
  if (axes !== null) {
    const tables = axisTables(source, target.size, mapping, axes, layout);
    resampleSplineByRows(spline.data, target.size, tables, data);
    return;
  }
  visitOblique(source, target.size, mapping, layout, (position, cell) => {
    data[position] = cubicValue(spline.data, cell);
  });
}

/** On parallel grids the sum over 4 × 4 rows of coefficients serves a whole row of the target. */
function resampleSplineByRows(
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

/** Where the cells of a table begin along their source axis, in entries. */
function placesInside({ inside, low, stride }: AxisTable): number[] {
  return Array.from(low, (offset) => offset / stride).filter((_, n) => inside[n] === 1);
}

/** The sum over 4 × 4 × 4 coefficients, of which the cell's eight are the inner ones. */
function cubicValue(spline: Float32Array, c: Cell): number {
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

function nearestValue(source: VoxelArray, c: Cell): number {
  const offset0 = c.weight0 < nearlyHalf ? c.low0 : c.high0;
  const offset1 = c.weight1 < nearlyHalf ? c.low1 : c.high1;
  const offset2 = c.weight2 < nearlyHalf ? c.low2 : c.high2;
  return source[offset0 + offset1 + offset2];
}

function majorityLabel(source: IntegerVoxelArray, c: Cell): number {
  // Nearly every cell lies within one label, so this comes before anything dearer.
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

/** Rounding in an index mapping; a millionth of a voxel, far below what a scan's geometry states. */
const indexTolerance = 1e-6;
const nearlyHalf = 0.5 - indexTolerance;

/** How the array that cells point into holds the source grid. */
interface Layout {
  readonly strides: Vector3;
  /** Entries along each axis before the first voxel, and readable ones behind the last. */
  readonly before: number;
  readonly behind: number;
}

/** Calls `visit` with every target voxel that lies in the source's extent and the source cell around it. */
function forEachCellInside(
  source: Geometry,
  target: Geometry,
  visit: (position: number, cell: Cell) => void,
): void {
  const layout: Layout = {
    strides: [1, source.size[0], source.size[0] * source.size[1]],
    before: 0,
    behind: 0,
  };
  const mapping = indexMapping(target, source);
  const axes = parallelAxes(mapping, target.size);
  if (axes === null) visitOblique(source, target.size, mapping, layout, visit);
  else visitParallel(target.size, axisTables(source, target.size, mapping, axes, layout), visit);
}

/** Source index = matrix · target index + offset. */
interface IndexMapping {
  readonly matrix: Matrix3;
  readonly offset: Vector3;
}

function indexMapping(from: Geometry, to: Geometry): IndexMapping {
  const offset = indexOfPoint(to, from.originMm);
  const column = (axis: number): Vector3 => {
    const unit: Vector3 = [axis === 0 ? 1 : 0, axis === 1 ? 1 : 0, axis === 2 ? 1 : 0];
    const moved = pointOfIndex({ ...from, originMm: to.originMm }, unit);
    return indexOfPoint(to, moved);
  };
  const [c0, c1, c2] = [column(0), column(1), column(2)];
  return { matrix: [c0[0], c1[0], c2[0], c0[1], c1[1], c2[1], c0[2], c1[2], c2[2]], offset };
}

/**
 * For source axes 0, 1, 2, the target axis that alone moves it, or null when the grids are not parallel. A drift of
 * 1e-4 voxel over the whole grid, which float32 headers bring, still counts as parallel.
 */
function parallelAxes({ matrix }: IndexMapping, size: Vector3): readonly [number, number, number] | null {
  const axisOf = (row: number) => {
    const travel = [0, 1, 2].map((axis) => Math.abs(matrix[3 * row + axis]) * size[axis]);
    const moving = [0, 1, 2].filter((axis) => travel[axis] > 1e-4);
    return moving.length === 1 ? moving[0] : -1;
  };
  const axes = [axisOf(0), axisOf(1), axisOf(2)] as const;
  return new Set(axes).size === 3 && !axes.includes(-1) ? axes : null;
}

/** What one source axis contributes at each index of the target axis that moves it. */
interface AxisTable {
  /** Entries between neighbours along the source axis. */
  readonly stride: number;
  readonly inside: Uint8Array;
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

function axisTable(
  count: number,
  step: number,
  offset: number,
  sourceSize: number,
  stride: number,
  { before, behind }: Layout,
): AxisTable {
  const table: AxisTable = {
    stride,
    inside: new Uint8Array(count),
    low: new Int32Array(count),
    high: new Int32Array(count),
    weight: new Float64Array(count),
  };
  for (let n = 0; n < count; n++) {
    const index = offset + step * n;
    if (!isInside(index, sourceSize)) continue;
    const clamped = clampedIndex(index, sourceSize);
    const low = Math.floor(clamped);
    table.inside[n] = 1;
    table.low[n] = (low + before) * stride;
    table.high[n] = (Math.min(low + 1, sourceSize - 1 + behind) + before) * stride;
    table.weight[n] = clamped - low;
  }
  return table;
}

function isInside(index: number, size: number): boolean {
  return index >= -0.5 - indexTolerance && index <= size - 0.5 + indexTolerance;
}

/** The index moved into the range of voxel centres, and onto a centre from which only rounding parts it. */
function clampedIndex(index: number, size: number): number {
  const nearest = Math.round(index);
  const settled = Math.abs(index - nearest) < indexTolerance ? nearest : index;
  return Math.min(Math.max(settled, 0), size - 1);
}

type AxisTables = readonly [alongI: AxisTable, alongJ: AxisTable, alongK: AxisTable];

function axisTables(
  source: Geometry,
  size: Vector3,
  { matrix, offset }: IndexMapping,
  axes: readonly [number, number, number],
  layout: Layout,
): AxisTables {
  const tableOf = (targetAxis: number) => {
    const axis = axes.indexOf(targetAxis);
    return axisTable(
      size[targetAxis],
      matrix[3 * axis + targetAxis],
      offset[axis],
      source.size[axis],
      layout.strides[axis],
      layout,
    );
  };
  return [tableOf(0), tableOf(1), tableOf(2)];
}

function visitParallel(
  size: Vector3,
  [alongI, alongJ, alongK]: AxisTables,
  visit: (position: number, cell: Cell) => void,
): void {
  // The cell's axes may be any order of the source's: every rule treats the three alike.
  const cell = emptyCell();
  for (let k = 0; k < size[2]; k++) {
    if (alongK.inside[k] === 0) continue;
    cell.low2 = alongK.low[k];
    cell.high2 = alongK.high[k];
    cell.weight2 = alongK.weight[k];
    for (let j = 0; j < size[1]; j++) {
      if (alongJ.inside[j] === 0) continue;
      cell.low1 = alongJ.low[j];
      cell.high1 = alongJ.high[j];
      cell.weight1 = alongJ.weight[j];
      const row = size[0] * (j + size[1] * k);
      for (let i = 0; i < size[0]; i++) {
        if (alongI.inside[i] === 0) continue;
        cell.low0 = alongI.low[i];
        cell.high0 = alongI.high[i];
        cell.weight0 = alongI.weight[i];
        visit(row + i, cell);
      }
    }
  }
}

function visitOblique(
  source: Geometry,
  size: Vector3,
  { matrix: m, offset }: IndexMapping,
  { strides, before, behind }: Layout,
  visit: (position: number, cell: Cell) => void,
): void {
  const [nx, ny, nz] = source.size;
  const [s0, s1, s2] = strides;
  const [hx, hy, hz] = [nx - 1 + behind, ny - 1 + behind, nz - 1 + behind];
  const cell = emptyCell();
  let position = -1;
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      const row0 = offset[0] + m[1] * j + m[2] * k;
      const row1 = offset[1] + m[4] * j + m[5] * k;
      const row2 = offset[2] + m[7] * j + m[8] * k;
      for (let i = 0; i < size[0]; i++) {
        position++;
        const x = row0 + m[0] * i;
        const y = row1 + m[3] * i;
        const z = row2 + m[6] * i;
        if (!isInside(x, nx) || !isInside(y, ny) || !isInside(z, nz)) continue;
        const cx = clampedIndex(x, nx);
        const cy = clampedIndex(y, ny);
        const cz = clampedIndex(z, nz);
        const lx = Math.floor(cx);
        const ly = Math.floor(cy);
        const lz = Math.floor(cz);
        cell.low0 = (lx + before) * s0;
        cell.low1 = (ly + before) * s1;
        cell.low2 = (lz + before) * s2;
        cell.high0 = (Math.min(lx + 1, hx) + before) * s0;
        cell.high1 = (Math.min(ly + 1, hy) + before) * s1;
        cell.high2 = (Math.min(lz + 1, hz) + before) * s2;
        cell.weight0 = cx - lx;
        cell.weight1 = cy - ly;
        cell.weight2 = cz - lz;
        visit(position, cell);
      }
    }
  }
}

function emptyCell(): Cell {
  return { low0: 0, low1: 0, low2: 0, high0: 0, high1: 0, high2: 0, weight0: 0, weight1: 0, weight2: 0 };
}
