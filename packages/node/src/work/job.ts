// The job of a long task on a workstation: its signal, progress and log.
import type { Job as LibraryJob } from "@lnsnet/core/job";

/**
 * How to stop the work and how it reports progress. Many jobs can run side by side in one process: each function uses
 * only the job that it was given.
 */
export interface Job extends LibraryJob {
  /** When it is aborted, the work saves what it has, stops, and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
