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
  /** "wide" draws tissues, metal, fixation and scans as different as they may be, to train on; "typical" by default. */
  readonly variety?: "typical" | "wide";
  /** Whether each patient is also scanned without contrast medium, as a second channel; false by default. */
  readonly plain?: boolean;
  /** Whether organs are written too, to organsTr and organsTs; false by default. */
  readonly organs?: boolean;
};

/**
 * Writes a cohort of phantoms, or goes on with it.
 *
 * @throws InputError as {@link writeCohort}, and where no patient is asked for
 */
export function writePhantomCohort(
  folder: string,
  { seed, training, test, variety = "typical", plain = false, organs = false }: PhantomCohort,
  options: CohortOptions = {},
  job: Job = {},
): Promise<WrittenCohort<CohortCase>> {
  const { cases, dataset } = cohortManifest(seed, training, test, { variety, plain, organs });
  const cohort = {
    cases,
    datasetOf: () => dataset,
    sourceOf: () => null,
    command: "lnsnet phantom",
    // Cohorts from before there was a choice go on.
    options: {
      ...{ seed, training, test },
      ...(variety === "typical" ? {} : { variety }),
      ...(plain ? { plain } : {}),
      ...(organs ? { organs } : {}),
    },
    worker: new URL("./phantom-worker.js", import.meta.url),
  };
  return writeCohort(folder, cohort, options, job);
}
