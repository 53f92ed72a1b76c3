// From a scan to the grid that networks see, and from the networks' grid back to the scan.
import { reorientToLps } from "../volume/orientation.js";
import { gridWithSpacing, resample, resampleLabels } from "../volume/resample.js";
import type { Geometry, Vector3, Volume } from "../volume/volume.js";

/** The HU that are told apart: `lowHu` becomes −1, `highHu` becomes 1, anything beyond is clipped. */
export interface IntensityWindow {
  readonly lowHu: number;
  readonly highHu: number;
}

/** A scan on the working grid: axes along LPS, the working spacing, HU clipped to the window and rounded. */
export interface Prepared extends Geometry {
  readonly hu: Int16Array;
}

/**
 * Brings a scan to the working grid. HU stay whole numbers, two bytes each, so that a cohort fits in memory; patches
 * are normalised as they are cut.
 *
 * @throws RangeError where the window is empty or beyond what 16 bits hold
 */
export function prepareImage(volume: Volume, spacingMm: Vector3, window: IntensityWindow): Prepared {
  const { lowHu, highHu } = window;
  if (!(lowHu < highHu) || lowHu < -32768 || highHu > 32767) {
    throw new RangeError(`The window from ${lowHu} to ${highHu} HU must rise and lie within 16 bits.`);
  }
  const upright = reorientToLps(volume);
  const grid = gridWithSpacing(upright, spacingMm);
  const resampled = resample(upright, grid, "linear", lowHu);
  const hu = new Int16Array(resampled.data.length);
  for (let n = 0; n < hu.length; n++) {
    const value = resampled.data[n];
    hu[n] = Math.round(value < lowHu ? lowHu : Math.min(value, highHu));
  }
  return { ...geometryOf(resampled), hu };
}

/** Brings a label onto the grid of its prepared image. Values are kept; the image's other grid decides every place. */
export function prepareLabel(label: Volume, grid: Geometry): Uint8Array {
  const { data } = resampleLabels(reorientToLps(label), geometryOf(grid));
  return data instanceof Uint8Array ? data : Uint8Array.from(data);
}

/**
 * A mask on the scan's own grid from probabilities on the working grid: linear resampling first, threshold after, so
 * that the boundary is placed more finely than either grid.
 *
 * @param probability foreground probability on the prepared grid
 * @param original geometry of the scan, in any orientation
 * @param threshold a voxel is 1 where its probability reaches this
 */
export function restoreMask(
  probability: Volume<Float32Array>,
  original: Geometry,
  threshold: number,
): Volume<Uint8Array> {
  const grid = geometryOf(original);
  const { data } = resample(probability, grid, "linear", 0);
  const mask = new Uint8Array(data.length);
  for (let n = 0; n < mask.length; n++) mask[n] = data[n] >= threshold ? 1 : 0;
  return { ...grid, data: mask };
}

/** HU to [−1, 1]: the window's ends become the range's ends. */
export function normaliseHu(hu: ArrayLike<number>, window: IntensityWindow): Float32Array {
  const image = Float32Array.from(hu);
  normaliseInPlace(image, window);
  return image;
}

/** {@link normaliseHu} where the array stands. */
export function normaliseInPlace(image: Float32Array, { lowHu, highHu }: IntensityWindow): void {
  const scale = 2 / (highHu - lowHu);
  for (let n = 0; n < image.length; n++) {
    const value = (image[n] - lowHu) * scale - 1;
    image[n] = value < -1 ? -1 : Math.min(value, 1);
  }
}

/** The geometry alone, without the voxels that came with it. */
function geometryOf({ size, spacingMm, originMm, direction }: Geometry): Geometry {
  return { size, spacingMm, originMm, direction };
}
