// Calibration: a monotone map from a model's probability to the share of cases in which it is right, and how far off it is.

/** A probability that a model gave, and whether it was right. */
export interface JudgedProbability {
  /** 0 … 1. */
  readonly probability: number;
  readonly isTrue: boolean;
}

/** The map p ↦ σ(slope · logit p + intercept), where σ is the logistic function; slope 1 and intercept 0 change nothing. */
export interface Calibration {
  /** Above 0, so that the order of probabilities stays. */
  readonly slope: number;
  readonly intercept: number;
}

/**
 * Fits the map by Platt's method ("Probabilistic outputs for support vector machines", 1999), on the logit of the
 * probability. Of N₊ true and N₋ false cases, the targets are (N₊ + 1)/(N₊ + 2) and 1/(N₋ + 2), so that few or perfectly
 * separated cases do not give a step. The cross-entropy with these targets is convex, and Newton's method with a halved
 * step finds its minimum as in Lin, Lin and Weng, "A note on Platt's probabilistic outputs for support vector machines"
 * (Machine Learning 68, 2007).
 *
 * @returns null where all cases are true or all false, or the share of true cases does not rise with the probability
 */
export function fitCalibration(cases: readonly JudgedProbability[]): Calibration | null {
  const trueCount = cases.filter(({ isTrue }) => isTrue).length;
  const falseCount = cases.length - trueCount;
  if (trueCount === 0 || falseCount === 0) return null;
  const targets = { true: (trueCount + 1) / (trueCount + 2), false: 1 / (falseCount + 2) };
  const points = cases.map(({ probability, isTrue }) => ({
    logit: logitOf(probability),
    target: isTrue ? targets.true : targets.false,
  }));
  const lossOf = ({ slope, intercept }: Calibration) =>
    points.reduce((sum, { logit, target }) => sum + crossEntropy(slope * logit + intercept, target), 0);
  let map: Calibration = { slope: 0, intercept: Math.log((trueCount + 1) / (falseCount + 1)) };
  let loss = lossOf(map);
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    const step = newtonStep(points, map);
    if (Math.abs(step.slope) + Math.abs(step.intercept) < smallestStep) break;
    let share = 1;
    let next = moved(map, step, share);
    while (!(lossOf(next) < loss) && share > smallestShare) {
      share /= 2;
      next = moved(map, step, share);
    }
    if (!(lossOf(next) < loss)) break;
    map = next;
    loss = lossOf(map);
  }
  return map.slope > leastSlope ? map : null;
}

/** Below it, the rise is a rounding error. */
const leastSlope = 1e-6;
const mostIterations = 100;
const smallestStep = 1e-12;
const smallestShare = 1e-10;

interface Point {
  readonly logit: number;
  readonly target: number;
}

/** From the gradient and the Hessian of the cross-entropy; a little is added to its diagonal, as by Lin, Lin and Weng. */
function newtonStep(points: readonly Point[], { slope, intercept }: Calibration): Calibration {
  let [bySlope, byIntercept, slopeTwice, both, interceptTwice] = [0, 0, 1e-12, 0, 1e-12];
  for (const { logit, target } of points) {
    const probability = logistic(slope * logit + intercept);
    const error = probability - target;
    const weight = probability * (1 - probability);
    bySlope += error * logit;
    byIntercept += error;
    slopeTwice += weight * logit * logit;
    both += weight * logit;
    interceptTwice += weight;
  }
  const determinant = slopeTwice * interceptTwice - both * both;
  return {
    slope: -(interceptTwice * bySlope - both * byIntercept) / determinant,
    intercept: -(slopeTwice * byIntercept - both * bySlope) / determinant,
  };
}

const moved = ({ slope, intercept }: Calibration, step: Calibration, share: number): Calibration => ({
  slope: slope + share * step.slope,
  intercept: intercept + share * step.intercept,
});

/** A probability by the map; 0 and 1 are taken as 10⁻⁶ from the end. */
export const calibrated = (probability: number, { slope, intercept }: Calibration): number =>
  logistic(slope * logitOf(probability) + intercept);

function logitOf(probability: number): number {
  const inside = Math.min(1 - 1e-6, Math.max(1e-6, probability));
  return Math.log(inside / (1 - inside));
}

/** Without overflow, however far from 0. */
const logistic = (value: number): number =>
  value >= 0 ? 1 / (1 + Math.exp(-value)) : Math.exp(value) / (1 + Math.exp(value));

/** −t log σ(v) − (1 − t) log(1 − σ(v)), without overflow. */
const crossEntropy = (value: number, target: number): number =>
  Math.log1p(Math.exp(-Math.abs(value))) + Math.max(value, 0) - target * value;

/** The cases whose probability lies in a bin. */
export interface ReliabilityBin {
  /** Probabilities from here to below `to`; the last bin holds 1 too. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Null for an empty bin, as is the share. */
  readonly meanProbability: number | null;
  readonly trueShare: number | null;
}

/** How far probabilities are from the share of true cases. */
export interface Reliability {
  readonly bins: readonly ReliabilityBin[];
  /**
   * The distance between mean probability and share of true cases, averaged over the bins by their cases (Naeini, Cooper
   * and Hauskrecht, AAAI 2015; Guo et al., ICML 2017). Null without cases.
   */
  readonly expectedCalibrationError: number | null;
}

/** The reliability in bins of equal width. */
export function reliabilityOf(cases: readonly JudgedProbability[], binCount = 10): Reliability {
  const sums = Array.from({ length: binCount }, () => ({ count: 0, probability: 0, trueCount: 0 }));
  for (const { probability, isTrue } of cases) {
    const sum = sums[Math.min(binCount - 1, Math.floor(probability * binCount))];
    sum.count++;
    sum.probability += probability;
    if (isTrue) sum.trueCount++;
  }
  const bins = sums.map(
    ({ count, probability, trueCount }, at): ReliabilityBin => ({
      from: at / binCount,
      to: (at + 1) / binCount,
      count,
      meanProbability: count === 0 ? null : probability / count,
      trueShare: count === 0 ? null : trueCount / count,
    }),
  );
  const distance = sums.reduce((sum, bin) => sum + Math.abs(bin.probability - bin.trueCount), 0);
  return { bins, expectedCalibrationError: cases.length === 0 ? null : distance / cases.length };
}

/**
 * The probabilities of groups (such as the nodes of each scan), each group mapped by a fit on all others: what a fit is
 * worth for cases that it has not seen. Groups whose others allow no fit are left out.
 */
export function calibratedByOthers(groups: readonly (readonly JudgedProbability[])[]): JudgedProbability[] {
  return groups.flatMap((group, at) => {
    const map = fitCalibration(groups.filter((_, other) => other !== at).flat());
    if (map === null) return [];
    return group.map(({ probability, isTrue }) => ({ probability: calibrated(probability, map), isTrue }));
  });
}

/**
 * The least calibrated probability of the cases that may be kept, so that at most so many false ones are among them: 0
 * where all may be kept, 1 where none may. Cases of equal probability are kept or left out together.
 */
export function leastCalibrated(
  cases: readonly JudgedProbability[],
  map: Calibration,
  mostFalse: number,
): number {
  const falseOnes = cases.filter(({ isTrue }) => !isTrue).sort((a, b) => b.probability - a.probability);
  const firstTooMany = falseOnes[Math.floor(mostFalse)];
  if (firstTooMany === undefined) return 0;
  const above = cases.filter(({ probability }) => probability > firstTooMany.probability);
  return above.reduce((least, { probability }) => Math.min(least, calibrated(probability, map)), 1);
}
