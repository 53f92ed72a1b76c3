// Maps one grid onto another: finds, for each target voxel, the source voxels around it and their weights.
import type { Geometry, Matrix3, Vector3 } from "./volume.js";
import { indexOfPoint, pointOfIndex } from "./volume.js";

/**
 * The eight source voxels around a point. `low` and `high` are offsets into the source array along its three axes
 * (stride included), `weight` the weight of `high`. The same object is reused for every point.
 */
export interface Cell {
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

/** How the source grid is laid out in the array that cells point into. */
export interface Layout {
  readonly strides: Vector3;
  /** Extra entries along each axis before the first voxel, and after the last. */
  readonly before: number;
  readonly behind: number;
}

/** The layout of a volume's own voxels. */
export function voxelLayout([nx, ny]: Vector3): Layout {
  return { strides: [1, nx, nx * ny], before: 0, behind: 0 };
}

/** Tolerance for rounding in an index mapping: a millionth of a voxel, far below the precision of a scan's geometry. */
export const indexTolerance = 1e-6;

/**
 * Calls `visit` with the source cell around every target voxel that lies in the source's extent (up to half a voxel
 * outside the outermost centres).
 */
export function forEachCell(
  source: Geometry,
  target: Geometry,
  layout: Layout,
  visit: (position: number, cell: Cell) => void,
): void {
  const tables = parallelTables(source, target, layout);
  if (tables === null) visitOblique(source, target.size, indexMapping(target, source), layout, visit);
  else visitParallel(target.size, tables, visit);
}

/** Cells along a source axis, for each index of the target axis that is parallel to it. */
export interface AxisTable {
  /** Array entries between neighbours along the source axis. */
  readonly stride: number;
  readonly inside: Uint8Array;
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

export type AxisTables = readonly [alongI: AxisTable, alongJ: AxisTable, alongK: AxisTable];

/** For parallel grids, in any order and direction of axes, a table of cells for each target axis; else null. */
export function parallelTables(source: Geometry, target: Geometry, layout: Layout): AxisTables | null {
  const mapping = indexMapping(target, source);
  const axes = parallelAxes(mapping, target.size);
  return axes === null ? null : axisTables(source, target.size, mapping, axes, layout);
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
 * For source axes 0, 1, 2, the target axis that is parallel to it, or null when the grids are not parallel. A drift of
 * 1e-4 voxel over the whole grid, as float32 headers cause, still counts as parallel.
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

/** The index clamped to the range of voxel centres, and snapped to a centre that it only misses by rounding. */
function clampedIndex(index: number, size: number): number {
  const nearest = Math.round(index);
  const settled = Math.abs(index - nearest) < indexTolerance ? nearest : index;
  return Math.min(Math.max(settled, 0), size - 1);
}

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
  // The cell's axes may be in any order: every interpolation treats the three alike.
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
