// Finds the patient's body in a CT: without table, air and separate objects, with airway and other cavities filled.

import { type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { labelRuns } from "./components.js";
import { fillHoles } from "./fill-holes.js";
import { airBelowHu } from "./node-density.js";
import { growByDisc, inverted } from "./slice-disc.js";

/**
 * The patient's body (0 and 1, i fastest, on the scan's grid).
 *
 * Steps: (1) in each axial slice, threshold at −500 HU (halfway from air to tissue), fill cavities of up to 30 cm², and
 * open with a disc of 4 mm, which removes table tops, masks and tubes thinner than 8 mm, and thin parts of the ears.
 * (2) Keep the largest connected component (by faces), which removes head rests, and hands and arms that do not touch the
 * body within the scan; arms connected at the shoulders stay. (3) In each slice fill every enclosed cavity, such as
 * airway, sinuses and lungs; slice by slice, because the first and last slice of a scan cut the airway open. In step 1
 * only small cavities are filled, because a hollow table would otherwise become solid.
 *
 * During the opening, everything outside the grid counts as body, so that shoulders which the field of view cuts off keep
 * their shape. A scan without a body gives an empty mask.
 *
 * @param scan - HU; its slices are those across the index axis nearest to z
 */
export function bodyMask(scan: Volume): Uint8Array {
  const mask = new Uint8Array(voxelCount(scan));
  for (let at = 0; at < mask.length; at++) if (scan.data[at] > airBelowHu) mask[at] = 1;
  const slices = axialSlices(scan);
  const pixelMm2 = slices.spacingMm[0] * slices.spacingMm[1];
  changeSlices(mask, slices, (slice) => {
    fillHoles(slice, slices.size, smallCavityMm2 / pixelMm2);
    return inverted(growByDisc(inverted(slice), slices, openingRadiusMm));
  });
  keepLargest(mask, scan.size);
  changeSlices(mask, slices, (slice) => {
    const grown = growByDisc(slice, slices, openingRadiusMm);
    fillHoles(grown, slices.size, Number.POSITIVE_INFINITY);
    return grown;
  });
  return mask;
}

const smallCavityMm2 = 3000;
const openingRadiusMm = 4;

/** The memory layout of the axial slices of a volume. */
interface Slices {
  /** Size of a slice in voxels. */
  readonly size: readonly [number, number];
  readonly spacingMm: readonly [number, number];
  readonly count: number;
  /** Steps in memory along the two axes of a slice and from slice to slice. */
  readonly steps: Vector3;
}

function axialSlices({ size, spacingMm, direction }: Volume): Slices {
  const strides: Vector3 = [1, size[0], size[0] * size[1]];
  const cosines = [6, 7, 8].map((entry) => Math.abs(direction[entry]));
  const across = cosines.indexOf(Math.max(...cosines));
  const [a, b] = [0, 1, 2].filter((axis) => axis !== across);
  return {
    size: [size[a], size[b]],
    spacingMm: [spacingMm[a], spacingMm[b]],
    count: size[across],
    steps: [strides[a], strides[b], strides[across]],
  };
}

/** Replaces each slice of a mask by the result of `change` for a copy of it. */
function changeSlices(mask: Uint8Array, slices: Slices, change: (slice: Uint8Array) => Uint8Array): void {
  const {
    size: [width, height],
    steps: [stepA, stepB, stepSlice],
  } = slices;
  const slice = new Uint8Array(width * height);
  for (let index = 0; index < slices.count; index++) {
    const start = index * stepSlice;
    for (let b = 0, at = 0; b < height; b++) {
      for (let a = 0; a < width; a++) slice[at++] = mask[start + a * stepA + b * stepB];
    }
    const changed = change(slice);
    for (let b = 0, at = 0; b < height; b++) {
      for (let a = 0; a < width; a++) mask[start + a * stepA + b * stepB] = changed[at++];
    }
  }
}

function keepLargest(mask: Uint8Array, size: Vector3): void {
  const { starts, ends, runLabels, sizes } = labelRuns(mask, size, 6);
  const largest = sizes.reduce((best, voxels, at) => (voxels > sizes[best] ? at : best), 0) + 1;
  for (let run = 0; run < starts.length; run++) {
    if (runLabels[run] !== largest) mask.fill(0, starts[run], ends[run]);
  }
}
