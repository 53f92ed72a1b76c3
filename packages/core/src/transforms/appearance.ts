// Augmentation of a patch's intensities: slice thickness, resolution, blur, grey values, noise. Changes arrays in place.

import { indexedStream, type RandomGenerator } from "../random.js";
import { alongLines, blurAlong } from "../volume/gaussian.js";
import type { Vector3 } from "../volume/volume.js";
import type { PatchVariation } from "./augmentation.js";
import type { IntensityWindow } from "./intensity.js";

/**
 * Varies a normalised image: thick slices, low resolution, blur, gamma, contrast, brightness, noise, in this order.
 *
 * @param size of the image (i, j, k)
 * @param isWithinOne whether values lie in [−1, 1]; if not, gamma is applied between the minimum and the maximum
 */
export function varyAppearance(
  image: Float32Array,
  size: Vector3,
  spacingMm: Vector3,
  variation: PatchVariation,
  isWithinOne = true,
): void {
  const { sliceThicknessMm, coarseness, blurMm, gamma, contrast, brightness, noiseDeviation } = variation;
  if (sliceThicknessMm > spacingMm[2]) coarsenAlong(image, size, 2, sliceThicknessMm / spacingMm[2]);
  if (coarseness > 1) for (const axis of [0, 1, 2]) coarsenAlong(image, size, axis, coarseness);
  if (blurMm > 0) for (const axis of [0, 1, 2]) blurAlong(image, size, axis, blurMm / spacingMm[axis]);
  if (gamma !== 1) raiseToPower(image, gamma, isWithinOne ? [-1, 1] : extremesOf(image));
  if (contrast !== 1 || brightness !== 0) {
    for (let n = 0; n < image.length; n++) image[n] = image[n] * contrast + brightness;
  }
  if (noiseDeviation > 0) addNoise(image, noiseDeviation, indexedStream(variation.noiseSeed, 0));
}

/** Adds to HU within the window. Values clipped to its ends (air, bone) are really far outside, and stay clipped. */
export function shiftHu(hu: Float32Array, { lowHu, highHu }: IntensityWindow, shift: number): void {
  for (let n = 0; n < hu.length; n++) if (hu[n] > lowHu && hu[n] < highHu) hu[n] += shift;
}

/**
 * Simulates coarser voxels along an axis, interpolated back to the grid linearly. A coarse voxel is the mean of the
 * voxels in it, as in a thick slice; the coarse voxels are centred on the axis, and the outermost may extend beyond it.
 *
 * @param factor edge of a coarse voxel in voxels, above 1
 */
function coarsenAlong(image: Float32Array, size: Vector3, axis: number, factor: number): void {
  const count = size[axis];
  const boxes = Math.ceil(count / factor);
  const overhang = (boxes * factor - count) / 2;
  const means = new Float64Array(boxes);
  alongLines(image, size, axis, (line) => {
    for (let box = 0; box < boxes; box++) {
      const from = Math.max(0, box * factor - overhang);
      const until = Math.min(count, (box + 1) * factor - overhang);
      let sum = 0;
      for (let n = Math.floor(from); n < until; n++)
        sum += line[n] * (Math.min(n + 1, until) - Math.max(n, from));
      means[box] = sum / (until - from);
    }
    for (let n = 0; n < count; n++) {
      const place = Math.min(Math.max((n + 0.5 + overhang) / factor - 0.5, 0), boxes - 1);
      const box = Math.min(Math.floor(place), Math.max(0, boxes - 2));
      const next = Math.min(box + 1, boxes - 1);
      line[n] = means[box] + (place - box) * (means[next] - means[box]);
    }
  });
}

/** Gamma on a range scaled to [0, 1], from a table of 1024 steps: a power for each voxel takes ten times as long. */
function raiseToPower(image: Float32Array, gamma: number, [low, high]: readonly [number, number]): void {
  if (!(high > low)) return;
  const steps = 1024;
  const table = Float32Array.from({ length: steps + 2 }, (_, n) => (high - low) * (n / steps) ** gamma + low);
  for (let n = 0; n < image.length; n++) {
    const place = (image[n] - low) * (steps / (high - low));
    const step = Math.floor(place);
    image[n] = table[step] + (place - step) * (table[step + 1] - table[step]);
  }
}

function extremesOf(image: Float32Array): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let n = 0; n < image.length; n++) {
    low = Math.min(low, image[n]);
    high = Math.max(high, image[n]);
  }
  return [low, high];
}

/**
 * Adds nearly Gaussian noise: the sum of the four bytes of a random word (Irwin–Hall of order 4, cut off at 3.5
 * deviations), several times cheaper than a logarithm and a cosine for each voxel.
 */
function addNoise(image: Float32Array, deviation: number, random: RandomGenerator): void {
  const mean = 4 * 127.5;
  const scale = deviation / Math.sqrt((4 * (256 * 256 - 1)) / 12);
  for (let n = 0; n < image.length; n++) {
    const word = random.next();
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
    image[n] = image[n] + (sum - mean) * scale;
  }
}
