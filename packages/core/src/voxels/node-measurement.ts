// What is measured of each lymph node in a mask: how large it is and where it lies.

import { pointOfIndex, type Vector3, type Volume, voxelVolumeMm3 } from "../volume/volume.js";
import { labelRuns } from "./components.js";
import { requireMaskOfSize } from "./mask-size.js";
import type { IndexBox } from "./morphology.js";

/** One node: a connected component of a mask. */
export interface NodeMeasurement {
  /** From 1, the largest node first. */
  readonly id: number;
  readonly voxels: number;
  readonly volumeMl: number;
  /** Mean of the node's voxel centres. */
  readonly centroidLpsMm: Vector3;
  /** The smallest box of voxels that holds the node. */
  readonly boundingBoxIndex: IndexBox;
}

/**
 * Measures each 26-connected component of a mask; the largest first, equal ones by their first voxel in memory.
 *
 * @param mask - foreground where nonzero
 * @throws RangeError where the data does not fill the grid
 */
export function measureNodes(mask: Volume<Uint8Array>): NodeMeasurement[] {
  requireMaskOfSize(mask.data.length, mask.size);
  const { starts, ends, runLabels, count, sizes } = labelRuns(mask.data, mask.size, 26);
  const [width, height] = mask.size;
  const sums = Array.from({ length: count }, () => [0, 0, 0]);
  const low = Array.from({ length: count }, () => [...mask.size]);
  const high = Array.from({ length: count }, () => [0, 0, 0]);
  for (let run = 0; run < starts.length; run++) {
    const node = runLabels[run] - 1;
    const row = Math.floor(starts[run] / width);
    const j = row % height;
    const k = (row - j) / height;
    const first = starts[run] - row * width;
    const length = ends[run] - starts[run];
    const last = first + length - 1;
    const [sum, lowest, highest] = [sums[node], low[node], high[node]];
    sum[0] += (length * (first + last)) / 2;
    sum[1] += length * j;
    sum[2] += length * k;
    lowest[0] = Math.min(lowest[0], first);
    lowest[1] = Math.min(lowest[1], j);
    lowest[2] = Math.min(lowest[2], k);
    highest[0] = Math.max(highest[0], last);
    highest[1] = Math.max(highest[1], j);
    highest[2] = Math.max(highest[2], k);
  }

  const millilitres = voxelVolumeMm3(mask) / 1000;
  const largestFirst = Array.from(sizes.keys()).sort((a, b) => sizes[b] - sizes[a] || a - b);
  return largestFirst.map((node, rank) => {
    const voxels = sizes[node];
    const [sum, lowest, highest] = [sums[node], low[node], high[node]];
    return {
      id: rank + 1,
      voxels,
      volumeMl: voxels * millilitres,
      centroidLpsMm: pointOfIndex(mask, [sum[0] / voxels, sum[1] / voxels, sum[2] / voxels]),
      boundingBoxIndex: {
        start: [lowest[0], lowest[1], lowest[2]],
        size: [highest[0] - lowest[0] + 1, highest[1] - lowest[1] + 1, highest[2] - lowest[2] + 1],
      },
    };
  });
}
