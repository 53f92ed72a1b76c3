// Opens every case of a data set in worker threads.
import type { Job } from "../work/job.js";
import { runInWorkers } from "../work/pool.js";
import type { Dataset } from "./dataset.js";
import type { CaseSurvey, Subset } from "./survey.js";
import type { SurveyTask } from "./survey-worker.js";

/**
 * The surveys of all cases, training first.
 *
 * @param stage what the job is told is done, such as "check"
 * @throws the signal's reason
 */
export async function surveyDataset(
  { training, test, labels, channels }: Dataset,
  { threads, stage }: { readonly threads: number; readonly stage: string },
  job: Job = {},
): Promise<CaseSurvey[]> {
  const tasks = [
    ...training.map((scan) => ({ scan, subset: "training" as Subset })),
    ...test.map((scan) => ({ scan, subset: "test" as Subset })),
  ].map(({ scan, subset }): SurveyTask => ({ case: scan, subset, labels, channels }));
  return runInWorkers<SurveyTask, CaseSurvey>(
    tasks,
    {
      worker: new URL("./survey-worker.js", import.meta.url),
      threads,
      stage,
      unit: "scan",
      textOf: ({ id }) => id,
    },
    job,
  );
}
