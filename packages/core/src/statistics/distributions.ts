// The upper tail of the normal distribution and the quantiles of Student's t, for the tests and intervals here.

/**
 * P(Z > z) of the standard normal distribution, with a relative error below 1e-9 for any z: by the power series around 0
 * (Marsaglia, "Evaluating the normal distribution", Journal of Statistical Software 11(4), 2004), and by Laplace's
 * continued fraction where the series would cancel.
 */
export function normalUpperTail(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < 0) return 1 - normalUpperTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  return z < 4 ? 0.5 - density * seriesAt(z) : density * continuedFractionAt(z);
}

/**
 * The value that Student's t with whole `degreesOfFreedom` does not exceed with the given probability; by bisection of
 * the closed form of its distribution for whole degrees (Abramowitz and Stegun 26.7.3 and 26.7.4).
 *
 * @param probability - above 0 and below 1
 * @param degreesOfFreedom - a whole number, at least 1
 * @throws RangeError where either is out of range
 */
export function studentTQuantile(probability: number, degreesOfFreedom: number): number {
  if (
    !(probability > 0 && probability < 1) ||
    !(Number.isInteger(degreesOfFreedom) && degreesOfFreedom >= 1)
  ) {
    throw new RangeError(
      `There is no t quantile at ${probability} with ${degreesOfFreedom} degrees of freedom.`,
    );
  }
  if (probability < 0.5) return -studentTQuantile(1 - probability, degreesOfFreedom);
  let low = 0;
  let high = Math.PI / 2;
  for (let halving = 0; halving < 60; halving++) {
    const angle = (low + high) / 2;
    if (centralShareOfT(angle, degreesOfFreedom) < 2 * probability - 1) low = angle;
    else high = angle;
  }
  return Math.tan((low + high) / 2) * Math.sqrt(degreesOfFreedom);
}

/** z + z³/3 + z⁵/(3·5) + … */
function seriesAt(z: number): number {
  let term = z;
  let sum = z;
  for (let odd = 3; term > sum * Number.EPSILON; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return sum;
}

/** 1/(z + 1/(z + 2/(z + 3/(z + …)))). */
function continuedFractionAt(z: number): number {
  let tail = z;
  for (let level = 60; level > 0; level--) tail = z + level / tail;
  return 1 / tail;
}

/** P(|T| < t), where t = tan(angle)·√degreesOfFreedom. */
function centralShareOfT(angle: number, degreesOfFreedom: number): number {
  const isOdd = degreesOfFreedom % 2 === 1;
  const cosine = Math.cos(angle);
  let term = isOdd ? cosine : 1;
  let sum = degreesOfFreedom === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= degreesOfFreedom - 2; power += 2) {
    term *= ((power - 1) / power) * cosine * cosine;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}
