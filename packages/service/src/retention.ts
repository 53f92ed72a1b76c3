// Removes jobs with their files, and lines of the audit log, after the days that the configuration states.
import type { Configuration } from "./configuration.js";
import { isAtRest } from "./jobs/job.js";
import type { Journal } from "./jobs/journal.js";
import type { AuditLog } from "./security/audit.js";

export interface RetentionOptions {
  readonly days: Configuration["retention"];
  readonly journal: Journal;
  readonly audit: AuditLog;
  /** Takes a job out with its files. */
  readonly remove: (id: string) => Promise<void>;
  readonly log: (sentence: string) => void;
  /** Told why nothing is removed, and null when there is no reason any more. */
  readonly trouble: (sentence: string | null) => void;
  /** The clock on the wall, which may be set. */
  readonly now: () => Date;
  /** Milliseconds of a clock that only counts. */
  readonly countedMs: () => number;
}

export class Retention {
  readonly #options: RetentionOptions;
  /** What the clock on the wall shows beyond the one that counts. */
  #offsetMs: number;
  /** Until then on the counting clock, nothing is removed. */
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: RetentionOptions) {
    this.#options = options;
    this.#offsetMs = options.now().getTime() - options.countedMs();
  }

  /** Removes what was kept for long enough. Never throws. */
  async tidy(): Promise<void> {
    const { days, journal, audit, remove, log, trouble, now } = this.#options;
    try {
      if (this.#isPaused()) return;
      trouble(null);
      const before = (count: number) => new Date(now().getTime() - count * dayMs).toISOString();
      for (const job of days.jobDays > 0 ? journal.list() : []) {
        if (!isAtRest(job) || job.changedAt >= before(days.jobDays)) continue;
        await remove(job.id);
        await audit.write({
          ...{ who: "the service", action: "remove", subject: job.id, from: null },
          outcome: `done, ${days.jobDays} days after it ended`,
        });
      }
      if (days.auditDays > 0) await audit.shorten(before(days.auditDays));
    } catch (error) {
      log(`Old files could not be removed (${error instanceof Error ? error.message : error}).`);
    }
  }

  /** A clock that was set makes everything old at once: until a day has passed, it is not believed. */
  #isPaused(): boolean {
    const { now, countedMs, trouble } = this.#options;
    const offsetMs = now().getTime() - countedMs();
    const jumpMs = offsetMs - this.#offsetMs;
    this.#offsetMs = offsetMs;
    if (Math.abs(jumpMs) > greatestDriftMs) {
      this.#pausedUntilMs = countedMs() + dayMs;
      trouble(
        `The clock of this machine was set ${jumpMs > 0 ? "forward" : "back"} by ${inWords(Math.abs(jumpMs))}, so old files are kept for another day.`,
      );
    }
    return countedMs() < this.#pausedUntilMs;
  }
}

const dayMs = 86_400_000;
/** More than clocks are set by in the course of an hour, unless they were wrong. */
const greatestDriftMs = 600_000;

const inWords = (milliseconds: number): string =>
  milliseconds < 2 * dayMs
    ? `${Math.round(milliseconds / 60_000)} minutes`
    : `${Math.round(milliseconds / dayMs)} days`;
