// What an edit did to the label buffer, as runs of voxels, so that it can be undone and redone in little memory.
import type { Volume } from "@lnsnet/core/volume";
import type { IndexBox } from "@lnsnet/core/voxels";
import { type BoxedMask, requireMaskInGrid, vector } from "./voxel-box.js";

/** Voxels that one edit gave one value: runs along i, in memory order, each of one former value. */
export interface LabelChange {
  /** What the voxels hold after the change: a node's number, or 0. */
  readonly value: number;
  /** Offset of each run's first voxel in the label buffer. */
  readonly starts: Int32Array;
  /** Offset after each run's last voxel. */
  readonly ends: Int32Array;
  /** What the voxels of each run held before. */
  readonly before: Uint8Array;
  /** The smallest box that holds the changed voxels. */
  readonly box: IndexBox;
  /** The nodes that lost or gained voxels. */
  readonly numbers: readonly number[];
}

/**
 * Gives the voxels of a mask one value, where what they hold now may be replaced.
 *
 * @param labels changed in place
 * @param mayReplace whether voxels of a value (a node's number, 0 for none) may be overwritten
 * @returns what changed; null where nothing did
 * @throws RangeError where the mask does not fill its box or leaves the grid
 */
export function paintMask(
  labels: Volume<Uint8Array>,
  mask: BoxedMask,
  value: number,
  mayReplace: (present: number) => boolean,
): LabelChange | null {
  requireMaskInGrid(mask, labels.size);
  const replaceable = Uint8Array.from({ length: 256 }, (_, present) =>
    present !== value && mayReplace(present) ? 1 : 0,
  );
  const { start, size, data } = mask;
  const present = labels.data;
  const starts: number[] = [];
  const ends: number[] = [];
  const before: number[] = [];
  const low = [...labels.size];
  const high = [-1, -1, -1];
  for (let k = 0, rowStart = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++, rowStart += size[0]) {
      const rowEnd = rowStart + size[0];
      const shift = start[0] + labels.size[0] * (start[1] + j + labels.size[1] * (start[2] + k)) - rowStart;
      // A move of the brush goes through a hundred thousand voxels: what is done for each of them is kept small.
      for (let at = rowStart; at < rowEnd; ) {
        while (at < rowEnd && data[at] === 0) at++;
        const gap = data.indexOf(0, at);
        const maskEnd = gap < 0 ? rowEnd : Math.min(gap, rowEnd);
        while (at < maskEnd) {
          const first = at;
          const held = present[shift + first];
          while (at < maskEnd && present[shift + at] === held) at++;
          if (replaceable[held] === 0) continue;
          starts.push(shift + first);
          ends.push(shift + at);
          before.push(held);
          low[0] = Math.min(low[0], first - rowStart);
          high[0] = Math.max(high[0], at - 1 - rowStart);
          low[1] = Math.min(low[1], j);
          high[1] = Math.max(high[1], j);
          low[2] = Math.min(low[2], k);
          high[2] = k;
        }
      }
    }
  }
  if (starts.length === 0) return null;
  const change: LabelChange = {
    value,
    starts: Int32Array.from(starts),
    ends: Int32Array.from(ends),
    before: Uint8Array.from(before),
    box: {
      start: vector((axis) => start[axis] + low[axis]),
      size: vector((axis) => high[axis] - low[axis] + 1),
    },
    numbers: [...new Set([...before, value])].filter((number) => number !== 0),
  };
  redoChange(present, change);
  return change;
}

/** Gives the voxels of a change the change's value again. */
export function redoChange(data: Uint8Array, { starts, ends, value }: LabelChange): void {
  for (let run = 0; run < starts.length; run++) data.fill(value, starts[run], ends[run]);
}

/** Gives the voxels of a change what they held before. */
export function undoChange(data: Uint8Array, { starts, ends, before }: LabelChange): void {
  for (let run = 0; run < starts.length; run++) data.fill(before[run], starts[run], ends[run]);
}

/** Bytes that a change takes in memory, about. */
export function bytesOfChange({ starts }: LabelChange): number {
  return 200 + 9 * starts.length;
}
