// Summary statistics of a column of values: mean, standard deviation and quartiles, with missing values left out.

/** Statistics of the values that are not null; each is null where there are too few. */
export interface Summary {
  /** The number of values that are not null. */
  readonly count: number;
  /** The number of null values, which are left out of every statistic here. */
  readonly nulls: number;
  readonly mean: number | null;
  /** Sample standard deviation, divided by count − 1; null below two values. */
  readonly sd: number | null;
  readonly median: number | null;
  readonly lowerQuartile: number | null;
  readonly upperQuartile: number | null;
}

/** Summarises a column; null stands for a missing value, such as the distance to an empty mask. */
export function summarise(values: readonly (number | null)[]): Summary {
  const existing = values.filter((value) => value !== null).sort((a, b) => a - b);
  const quartile = (share: number) => (existing.length === 0 ? null : quantileOfSorted(existing, share));
  return {
    count: existing.length,
    nulls: values.length - existing.length,
    mean: existing.length === 0 ? null : meanOf(existing),
    sd: existing.length < 2 ? null : standardDeviation(existing),
    median: quartile(0.5),
    lowerQuartile: quartile(0.25),
    upperQuartile: quartile(0.75),
  };
}

/**
 * Quantile with linear interpolation between order statistics: type 7 of Hyndman and Fan (The American Statistician
 * 50, 1996), the default of NumPy, PyTorch and R.
 *
 * @param ascending - at least one value
 * @param share - within 0 … 1
 */
export function quantileOfSorted(ascending: ArrayLike<number>, share: number): number {
  const place = (ascending.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(below + 1, ascending.length - 1);
  return ascending[below] + (place - below) * (ascending[above] - ascending[below]);
}

/**
 * The median of at least one value, in any order: the middle value, or the mean of the two middle values if their number
 * is even, as everywhere in this project and in nnU-Net's plans.
 */
export function medianOf(values: readonly number[]): number {
  return quantileOfSorted(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** The mean of at least one value. */
export function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample standard deviation (divided by n − 1) of at least two values. */
export function standardDeviation(values: readonly number[]): number {
  const mean = meanOf(values);
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
