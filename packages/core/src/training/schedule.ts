// The learning rate over a run.

export interface LearningRateSchedule {
  /** Greatest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  /** Steps of linear rise from 0. */
  readonly warmUpSteps: number;
  /** Steps of the whole run; the rate falls along half a cosine (Loshchilov 2017) to `final`. */
  readonly totalSteps: number;
  readonly final: number;
}

/** Learning rate of step `step`, counted from 0. */
export function learningRateAt(
  step: number,
  { peak, warmUpSteps, totalSteps, final }: LearningRateSchedule,
): number {
  if (step < warmUpSteps) return (peak * (step + 1)) / warmUpSteps;
  const share = Math.min(1, (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps));
  return final + ((peak - final) * (1 + Math.cos(Math.PI * share))) / 2;
}
