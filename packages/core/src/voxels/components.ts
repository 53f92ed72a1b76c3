// Connected components of a mask or of labels, by union-find over runs of equal value.

import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Vector3 } from "../volume/volume.js";
import { requireMaskOfSize } from "./mask-size.js";
import type { IndexBox } from "./morphology.js";

/** Number of neighbours: voxels that touch by a face (6), or also by an edge (18), or also by a corner (26). */
export type Connectivity = 6 | 18 | 26;

/** A mask in which each connected component has its own number. */
export interface LabelledComponents {
  /** 0 for background, else the component's number from 1; i fastest, as the mask. */
  readonly labels: Int32Array;
  readonly count: number;
  /** Number of voxels of each component; `sizes[label - 1]`. */
  readonly sizes: number[];
}

/** The foreground as runs of equal value along i, in memory order, each with the number of its component. */
export interface LabelledRuns {
  /** First voxel of each run, as an offset into the mask. */
  readonly starts: Int32Array;
  /** The offset after the last voxel of each run. */
  readonly ends: Int32Array;
  /** The component of each run, from 1. */
  readonly runLabels: Int32Array;
  readonly count: number;
  /** Voxels of each component; `sizes[label - 1]`. */
  readonly sizes: number[];
}

/**
 * Numbers the connected components of a mask from 1, in the order of their first voxels in memory.
 *
 * @param mask - 0 is background, and all foreground has the same value; i fastest
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid
 */
export function labelComponents(
  mask: Uint8Array,
  size: Vector3,
  connectivity: Connectivity,
): LabelledComponents {
  const { starts, ends, runLabels, count, sizes } = labelRuns(mask, size, connectivity);
  const labels = new Int32Array(mask.length);
  for (let run = 0; run < starts.length; run++) labels.fill(runLabels[run], starts[run], ends[run]);
  return { labels, count, sizes };
}

/**
 * The mask (0 and 1) without the components of fewer than `minimumVoxels` voxels.
 *
 * @param mask - foreground where nonzero, i fastest; not changed
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid
 */
export function removeSmallComponents(
  mask: Uint8Array,
  size: Vector3,
  minimumVoxels: number,
  connectivity: Connectivity,
): Uint8Array {
  const { starts, ends, runLabels, sizes } = labelRuns(mask, size, connectivity);
  const kept = new Uint8Array(mask.length);
  for (let run = 0; run < starts.length; run++) {
    if (sizes[runLabels[run] - 1] >= minimumVoxels) kept.fill(1, starts[run], ends[run]);
  }
  return kept;
}

/**
 * The smallest box of voxels that holds each component, in the order of their first voxels in memory.
 *
 * @param mask - foreground where nonzero, i fastest
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the mask does not fill the grid
 */
export function componentBoxes(mask: Uint8Array, size: Vector3, connectivity: Connectivity): IndexBox[] {
  const { starts, ends, runLabels, count } = labelRuns(mask, size, connectivity);
  const [width, height] = size;
  const low = Array.from({ length: count }, (): [number, number, number] => [...size]);
  const high = Array.from({ length: count }, (): [number, number, number] => [-1, -1, -1]);
  for (let run = 0; run < starts.length; run++) {
    const row = Math.floor(starts[run] / width);
    const [j, k] = [row % height, Math.floor(row / height)];
    const first = [starts[run] - row * width, j, k];
    const last = [ends[run] - 1 - row * width, j, k];
    const component = runLabels[run] - 1;
    for (let axis = 0; axis < 3; axis++) {
      low[component][axis] = Math.min(low[component][axis], first[axis]);
      high[component][axis] = Math.max(high[component][axis], last[axis]);
    }
  }
  return low.map((start, component) => {
    const extent = (axis: 0 | 1 | 2) => high[component][axis] - start[axis] + 1;
    return { start, size: [extent(0), extent(1), extent(2)] };
  });
}

/** Some voxels of a grid, as runs along i in memory order: offsets of the first voxel, and of the voxel after the last. */
export interface VoxelRuns {
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** The voxels of a component. */
export interface ComponentRuns extends VoxelRuns {
  readonly voxels: number;
}

/**
 * The runs of each component (26 neighbours) of labels, the largest component first, equal sizes by their first voxel in
 * memory.
 *
 * @param labels - foreground where nonzero, i fastest; touching voxels of different values belong to different components
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the labels do not fill the grid
 */
export function componentRuns(labels: IntegerVoxelArray, size: Vector3): ComponentRuns[] {
  const { starts, ends, runLabels, sizes } = labelRuns(labels, size, 26);
  const components = sizes.map((voxels) => ({ starts: [] as number[], ends: [] as number[], voxels }));
  for (let run = 0; run < starts.length; run++) {
    const component = components[runLabels[run] - 1];
    component.starts.push(starts[run]);
    component.ends.push(ends[run]);
  }
  return largestFirst(sizes).map((component) => components[component]);
}

/** The indices into `sizes` from the largest component to the smallest; equal sizes stay in their order. */
export function largestFirst(sizes: readonly number[]): number[] {
  return Array.from(sizes.keys()).sort((a, b) => sizes[b] - sizes[a] || a - b);
}

/**
 * The same components as {@link labelComponents}, as runs, without an array of the size of the scan. A component has a
 * single value: touching voxels of different values belong to different components.
 *
 * @param labels - foreground where nonzero, i fastest
 * @param size - voxels along (i, j, k)
 * @throws RangeError where the labels do not fill the grid
 */
export function labelRuns(
  labels: IntegerVoxelArray,
  size: Vector3,
  connectivity: Connectivity,
): LabelledRuns {
  requireMaskOfSize(labels.length, size);
  const { starts, ends, firstRunOfRow } = findRuns(labels, size);
  const parents = new Int32Array(starts.length);
  for (let run = 0; run < parents.length; run++) parents[run] = run;
  joinTouchingRuns(parents, labels, starts, ends, firstRunOfRow, size, connectivity);

  // A root is the first run of its component, so numbering the roots in sequence follows memory order.
  const runLabels = new Int32Array(starts.length);
  const sizes: number[] = [];
  for (let run = 0; run < starts.length; run++) {
    const root = rootOf(parents, run);
    if (root === run) sizes.push(0);
    runLabels[run] = root === run ? sizes.length : runLabels[root];
    sizes[runLabels[run] - 1] += ends[run] - starts[run];
  }
  return { starts, ends, runLabels, count: sizes.length, sizes };
}

interface Runs {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Index of the first run of row j + size[1]·k, with an extra entry for the end. */
  readonly firstRunOfRow: Int32Array;
}

function findRuns(labels: IntegerVoxelArray, size: Vector3): Runs {
  const width = size[0];
  const rows = size[1] * size[2];
  const starts = new Int32Array(countRuns(labels, width));
  const ends = new Int32Array(starts.length);
  const firstRunOfRow = new Int32Array(rows + 1);
  let run = 0;
  for (let row = 0; row < rows; row++) {
    firstRunOfRow[row] = run;
    const rowEnd = (row + 1) * width;
    let at = row * width;
    while (at < rowEnd) {
      const value = labels[at];
      if (value === 0) {
        at++;
        continue;
      }
      starts[run] = at;
      while (at < rowEnd && labels[at] === value) at++;
      ends[run++] = at;
    }
  }
  firstRunOfRow[rows] = run;
  return { starts, ends, firstRunOfRow };
}

function countRuns(labels: IntegerVoxelArray, width: number): number {
  let count = 0;
  for (let rowStart = 0; rowStart < labels.length; rowStart += width) {
    let previous = 0;
    for (let at = rowStart; at < rowStart + width; at++) {
      const value = labels[at];
      if (value !== 0 && value !== previous) count++;
      previous = value;
    }
  }
  return count;
}

function joinTouchingRuns(
  parents: Int32Array,
  labels: IntegerVoxelArray,
  starts: Int32Array,
  ends: Int32Array,
  firstRunOfRow: Int32Array,
  size: Vector3,
  connectivity: Connectivity,
): void {
  const [width, height, depth] = size;
  const rowsBefore = precedingRows(connectivity);
  for (let k = 0; k < depth; k++) {
    for (let j = 0; j < height; j++) {
      const row = j + height * k;
      const rowEnd = firstRunOfRow[row + 1];
      if (firstRunOfRow[row] === rowEnd) continue;
      for (const { stepJ, stepK, reach } of rowsBefore) {
        if (j + stepJ < 0 || j + stepJ >= height || k + stepK < 0) continue;
        const otherRow = row + stepJ + height * stepK;
        const shift = (row - otherRow) * width;
        const otherEnd = firstRunOfRow[otherRow + 1];
        let here = firstRunOfRow[row];
        let there = firstRunOfRow[otherRow];
        while (here < rowEnd && there < otherEnd) {
          const otherStart = starts[there] + shift;
          const otherStop = ends[there] + shift;
          const isOneValue = labels[starts[here]] === labels[starts[there]];
          if (isOneValue && otherStart < ends[here] + reach && starts[here] < otherStop + reach)
            join(parents, here, there);
          // If both runs end together and the next run has another value, it touches the other run by an edge.
          const next = here + 1;
          if (
            ends[here] === otherStop &&
            next < rowEnd &&
            starts[next] < otherStop + reach &&
            labels[starts[next]] === labels[starts[there]]
          )
            join(parents, next, there);
          if (ends[here] < otherStop) here++;
          else there++;
        }
      }
    }
  }
}

interface RowBefore {
  readonly stepJ: number;
  readonly stepK: number;
  /** How far apart along i two voxels of the two rows may be and still touch. */
  readonly reach: number;
}

function precedingRows(connectivity: Connectivity): RowBefore[] {
  const face = connectivity === 6 ? 0 : 1;
  const rows: RowBefore[] = [
    { stepJ: -1, stepK: 0, reach: face },
    { stepJ: 0, stepK: -1, reach: face },
  ];
  if (connectivity === 6) return rows;
  const edge = connectivity === 26 ? 1 : 0;
  return [...rows, { stepJ: -1, stepK: -1, reach: edge }, { stepJ: 1, stepK: -1, reach: edge }];
}

function join(parents: Int32Array, a: number, b: number): void {
  const rootA = rootOf(parents, a);
  const rootB = rootOf(parents, b);
  if (rootA < rootB) parents[rootB] = rootA;
  else parents[rootA] = rootB;
}

function rootOf(parents: Int32Array, run: number): number {
  let at = run;
  while (parents[at] !== at) {
    parents[at] = parents[parents[at]];
    at = parents[at];
  }
  return at;
}
