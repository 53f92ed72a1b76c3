// Holm's correction of p-values for testing several hypotheses at once.

/**
 * P-values corrected by Holm's step-down method ("A simple sequentially rejective multiple test procedure",
 * Scandinavian Journal of Statistics 6, 1979), in the given order: the k-th smallest of m is multiplied by m − k + 1, and is
 * at least as large as the corrected value before it and at most 1. It bounds the probability of any false rejection,
 * however the tests depend on each other.
 *
 * @throws RangeError where a p-value is not within 0 … 1
 */
export function holmCorrection(pValues: readonly number[]): number[] {
  if (!pValues.every((pValue) => pValue >= 0 && pValue <= 1)) {
    throw new RangeError(`P-values must lie between 0 and 1, not ${pValues.join(", ")}.`);
  }
  const ascending = pValues.map((_, at) => at).sort((a, b) => pValues[a] - pValues[b]);
  const corrected = new Array<number>(pValues.length);
  let greatest = 0;
  ascending.forEach((at, rank) => {
    greatest = Math.max(greatest, Math.min(1, pValues[at] * (pValues.length - rank)));
    corrected[at] = greatest;
  });
  return corrected;
}
