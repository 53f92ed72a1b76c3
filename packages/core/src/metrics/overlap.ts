// Overlap of two masks in voxels: Dice and intersection over union.

/**
 * Dice similarity coefficient (DSC), 2·|A ∩ B| / (|A| + |B|).
 *
 * Two empty masks agree, so they score 1, as in medpy's `dc` and in MONAI's `compute_dice` with
 * `ignore_empty=False` (MONAI's default and surface-distance say NaN); one empty mask scores 0.
 */
export function dice({ both, truthVoxels, predictionVoxels }: OverlapCounts): number {
  const sum = truthVoxels + predictionVoxels;
  return sum === 0 ? 1 : (2 * both) / sum;
}

/** Intersection over union (IoU, Jaccard index), |A ∩ B| / |A ∪ B|; 1 if both masks are empty, 0 if one is, as in {@link dice}. */
export function intersectionOverUnion({ both, truthVoxels, predictionVoxels }: OverlapCounts): number {
  const union = truthVoxels + predictionVoxels - both;
  return union === 0 ? 1 : both / union;
}

/** Foreground voxels of two masks. */
export interface OverlapCounts {
  readonly both: number;
  readonly truthVoxels: number;
  readonly predictionVoxels: number;
}

/**
 * Counts the foreground of two masks on the same grid.
 *
 * @param truth - foreground where nonzero
 * @param prediction - the same grid
 * @throws RangeError where the masks differ in length
 */
export function countOverlap(truth: Uint8Array, prediction: Uint8Array): OverlapCounts {
  if (truth.length !== prediction.length) {
    throw new RangeError(
      `Masks of ${truth.length} and ${prediction.length} voxels do not have the same grid.`,
    );
  }
  let both = 0;
  let truthVoxels = 0;
  let predictionVoxels = 0;
  for (let at = 0; at < truth.length; at++) {
    const inTruth = truth[at] !== 0;
    const inPrediction = prediction[at] !== 0;
    if (inTruth) truthVoxels++;
    if (inPrediction) predictionVoxels++;
    if (inTruth && inPrediction) both++;
  }
  return { both, truthVoxels, predictionVoxels };
}
