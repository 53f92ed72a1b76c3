// Volumes that a person can read: a row of voxels, written as a digit for each voxel.

import type { Volume } from "../volume/volume.js";

/** A row along i of voxels of 2 × 1 × 1 mm; "." is background, a digit is a label. */
export function rowOf(digits: string): Volume<Uint8Array> {
  return {
    data: Uint8Array.from(digits, (digit) => (digit === "." ? 0 : Number(digit))),
    size: [digits.length, 1, 1],
    spacingMm: [2, 1, 1],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
}

/** A row of probabilities; "." is 0, and a digit counts tenths. */
export function probabilityRowOf(digits: string): Volume<Float32Array> {
  const row = rowOf(digits);
  return { ...row, data: Float32Array.from(row.data, (tenths) => tenths / 10) };
}
