// A range of plausible values.

/** Lower and upper end, in the unit of the figure. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}
