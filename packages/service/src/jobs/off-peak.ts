// When jobs that wait for off-peak hours may begin.

/** Hours of the day in local time; they may go over midnight. */
export interface OffPeakHours {
  readonly from: number;
  readonly until: number;
}

/** Milliseconds until the hour, in local time, from which off-peak jobs may begin; 0 within those hours. */
export function untilOffPeakMs({ from, until }: OffPeakHours, now: Date): number {
  const hour = now.getHours();
  const isWithin = from <= until ? hour >= from && hour < until : hour >= from || hour < until;
  if (isWithin || from === until) return 0;
  const next = new Date(now);
  next.setHours(from, 0, 0, 0);
  if (next <= now) next.setDate(next.getDate() + 1);
  return next.getTime() - now.getTime();
}
