// Correction of p-values where several hypotheses are tested at once.

/**
 * P-values corrected by Holm's step-down method ("A simple sequentially rejective multiple test procedure",
 * Scandinavian Journal of Statistics 6, 1979), in the order given: the k-th smallest of m, times m − k + 1, never below
 * a smaller one's and at most 1. It bounds the chance of any false rejection whatever the dependence between the tests.
 *
 * @throws RangeError where a p-value is not within 0 … 1
 */
export function holmCorrection(pValues: readonly number[]): number[] {
  if (!pValues.every((pValue) => pValue >= 0 && pValue <= 1)) {
    throw new RangeError(`P-values lie within 0 and 1, not ${pValues.join(", ")}.`);
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
