// The phantom cohort as a data set.
import { type CohortCase, cohortManifest } from "@lnsnet/core/phantom";
import type { Job } from "../work/job.js";
import { type CohortOptions, type WrittenCohort, writeCohort } from "./cohort.js";

/** Which phantoms: the same seed and numbers give the same voxels. */
export type PhantomCohort = {
  readonly seed: number;
  /** Patients to train on. */
  readonly training: number;
  /** Patients to test on. */
  readonly test: number;
};

/**
 * Writes a cohort of phantoms, or goes on with it.
 *
 * @throws InputError as {@link writeCohort}, and where no patient is asked for
 */
export function writePhantomCohort(
  folder: string,
  { seed, training, test }: PhantomCohort,
  options: CohortOptions = {},
  job: Job = {},
): Promise<WrittenCohort<CohortCase>> {
  const cohort = {
    ...cohortManifest(seed, training, test),
    command: "lnsnet phantom",
    options: { seed, training, test },
    worker: new URL("./phantom-worker.js", import.meta.url),
  };
  return writeCohort(folder, cohort, options, job);
}
