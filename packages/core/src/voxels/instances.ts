// Combines masks into a label volume with a label for each, and numbers connected components.
import { InputError } from "../errors.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import { type Vector3, type Volume, type VoxelArray, voxelCount } from "../volume/volume.js";
import { type LabelledRuns, labelRuns, largestFirst } from "./components.js";

/** A mask with its name, such as an ROI: foreground where nonzero, i fastest. */
export interface NamedMask {
  readonly name: string;
  readonly mask: Uint8Array;
}

/** A label volume and the names of its labels. */
export interface LabelledMasks {
  /** 0 for background, else the label, i fastest; the smallest type that holds them. */
  readonly labels: Uint8Array | Uint16Array;
  readonly regions: readonly { readonly label: number; readonly name: string; readonly voxels: number }[];
  /** Voxels that two masks share; they get the label of the first. */
  readonly overlaps: readonly { readonly first: string; readonly second: string; readonly voxels: number }[];
  /** Names whose mask has no voxel, or none that is not covered by earlier masks. */
  readonly empty: readonly string[];
}

/**
 * Numbers the masks from 1 in their order. Masks are requested one at a time, so only one needs to be in memory.
 *
 * @param size - voxels along (i, j, k)
 * @param split - whether each connected component (26 neighbours) of a mask gets its own label, "NAME 1", "NAME 2", … in
 * the order of their first voxels
 * @throws RangeError where a mask does not fill the grid
 * @throws InputError where there are more than 65,535 labels
 */
export function labelMasks(masks: Iterable<NamedMask>, size: Vector3, split = false): LabelledMasks {
  const labels = new Uint16Array(voxelCount({ size }));
  const regions: { label: number; name: string; voxels: number }[] = [];
  /** The mask that each label came from; label − 1. */
  const origins: string[] = [];
  const overlaps: { first: string; second: string; voxels: number }[] = [];
  const empty: string[] = [];
  for (const { name, mask } of masks) {
    const runs = labelRuns(mask, size, 26);
    const partOf = (run: number) => (split ? runs.runLabels[run] : 1);
    const { free, taken } = countFree(runs, partOf, labels);
    for (const [first, voxels] of sumBy(taken, (label) => origins[label - 1])) {
      overlaps.push({ first, second: name, voxels });
    }
    if (free.size === 0) empty.push(name);
    const labelOfPart = new Map([...free.keys()].map((part, n) => [part, regions.length + n + 1]));
    if (regions.length + free.size > 65_535) {
      throw new InputError(
        `The labels hold at least ${regions.length + free.size} connected components, and at most 65,535 were expected; they cannot be nodes.`,
      );
    }
    for (const [n, voxels] of [...free.values()].entries()) {
      regions.push({ label: regions.length + 1, name: free.size === 1 ? name : `${name} ${n + 1}`, voxels });
      origins.push(name);
    }
    for (let run = 0; run < runs.starts.length; run++) {
      const label = labelOfPart.get(partOf(run)) ?? 0;
      for (let at = runs.starts[run]; at < runs.ends[run]; at++) if (labels[at] === 0) labels[at] = label;
    }
  }
  return { labels: regions.length <= 255 ? new Uint8Array(labels) : labels, regions, overlaps, empty };
}

/**
 * Numbers the connected components (26 neighbours) of each value: from 1, the largest first, equal sizes by their first
 * voxel in memory. The smallest type that holds them.
 *
 * @param labels - foreground where nonzero; touching voxels of different values belong to different components
 * @throws RangeError where the data does not fill the grid
 */
export function numberedComponents(labels: Volume<IntegerVoxelArray>): Volume<IntegerVoxelArray> {
  const { starts, ends, runLabels, sizes, count } = labelRuns(labels.data, labels.size, 26);
  const numberOf = new Int32Array(count);
  largestFirst(sizes).forEach((component, rank) => {
    numberOf[component] = rank + 1;
  });
  const data = emptyNumbers(labels.data.length, count);
  for (let run = 0; run < starts.length; run++)
    data.fill(numberOf[runLabels[run] - 1], starts[run], ends[run]);
  return { ...labels, data };
}

/** Zeros of the smallest type that holds the numbers up to `most`. */
export function emptyNumbers(length: number, most: number): IntegerVoxelArray {
  const Numbers = most <= 255 ? Uint8Array : most <= 65_535 ? Uint16Array : Int32Array;
  return new Numbers(length);
}

/** The foreground of labels as a mask; a mask is returned unchanged. */
export function foregroundOf(labels: IntegerVoxelArray): Uint8Array {
  if (labels instanceof Uint8Array) return labels;
  const mask = new Uint8Array(labels.length);
  for (let at = 0; at < mask.length; at++) if (labels[at] !== 0) mask[at] = 1;
  return mask;
}

/** The values that occur in a label volume, including 0, ascending. */
export function labelValues(data: VoxelArray): number[] {
  const values = new Set<number>();
  let previous = Number.NaN;
  for (const value of data) {
    // Labels come in runs; comparing with the previous value keeps the set out of the inner loop.
    if (value === previous) continue;
    values.add(value);
    previous = value;
  }
  return [...values].sort((a, b) => a - b);
}

/** For each part the number of voxels without a label yet, and for each label the number of voxels already taken. */
function countFree(
  { starts, ends }: LabelledRuns,
  partOf: (run: number) => number,
  labels: Uint16Array,
): { free: Map<number, number>; taken: Map<number, number> } {
  const free = new Map<number, number>();
  const taken = new Map<number, number>();
  for (let run = 0; run < starts.length; run++) {
    for (let at = starts[run]; at < ends[run]; at++) {
      const [counts, key] = labels[at] === 0 ? [free, partOf(run)] : [taken, labels[at]];
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return { free, taken };
}

function sumBy(counts: ReadonlyMap<number, number>, group: (key: number) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, count] of counts) sums.set(group(key), (sums.get(group(key)) ?? 0) + count);
  return sums;
}
