// Training the folds of an experiment, each in a folder that may come from another machine.
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import { z } from "zod";
import { changedCases, readDataState } from "../datasets/data-state.js";
import { listed } from "../datasets/dataset.js";
import { scansOfPatients, trainingPart } from "../datasets/splits.js";
import { hashOfFile, isFile, readJson, writeJson } from "../files/disk.js";
import { loadModel, type StoredModel } from "../files/model-file.js";
import { requireFreeNames } from "../files/outputs.js";
import { train } from "../training/training.js";
import { currentEnvironment } from "../work/environment.js";
import type { Job } from "../work/job.js";
import type { Experiment } from "./configuration.js";
import { foldFiles, foldNames } from "./folder.js";

/** What stands beside a fold's model when it is trained: of which experiment it is, and how its training went. */
const trainedFoldSchema = z.object({
  configuration: z.unknown(),
  split: z.object({ train: z.array(z.string()), val: z.array(z.string()) }),
  weights: z.string(),
  /** Of the fold's training part: the scans that were trained on, and those set aside to watch. */
  trained_on: z.array(z.string()),
  watched_by: z.array(z.string()),
  parameters: z.number(),
  steps: z.number(),
  curve: z.object({
    steps: z.array(z.object({ step: z.number(), loss: z.number() })),
    validation: z.array(z.object({ step: z.number(), dsc: z.number() })),
  }),
});

export type TrainedFold = Omit<z.infer<typeof trainedFoldSchema>, "configuration" | "split">;

/**
 * Trains a fold where it is not trained yet, going on from where it stopped. The fold's folder is held by the caller.
 *
 * @throws InputError for data or a state that cannot be used; the signal's reason, after saving
 */
export async function trainFold(experiment: Experiment, fold: number, job: Job = {}): Promise<void> {
  const { folder, configuration, dataset, splits, threads } = experiment;
  const files = foldFiles(folder, fold);
  const before = await readDataState(files.folder);
  const isNew = before === null;
  const isStale = !isNew && changedCases(before, experiment.data).length > 0;
  if (isStale && experiment.trainsAgain) await rm(files.trained, { force: true });
  // A fold from elsewhere is looked at when its cases are predicted.
  else if (await isFile(files.trained)) return;
  if (isNew) await requireFreeNames(files.folder, foldNames);
  const judged = dataset.training.filter(({ id }) => splits[fold].val.includes(id));
  job.log?.(
    `fold ${fold} of ${splits.length}, into ${files.folder}: judged on ${scansOfPatients(judged, experiment.patients)}`,
  );
  const { history, parameters, steps, training, validation } = await train(
    trainingPart(dataset, splits[fold]),
    configuration.plan,
    { ...configuration.training, threads },
    {
      folder: files.folder,
      start: isStale && experiment.trainsAgain ? "replace" : "either",
      cacheFolder: experiment.cacheFolder,
      weightsPath: experiment.weightsPath,
      patients: experiment.patients,
    },
    job,
  );
  await writeJson(files.environment, await currentEnvironment(threads, experiment.command));
  await writeJson(files.times, { training_seconds: history.seconds });
  await writeJson(files.trained, {
    configuration,
    split: splits[fold],
    weights: await hashOfFile(files.model),
    trained_on: training,
    watched_by: validation,
    parameters,
    steps,
    curve: { steps: history.steps, validation: history.validation },
  });
}

/**
 * A fold that is trained.
 *
 * @throws InputError where it is not, or is of another experiment
 */
export async function trainedFold(
  { folder, configuration, splits, data }: Experiment,
  fold: number,
): Promise<TrainedFold> {
  const files = foldFiles(folder, fold);
  if (!(await isFile(files.trained)))
    throw new InputError(
      `${folder} lacks fold ${fold}, whose training is not done; run the same command with the option fold ${fold}, or copy fold_${fold} here from where it was trained.`,
    );
  const trained = await readJson(files.trained, trainedFoldSchema);
  const refuse = (found: string) =>
    new InputError(`${found}; remove ${files.folder} and train the fold again, or copy it here once more.`);
  if (!isDeepStrictEqual(trained.configuration, JSON.parse(JSON.stringify(configuration))))
    throw refuse(`${files.trained} is of an experiment with other options`);
  if (!isDeepStrictEqual(trained.split, splits[fold]))
    throw refuse(
      `${files.trained} is of a training on other cases than splits_final.json gives to fold ${fold}`,
    );
  const trainedOn = await readDataState(files.folder);
  if (trainedOn === null)
    throw refuse(`${files.folder} has no data.json of ours, which says what was trained on`);
  const changed = changedCases(trainedOn, data);
  if (changed.length > 0)
    throw new InputError(
      `${files.folder} was trained on other content of ${listed(changed)}; bring the files back, or give the option force to train such folds again.`,
    );
  if ((await hashOfFile(files.model)) !== trained.weights)
    throw refuse(
      `${files.model} is damaged or another fold's: it does not hold the weights that ${files.trained} tells of`,
    );
  return trained;
}

export function modelOfFold(folder: string, fold: number): Promise<StoredModel> {
  return loadModel(foldFiles(folder, fold).model);
}
