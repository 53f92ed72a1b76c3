// The history of a training run: its learning curve, the best validation, and whether to stop early.

/** One validation, after `step` updates. */
export interface Validation {
  readonly step: number;
  readonly dsc: number;
}

/** The history of a training run so far. */
export interface TrainingHistory {
  /** Mean loss of the steps since the previous entry. */
  readonly steps: readonly { readonly step: number; readonly loss: number }[];
  readonly validation: readonly Validation[];
  /** Losses of the steps since the last entry of `steps`. */
  readonly unlogged: readonly number[];
  /** Seconds of updates, with the waiting for batches, over all resumed parts of the run. */
  readonly seconds: number;
}

/** The history of a run that has not begun. */
export const emptyHistory: TrainingHistory = { steps: [], validation: [], unlogged: [], seconds: 0 };

/** The validation with the highest DSC, the first of equals; null before any. */
export function bestValidation(validations: readonly Validation[]): Validation | null {
  return validations.reduce<Validation | null>(
    (best, validation) => (best === null || validation.dsc > best.dsc ? validation : best),
    null,
  );
}

/** Whether the last `patience` validations were all no better than one before; a patience of 0 never ends. */
export function isExhausted(validations: readonly Validation[], patience: number): boolean {
  if (patience === 0) return false;
  const best = bestValidation(validations);
  return best !== null && validations.filter(({ step }) => step > best.step).length >= patience;
}
