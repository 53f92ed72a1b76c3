// Tells touching nodes apart: a connected component with a neck is two nodes.
import type { IntegerVoxelArray } from "../volume/resample.js";
import { type Vector3, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { type ComponentRuns, componentRuns } from "./components.js";
import { squaredDistanceMm } from "./distance.js";
import { emptyNumbers } from "./instances.js";
import type { IndexBox } from "./morphology.js";

/** When a component is more than one node. */
export interface NeckRule {
  /** A neck is at most this wide, as a share of the width of the thinner of the two parts that it joins. */
  readonly widthShare: number;
  /** Each part has at least this volume, so that a knob of a node stays a part of it. */
  readonly leastVolumeMl: number;
  /** A component that is longer along an axis of the grid is no group of nodes, and is left whole. */
  readonly mostLengthMm: number;
}

/** All three are this project's; docs/decisions/segmenting.md has the figures. 0.2 mL is a ball of 7.3 mm. */
export const defaultNeckRule: NeckRule = { widthShare: 0.7, leastVolumeMl: 0.2, mostLengthMm: 150 };

/** Voxels as offsets into the labels, ascending. */
type Offsets = Uint32Array;

/**
 * Numbers nodes from 1, the largest first, equal sizes by their first voxel in memory: the connected components
 * (26 neighbours) of each value, and where a component of a split value has necks, its parts. Without necks the numbers
 * are those of `numberedComponents`. The smallest type that holds them.
 *
 * The parts are basins of a watershed: from the middles of the component, which are farthest from its border, outwards.
 * Two basins that meet stay apart where the place is a neck by the rule, and become one elsewhere. Source of the
 * watershed on distances: Meyer, Signal Processing 38, 1994; the rule is this project's.
 *
 * @param labels - foreground where nonzero
 * @param isSplit - whether components of a value are looked at for necks
 */
export function numberedNodes(
  labels: Volume<IntegerVoxelArray>,
  isSplit: (value: number) => boolean,
  rule: NeckRule = defaultNeckRule,
): Volume<IntegerVoxelArray> {
  const nodes = componentRuns(labels.data, labels.size).flatMap((component) =>
    isSplit(labels.data[component.starts[0]]) ? partsOf(component, labels, rule) : [component],
  );
  nodes.sort((a, b) => b.voxels - a.voxels || a.starts[0] - b.starts[0]);
  const data = emptyNumbers(labels.data.length, nodes.length);
  for (const [rank, { starts, ends }] of nodes.entries())
    for (const [run, start] of starts.entries()) data.fill(rank + 1, start, ends[run]);
  return { ...labels, data };
}

/** The parts of a component between its necks; the component itself where it has none. */
function partsOf(
  component: ComponentRuns,
  labels: Volume,
  { widthShare, leastVolumeMl, mostLengthMm }: NeckRule,
): readonly ComponentRuns[] {
  const leastVoxels = (1000 * leastVolumeMl) / voxelVolumeMm3(labels);
  if (component.voxels < 2 * leastVoxels) return [component];
  const whole = offsetsOf(component);
  const box = boxAround(whole, labels.size);
  if (box.size.some((voxels, axis) => voxels * labels.spacingMm[axis] > mostLengthMm)) return [component];
  const inBox = offsetsInBox(whole, labels.size, box);
  const basinOf = basinsOf(inBox, box.size, labels.spacingMm, { widthShare, leastVoxels });
  const parts = new Map<number, number[]>();
  for (const [n, at] of whole.entries()) {
    const part = parts.get(basinOf[n]);
    if (part === undefined) parts.set(basinOf[n], [at]);
    else part.push(at);
  }
  return parts.size === 1 ? [component] : [...parts.values()].map(runsOf);
}

function offsetsOf({ starts, ends, voxels }: ComponentRuns): Offsets {
  const offsets = new Uint32Array(voxels);
  let n = 0;
  for (const [run, start] of starts.entries()) for (let at = start; at < ends[run]; at++) offsets[n++] = at;
  return offsets;
}

/** Voxels by their offsets, ascending. A run that goes on in the next row is a run too. */
function runsOf(offsets: readonly number[]): ComponentRuns {
  const starts: number[] = [];
  const ends: number[] = [];
  for (const at of offsets)
    if (ends.at(-1) === at) ends[ends.length - 1] = at + 1;
    else {
      starts.push(at);
      ends.push(at + 1);
    }
  return { starts, ends, voxels: offsets.length };
}

/**
 * The basin of each voxel of a component, as a number.
 *
 * @param offsets - its voxels in a box of `size` that leaves a voxel free around it
 */
function basinsOf(
  offsets: Offsets,
  size: Vector3,
  spacingMm: Vector3,
  { widthShare, leastVoxels }: { readonly widthShare: number; readonly leastVoxels: number },
): Int32Array {
  const outside = new Uint8Array(size[0] * size[1] * size[2]).fill(1);
  for (const at of offsets) outside[at] = 0;
  const squaredMm = squaredDistanceMm(outside, size, spacingMm);
  const voxelMm = Math.min(...spacingMm);
  const order = offsets.slice().sort((a, b) => squaredMm[b] - squaredMm[a] || a - b);
  const basinAt = new Int32Array(outside.length).fill(-1);
  const basins = new Basins();
  /** Pairs of basins, in the order in which they met: at falling depths. */
  const necks: (readonly [number, number])[] = [];
  for (const at of order) {
    // The border lies between the centres of two voxels.
    const depthMm = Math.sqrt(squaredMm[at]) - voxelMm / 2;
    const around = neighboursOf(at, size).filter((near) => basinAt[near] >= 0);
    // A voxel belongs to where the component gets thickest from it.
    const next = around.reduce((best, near) => (squaredMm[near] > squaredMm[best] ? near : best), around[0]);
    const own = next === undefined ? basins.open(depthMm) : basins.rootOf(basinAt[next]);
    for (const other of new Set(around.map((near) => basins.rootOf(basinAt[near])))) {
      if (other === own) continue;
      const thinnerMm = Math.min(basins.depthMm[other], basins.depthMm[own]);
      // A basin of less than a voxel is a step of the border.
      if (thinnerMm >= voxelMm && depthMm <= widthShare * thinnerMm) necks.push([other, own]);
      else basins.join(other, own);
    }
    basins.voxels[own]++;
    basinAt[at] = own;
  }
  // How large a part is, is only known now.
  for (const pair of necks) {
    const [a, b] = pair.map((basin) => basins.rootOf(basin));
    if (a !== b && Math.min(basins.voxels[a], basins.voxels[b]) < leastVoxels) basins.join(a, b);
  }
  return Int32Array.from(offsets, (at) => basins.rootOf(basinAt[at]));
}

/** Basins that grow and join: each with its greatest depth and its voxels until now. */
class Basins {
  readonly depthMm: number[] = [];
  readonly voxels: number[] = [];
  private readonly parents: number[] = [];

  open(depthMm: number): number {
    this.parents.push(this.parents.length);
    this.depthMm.push(depthMm);
    return this.voxels.push(0) - 1;
  }

  join(basin: number, to: number): void {
    this.parents[basin] = to;
    this.depthMm[to] = Math.max(this.depthMm[to], this.depthMm[basin]);
    this.voxels[to] += this.voxels[basin];
  }

  rootOf(basin: number): number {
    let root = basin;
    while (this.parents[root] !== root) root = this.parents[root];
    this.parents[basin] = root;
    return root;
  }
}

function offsetsInBox(offsets: Offsets, gridSize: Vector3, { start, size }: IndexBox): Offsets {
  return offsets.map((at) => {
    const [i, j, k] = indexOfOffset(at, gridSize);
    return i - start[0] + size[0] * (j - start[1] + size[1] * (k - start[2]));
  });
}

/**
 * The box of voxels that holds some, and a voxel more on each side where the grid has one: what lies beyond the grid is
 * not known, and so is no border of a node.
 */
function boxAround(offsets: Offsets, gridSize: Vector3): IndexBox {
  const low = [...gridSize];
  const high = [0, 0, 0];
  for (const at of offsets)
    for (const [axis, index] of indexOfOffset(at, gridSize).entries()) {
      low[axis] = Math.min(low[axis], index);
      high[axis] = Math.max(high[axis], index);
    }
  const from = (axis: 0 | 1 | 2) => Math.max(0, low[axis] - 1);
  const extent = (axis: 0 | 1 | 2) => Math.min(gridSize[axis], high[axis] + 2) - from(axis);
  return { start: [from(0), from(1), from(2)], size: [extent(0), extent(1), extent(2)] };
}

const indexOfOffset = (at: number, [width, height]: Vector3): Vector3 => [
  at % width,
  Math.floor(at / width) % height,
  Math.floor(at / (width * height)),
];

/** The offsets of the neighbours (26) of a voxel that lie in the grid. */
function neighboursOf(at: number, gridSize: Vector3): number[] {
  const [width, height, depth] = gridSize;
  const [i, j, k] = indexOfOffset(at, gridSize);
  const offsets: number[] = [];
  for (let z = Math.max(0, k - 1); z <= Math.min(depth - 1, k + 1); z++)
    for (let y = Math.max(0, j - 1); y <= Math.min(height - 1, j + 1); y++)
      for (let x = Math.max(0, i - 1); x <= Math.min(width - 1, i + 1); x++) {
        const offset = x + width * (y + height * z);
        if (offset !== at) offsets.push(offset);
      }
  return offsets;
}
