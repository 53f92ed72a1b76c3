// The usual one of several distances between slices.

/** The middle value, the higher of two; undefined of none. */
export function upperMedian(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
