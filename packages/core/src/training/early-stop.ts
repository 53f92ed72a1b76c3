// What validation decides: which weights are the best so far, and whether it is time to stop.

/** One validation, after `step` updates. */
export interface Validation {
  readonly step: number;
  readonly dsc: number;
}

/** The validation of highest DSC, the first of equals; null before any. */
export function bestValidation(validations: readonly Validation[]): Validation | null {
  return validations.reduce<Validation | null>(
    (best, one) => (best === null || one.dsc > best.dsc ? one : best),
    null,
  );
}

/** Whether the last `patience` validations were all no better than one before; a patience of 0 never ends. */
export function isExhausted(validations: readonly Validation[], patience: number): boolean {
  if (patience === 0) return false;
  const best = bestValidation(validations);
  return best !== null && validations.filter(({ step }) => step > best.step).length >= patience;
}
