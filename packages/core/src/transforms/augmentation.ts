// Data augmentation: the probability and strength of each variation, and the random draw for a patch.

import { type RandomGenerator, uniform } from "../random.js";
import type { Vector3 } from "../volume/volume.js";

/** The probability of a variation; 0 switches it off. */
export interface Chance {
  readonly probability: number;
}

/** A variation whose strength is drawn between two bounds. */
export interface StrengthRange extends Chance {
  readonly lowest: number;
  readonly highest: number;
}

/** {@link StrengthRange} in millimetres. */
export interface StrengthRangeMm extends Chance {
  readonly lowestMm: number;
  readonly highestMm: number;
}

/** The probability and strength of every variation in training, in the order in which they are applied. */
export interface Augmentation {
  /** Left–right mirror image. */
  readonly flip: Chance;
  /** About the patch's centre, around each of the three axes. */
  readonly rotation: Chance & { readonly maximumDegrees: number };
  /** Magnification of the content. */
  readonly scaling: StrengthRange;
  /** Smooth random displacement; the maximum shift of a control point along an axis, at most 9.6 mm. */
  readonly elastic: Chance & { readonly maximumMm: number };
  /** Added to HU within the window: differences of calibration or contrast phase. */
  readonly huShift: Chance & { readonly maximumHu: number };
  /** Slice thickness along the body, if it is more than the working spacing. */
  readonly thickSlices: StrengthRangeMm;
  /** Edge of coarser voxels, as a multiple of the working spacing. */
  readonly lowResolution: StrengthRange;
  /** Standard deviation of a Gaussian blur. */
  readonly blur: StrengthRangeMm;
  /** Exponent for the image scaled to [0, 1]. */
  readonly gamma: StrengthRange;
  /** Factor around the middle of the window. */
  readonly contrast: StrengthRange;
  /** Added to the image, in units of the normalised image. */
  readonly brightness: Chance & { readonly maximum: number };
  /** Additive and Gaussian; standard deviation in units of the normalised image. */
  readonly noise: Chance & { readonly maximumDeviation: number };
}

export type AugmentationName = keyof Augmentation;

/** A random draw of the variations for a single patch. */
export interface PatchVariation {
  readonly flip: boolean;
  /** Around the axes i, j, k. */
  readonly rotationDegrees: Vector3;
  readonly scaling: number;
  /** Maximum shift of a control point along an axis; 0 for none. */
  readonly elasticMm: number;
  readonly elasticSeed: number;
  readonly shiftHu: number;
  /** 0 leaves the slices unchanged. */
  readonly sliceThicknessMm: number;
  /** 1 leaves the voxels unchanged. */
  readonly coarseness: number;
  readonly blurMm: number;
  readonly gamma: number;
  readonly contrast: number;
  readonly brightness: number;
  readonly noiseDeviation: number;
  readonly noiseSeed: number;
  /** The intensity variations of the second channel, the third, …; the spatial variation is that of the first channel for all. */
  readonly further?: readonly PatchVariation[];
}

/** The defaults of this project; docs/decisions.md gives the reasons. */
export const defaultAugmentation: Augmentation = {
  flip: { probability: 0.5 },
  rotation: { probability: 0.3, maximumDegrees: 15 },
  scaling: { probability: 0.3, lowest: 0.85, highest: 1.15 },
  elastic: { probability: 0.2, maximumMm: 8 },
  huShift: { probability: 0.2, maximumHu: 15 },
  thickSlices: { probability: 0.1, lowestMm: 3, highestMm: 6 },
  lowResolution: { probability: 0.1, lowest: 1.25, highest: 2 },
  blur: { probability: 0.15, lowestMm: 0.4, highestMm: 1.2 },
  gamma: { probability: 0.2, lowest: 0.8, highest: 1.25 },
  contrast: { probability: 0.2, lowest: 0.85, highest: 1.15 },
  brightness: { probability: 0.2, maximum: 0.1 },
  noise: { probability: 0.15, maximumDeviation: 0.1 },
};

export const augmentationNames = Object.keys(defaultAugmentation) as readonly AugmentationName[];

/** The augmentation with some of its variations switched off. */
export function withoutVariations(
  augmentation: Augmentation,
  names: readonly AugmentationName[],
): Augmentation {
  const off = names.map((name) => [name, { ...augmentation[name], probability: 0 }]);
  return { ...augmentation, ...Object.fromEntries(off) };
}

export const noAugmentation: Augmentation = withoutVariations(defaultAugmentation, augmentationNames);

/** The variation that changes nothing. */
export const noVariation: PatchVariation = {
  flip: false,
  rotationDegrees: [0, 0, 0],
  scaling: 1,
  elasticMm: 0,
  elasticSeed: 0,
  shiftHu: 0,
  sliceThicknessMm: 0,
  coarseness: 1,
  blurMm: 0,
  gamma: 1,
  contrast: 1,
  brightness: 0,
  noiseDeviation: 0,
  noiseSeed: 0,
};

/**
 * Draws the variation of a patch. It always takes the same number of draws from the stream; further channels take theirs
 * after the first.
 */
export function drawVariation(
  random: RandomGenerator,
  augmentation: Augmentation,
  channels = 1,
): PatchVariation {
  const first = drawOne(random, augmentation);
  if (channels === 1) return first;
  return { ...first, further: Array.from({ length: channels - 1 }, () => drawOne(random, augmentation)) };
}

function drawOne(random: RandomGenerator, augmentation: Augmentation): PatchVariation {
  const { rotation, scaling, elastic, huShift, thickSlices, lowResolution, blur } = augmentation;
  const { flip, gamma, contrast, brightness, noise } = augmentation;
  const draw = (probability: number, low: number, high: number, otherwise: number): number => {
    const happens = uniform(random) < probability;
    const value = uniform(random, low, high);
    return happens ? value : otherwise;
  };
  const rotated = uniform(random) < rotation.probability;
  const rotationDegrees: Vector3 = [
    uniform(random, -rotation.maximumDegrees, rotation.maximumDegrees),
    uniform(random, -rotation.maximumDegrees, rotation.maximumDegrees),
    uniform(random, -rotation.maximumDegrees, rotation.maximumDegrees),
  ];
  return {
    flip: uniform(random) < flip.probability,
    rotationDegrees: rotated ? rotationDegrees : noVariation.rotationDegrees,
    scaling: draw(scaling.probability, scaling.lowest, scaling.highest, 1),
    elasticMm: draw(elastic.probability, 0, elastic.maximumMm, 0),
    elasticSeed: random.next(),
    shiftHu: draw(huShift.probability, -huShift.maximumHu, huShift.maximumHu, 0),
    sliceThicknessMm: draw(thickSlices.probability, thickSlices.lowestMm, thickSlices.highestMm, 0),
    coarseness: draw(lowResolution.probability, lowResolution.lowest, lowResolution.highest, 1),
    blurMm: draw(blur.probability, blur.lowestMm, blur.highestMm, 0),
    gamma: Math.exp(draw(gamma.probability, Math.log(gamma.lowest), Math.log(gamma.highest), 0)),
    contrast: draw(contrast.probability, contrast.lowest, contrast.highest, 1),
    brightness: draw(brightness.probability, -brightness.maximum, brightness.maximum, 0),
    noiseDeviation: draw(noise.probability, 0, noise.maximumDeviation, 0),
    noiseSeed: random.next(),
  };
}
