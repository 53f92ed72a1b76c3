// Every problem of a data set, found by opening all of its files.
import type { Job } from "../work/job.js";
import { type Finding, findProblems } from "./checking.js";
import { type Dataset, listDataset } from "./dataset.js";
import { surveyDataset } from "./survey-dataset.js";

export interface OpeningOptions {
  /** Which label is foreground, where there are several. */
  readonly foreground?: string | undefined;
  /** Worker threads; 2 by default. */
  readonly threads?: number;
}

export interface DatasetCheck {
  readonly dataset: Dataset;
  /** Cases that were opened. */
  readonly cases: number;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

/**
 * Looks for every geometry and label problem of a data set in nnU-Net's layout.
 *
 * @throws InputError where the folder is no data set; the signal's reason
 */
export async function checkDataset(
  folder: string,
  { foreground, threads = 2 }: OpeningOptions = {},
  job: Job = {},
): Promise<DatasetCheck> {
  const { dataset, problems } = await listDataset(folder, foreground);
  const surveys = await surveyDataset(dataset, { threads, stage: "check" }, job);
  return { dataset, cases: surveys.length, findings: findProblems(problems, surveys, dataset.patients) };
}
