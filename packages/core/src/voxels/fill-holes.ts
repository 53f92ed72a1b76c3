// Fills the holes of a mask.
import { labelRuns } from "./components.js";

/**
 * Fills, in place, the background that is not connected to the border by faces.
 *
 * @param mask - 0 and 1, i fastest
 * @param size - voxels along (i, j, k); a single slice has borders only along i and j
 * @param maxVoxels - larger holes stay
 */
export function fillHoles(
  mask: Uint8Array,
  [width, height, depth = 1]: readonly [number, number, number?],
  maxVoxels: number,
): void {
  const background = mask.map((value) => 1 - value);
  const { starts, ends, runLabels, sizes } = labelRuns(background, [width, height, depth], 6);
  const isOpen = sizes.map((voxels) => voxels > maxVoxels);
  for (let run = 0; run < starts.length; run++) {
    const row = Math.floor(starts[run] / width);
    const j = row % height;
    const k = (row - j) / height;
    const touchesBorder =
      j === 0 ||
      j === height - 1 ||
      (depth > 1 && (k === 0 || k === depth - 1)) ||
      starts[run] === row * width ||
      ends[run] === (row + 1) * width;
    if (touchesBorder) isOpen[runLabels[run] - 1] = true;
  }
  for (let run = 0; run < starts.length; run++) {
    if (!isOpen[runLabels[run] - 1]) mask.fill(1, starts[run], ends[run]);
  }
}
