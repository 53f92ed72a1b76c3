// How long to wait before something is tried again.

/** A rule of repetition. */
export interface BackOff {
  /** Attempts in all. */
  readonly attempts: number;
  readonly firstSeconds: number;
  readonly longestSeconds: number;
}

/** Milliseconds to wait after a failed attempt, counted from 1, doubled each time; null where it is given up. */
export function waitAfter(
  attempt: number,
  { attempts, firstSeconds, longestSeconds }: BackOff,
): number | null {
  if (attempt >= attempts) return null;
  return 1000 * Math.min(longestSeconds, firstSeconds * 2 ** (attempt - 1));
}

/**
 * Milliseconds until a time that a record states. Never more than the rule of repetition could have meant, so that a
 * clock that was set back does not hold a job.
 */
export function waitUntil(retryAt: string | null, now: Date, { longestSeconds }: BackOff): number {
  if (retryAt === null) return 0;
  return Math.min(Math.max(0, Date.parse(retryAt) - now.getTime()), 1000 * longestSeconds);
}
