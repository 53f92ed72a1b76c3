// The type of a confidence interval.

/** Lower and upper end, in the unit of the quantity. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}
