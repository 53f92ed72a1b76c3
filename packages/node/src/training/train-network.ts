// Trains a network in a folder that is locked against other processes meanwhile.
import type { Plan } from "@lnsnet/core/models";
import type { Dataset } from "../datasets/dataset.js";
import { whileWriting } from "../files/folder-lock.js";
import type { Job } from "../work/job.js";
import type { TrainingOptions } from "./options.js";
import { type TrainingResult, type TrainingRun, train } from "./training.js";

/**
 * Trains a network, or goes on with a training. The folder then holds the weights, the state to go on from, a record of
 * what the result rests on, a log and the learning curve.
 *
 * @throws InputError for data, weights or a state that cannot be used, and where another process writes to the folder;
 *   the signal's reason, after saving
 */
export async function trainNetwork(
  dataset: Dataset,
  plan: Plan,
  options: TrainingOptions,
  run: TrainingRun,
  job: Job = {},
): Promise<TrainingResult> {
  return whileWriting(run.folder, "lnsnet train", () => train(dataset, plan, options, run, job), job);
}
