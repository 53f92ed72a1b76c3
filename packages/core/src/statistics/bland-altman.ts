// Agreement between two methods of measurement (Bland and Altman).
import { studentTQuantile } from "./distributions.js";
import type { Interval } from "./interval.js";
import { meanOf, standardDeviation } from "./summary.js";

/** All in the unit of the measurements. */
export interface Agreement {
  readonly pairs: number;
  /** Mean of measured − reference. */
  readonly bias: number;
  readonly biasInterval: Interval;
  /** Sample standard deviation of the differences. */
  readonly sd: number;
  /** Limits of agreement, bias ± 1.96 SD: 95 % of differences are expected between them. */
  readonly limits: Interval;
  readonly lowerLimitInterval: Interval;
  readonly upperLimitInterval: Interval;
}

/**
 * Bias and limits of agreement with their 95 % confidence intervals: the bias has standard error SD/√n, a limit
 * SD·√(1/n + 1.96²/(2(n − 1))), both with Student's t of n − 1 degrees of freedom (Bland and Altman, "Measuring agreement
 * in method comparison studies", Statistical Methods in Medical Research 8, 1999). Differences are assumed to be
 * independent: with several nodes per patient the intervals are too narrow, and a bootstrap by patient should be used.
 *
 * @param measured - for instance the volume of each predicted node, mL
 * @param reference - of the true node, in the same order
 * @throws RangeError where the lengths differ or there are fewer than two pairs
 */
export function blandAltman(measured: readonly number[], reference: readonly number[]): Agreement {
  if (measured.length !== reference.length || measured.length < 2) {
    throw new RangeError(
      `${measured.length} and ${reference.length} measurements do not form two or more pairs.`,
    );
  }
  const pairs = measured.length;
  const differences = measured.map((value, at) => value - reference[at]);
  const bias = meanOf(differences);
  const sd = standardDeviation(differences);
  const t = studentTQuantile(0.975, pairs - 1);
  const limits = around(bias, limitFactor * sd);
  const limitHalfWidth = t * sd * Math.sqrt(1 / pairs + limitFactor ** 2 / (2 * (pairs - 1)));
  return {
    pairs,
    bias,
    biasInterval: around(bias, (t * sd) / Math.sqrt(pairs)),
    sd,
    limits,
    lowerLimitInterval: around(limits.low, limitHalfWidth),
    upperLimitInterval: around(limits.high, limitHalfWidth),
  };
}

/** As printed in the papers, instead of the normal quantile 1.959964. */
const limitFactor = 1.96;

function around(centre: number, halfWidth: number): Interval {
  return { low: centre - halfWidth, high: centre + halfWidth };
}
