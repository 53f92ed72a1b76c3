// The learning rate over a run.

/** Half a cosine (Loshchilov 2017), or a power of the share of the run that is left (nnU-Net). */
export type Decay = "cosine" | "polynomial";

export interface LearningRateSchedule {
  readonly decay: Decay;
  /** Greatest learning rate, reached at the end of the warm-up. */
  readonly peak: number;
  /** Steps of linear rise from 0. */
  readonly warmUpSteps: number;
  /** Steps of the whole run; the rate falls to `final`. */
  readonly totalSteps: number;
  readonly final: number;
}

/** The schedule of a run of `steps`: a warm-up of a twentieth, then a fall to a hundredth of the peak. */
export function usualSchedule(steps: number, peak = 0.001, decay: Decay = "cosine"): LearningRateSchedule {
  return {
    decay,
    peak,
    warmUpSteps: Math.max(1, Math.round(steps / 20)),
    totalSteps: steps,
    final: peak / 100,
  };
}

/** nnU-Net's exponent of polynomial decay. */
const POWER = 0.9;

/** From 1 to 0 as `share` goes from 0 to 1. */
const decays: Readonly<Record<Decay, (share: number) => number>> = {
  cosine: (share) => (1 + Math.cos(Math.PI * share)) / 2,
  polynomial: (share) => (1 - share) ** POWER,
};

/** Learning rate of step `step`, counted from 0; a place between two steps where a run is measured in seconds. */
export function learningRateAt(
  step: number,
  { decay, peak, warmUpSteps, totalSteps, final }: LearningRateSchedule,
): number {
  if (step < warmUpSteps) return Math.min(peak, (peak * (step + 1)) / warmUpSteps);
  const share = Math.min(1, (step - warmUpSteps) / Math.max(1, totalSteps - warmUpSteps));
  return final + (peak - final) * decays[decay](share);
}
