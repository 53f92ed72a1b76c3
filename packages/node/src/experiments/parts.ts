// A part of an experiment that another process does, such as on another machine that sees the same folder.
import { InputError } from "@lnsnet/core/errors";
import { z } from "zod";
import { openDataset } from "../datasets/dataset.js";
import { patientRule } from "../datasets/splits.js";
import { readJson } from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import type { Job } from "../work/job.js";
import {
  beginExperiment,
  CONFIGURATION_VERSION,
  type Experiment,
  type ExperimentConfiguration,
} from "./configuration.js";
import { experimentFiles, foldFiles } from "./folder.js";

/** What is done at once: a fold's training; or the prediction of a case with its figures, by its fold or of the test set. */
export type ExperimentPart =
  | { readonly kind: "train fold"; readonly fold: number }
  | { readonly kind: "predict case"; readonly set: "test" | number; readonly case: string };

/** What another process needs to take up an experiment, beside what stands in the experiment's folder. */
export interface BegunExperiment
  extends Pick<
    Experiment,
    "folder" | "threads" | "cacheFolder" | "weightsPath" | "trainsAgain" | "command" | "holder"
  > {
  readonly datasetFolder: string;
  /** The only class that is foreground; null for all. */
  readonly foreground: string | null;
  /** A regular expression for the patients' names; null for the data set's own, or the usual endings. */
  readonly patientPattern: string | null;
}

/**
 * Does a part of an experiment that has begun. Done again, or by two processes at once, it has the same result; a training
 * that was stopped goes on from where it was saved.
 *
 * @throws InputError where the folder holds no such experiment, or a case or fold cannot be used; the signal's reason, after
 *   saving
 */
export async function doPart(begun: BegunExperiment, part: ExperimentPart, job: Job = {}): Promise<void> {
  const experiment = await takenUp(begun, job);
  const { dataset, splits, holder } = experiment;
  const fold = part.kind === "train fold" ? part.fold : part.set;
  if (fold !== "test" && splits[fold] === undefined)
    throw new InputError(`${begun.folder} has ${splits.length} folds, and none of the number ${fold}.`);
  if (part.kind === "train fold") {
    const { folder } = foldFiles(begun.folder, part.fold);
    const { trainFold } = await import("./folds.js");
    // A process that was taken for dead may still be at it.
    return whileWriting(folder, holder, () => trainFold(experiment, part.fold, job), job, { waits: true });
  }
  const { predictCases, testTargets, validationCases, validationTarget } = await import("./predicting.js");
  const cases = part.set === "test" ? dataset.test : validationCases(experiment, part.set);
  const targets = part.set === "test" ? testTargets(experiment) : [validationTarget(experiment, part.set)];
  const scan = cases.find(({ id }) => id === part.case);
  if (scan === undefined)
    throw new InputError(`${dataset.folder} has no case ${part.case} in ${setText(part.set)}.`);
  await predictCases(experiment, [scan], targets, "predict", job);
}

const setText = (set: "test" | number): string => (set === "test" ? "the test set" : `fold ${set}`);

/** Written by this version of lnsnet, as its number says. */
const configurationSchema = z.custom<ExperimentConfiguration>(
  (value) => z.object({ version: z.literal(CONFIGURATION_VERSION) }).safeParse(value).success,
  "must be the configuration of an experiment by this version of lnsnet",
);

async function takenUp(begun: BegunExperiment, job: Job): Promise<Experiment> {
  const { datasetFolder, foreground, patientPattern, ...shared } = begun;
  const files = experimentFiles(begun.folder);
  const configuration = await readJson(files.configuration, configurationSchema);
  const dataset = await openDataset(datasetFolder, foreground ?? undefined);
  return beginExperiment(
    {
      ...shared,
      configuration,
      dataset,
      dataLabel: dataset.name,
      patients: patientRule(dataset, patientPattern ?? undefined),
      splitsPath: files.splits,
    },
    job,
  );
}
