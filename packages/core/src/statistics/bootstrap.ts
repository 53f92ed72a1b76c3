// Confidence intervals for nodes or scans that are grouped by patient.
import type { Interval } from "./interval.js";
import { quantileOfSorted } from "./summary.js";

/** Draws an integer from 0 to count − 1, uniformly. */
export type DrawWhole = (count: number) => number;

/**
 * The 95 % percentile interval of a bootstrap that draws patients, not values: nodes of the same patient are similar, and
 * drawing them independently would make the interval too narrow. Each resample draws as many patients as there are, with
 * replacement, and takes all values of each (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, 3.8).
 *
 * @param patients - the values of each patient
 * @param statistic - of all values of a resample; null where it is undefined, which leaves the resample out
 * @param drawWhole - the random stream: the same stream gives the same interval
 * @param resamples - with 2000, each end has an uncertainty of 1.5 % of the interval's width
 * @returns null where there is no patient, or no resample has a value
 */
export function clusteredBootstrap<T>(
  patients: readonly (readonly T[])[],
  statistic: (values: readonly T[]) => number | null,
  drawWhole: DrawWhole,
  resamples = 2000,
): Interval | null {
  if (patients.length === 0) return null;
  const figures: number[] = [];
  for (let resample = 0; resample < resamples; resample++) {
    const figure = statistic(patients.flatMap(() => patients[drawWhole(patients.length)]));
    if (figure !== null) figures.push(figure);
  }
  if (figures.length === 0) return null;
  figures.sort((a, b) => a - b);
  return { low: quantileOfSorted(figures, 0.025), high: quantileOfSorted(figures, 0.975) };
}
