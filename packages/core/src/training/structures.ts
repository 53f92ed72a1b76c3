// Numbers the structures of a scan, drawn in several label volumes, for the training of a promptable network.
import { IGNORED } from "../transforms/label-scheme.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Vector3 } from "../volume/volume.js";
import { componentRuns } from "../voxels/components.js";

/** Label values on a working grid. */
export interface StructureLayer {
  /** 0 is background. */
  readonly data: IntegerVoxelArray;
  /** Whether each value is one structure, as of organs and instances; else each connected component (26 neighbours) of a value is. */
  readonly byValue: boolean;
}

/**
 * Gives every structure its own number from 1 on, layer by layer; where layers overlap, the later one has the voxels.
 * Of more than 254 structures the rest of the last layers is left out: as many fit one byte beside {@link IGNORED}.
 *
 * @param layers on one grid, i fastest
 * @param size voxels along (i, j, k)
 */
export function numberStructures(layers: readonly StructureLayer[], size: Vector3): Uint8Array {
  const numbers = new Uint8Array(size[0] * size[1] * size[2]);
  let last = 0;
  for (const { data, byValue } of layers) {
    if (byValue) {
      const numberOf = new Map<number, number>();
      for (let at = 0; at < data.length; at++) {
        const value = data[at];
        if (value === 0) continue;
        const known = numberOf.get(value);
        if (known === undefined && last + 1 < IGNORED) numberOf.set(value, ++last);
        numbers[at] = numberOf.get(value) ?? 0;
      }
    } else
      for (const { starts, ends } of componentRuns(data, size)) {
        if (last + 1 < IGNORED) last++;
        else break;
        for (const [run, start] of starts.entries()) numbers.fill(last, start, ends[run]);
      }
  }
  return numbers;
}
