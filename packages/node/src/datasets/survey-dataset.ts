// Opens every case of a data set in worker threads.

import { runInWorkers } from "../work/pool.js";
import { createProgress } from "../work/progress.js";
import type { Dataset } from "./dataset.js";
import type { CaseSurvey, Subset } from "./survey.js";
import type { SurveyTask } from "./survey-worker.js";

/**
 * The surveys of all cases, training first, with a progress line.
 *
 * @throws Interrupted where the signal is set
 */
export async function surveyDataset(
  { training, test, labels }: Dataset,
  { threads, title, signal }: { threads: number; title: string; signal?: AbortSignal },
): Promise<CaseSurvey[]> {
  const tasks = [
    ...training.map((one) => ({ one, subset: "training" as Subset })),
    ...test.map((one) => ({ one, subset: "test" as Subset })),
  ].map(({ one, subset }): SurveyTask => ({ case: one, subset, labels }));
  const progress = createProgress(title, "scan");
  progress.update({ done: 0, total: tasks.length });
  const surveys = await runInWorkers<SurveyTask, CaseSurvey>(
    new URL("./survey-worker.js", import.meta.url),
    tasks,
    threads,
    (done, { id }) => progress.update({ done, total: tasks.length, text: id }),
    signal,
  );
  progress.finish();
  return surveys;
}
