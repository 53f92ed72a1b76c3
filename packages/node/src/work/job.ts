// What long work on a workstation takes from whoever asks for it.
import type { Job as LibraryJob } from "@lnsnet/core";

/**
 * How to stop the work, and where it tells how far it is. Many jobs run side by side in one process: each function
 * looks only at the job that it was given.
 */
export interface Job extends LibraryJob {
  /** When it is aborted, the work stops as soon as nothing is lost by it, and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}
