// The configuration of an experiment: settings, folds and data, written to its folder at the start and never changed.
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import type { SegmentOptions } from "@lnsnet/core/inference";
import type { Plan } from "@lnsnet/core/models";
import {
  type PatientRule,
  patientOfCase,
  type Split,
  type SplitCase,
  splitIntoFolds,
} from "@lnsnet/core/sampling";
import { counted } from "@lnsnet/core/text";
import { z } from "zod";
import {
  changedCases,
  currentDataState,
  type DataState,
  readDataState,
  writeDataState,
} from "../datasets/data-state.js";
import { type Dataset, listed } from "../datasets/dataset.js";
import { readSplits, writeSplits } from "../datasets/splits.js";
import { isFile, readBytes, readJson, removeUnfinished, writeAtomically, writeJson } from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import { isAbsent, requireFreeNames } from "../files/outputs.js";
import { holdsTraining } from "../training/folder.js";
import type { TrainingOptions } from "../training/options.js";
import { currentEnvironment } from "../work/environment.js";
import type { Job } from "../work/job.js";
import { experimentFingerprint } from "./data-fingerprint.js";
import { experimentFiles, experimentNames } from "./folder.js";

export const protocols = ["both", "node-level", "whole-volume"] as const;

/** Of how configurations are written, and of what they mean; raised where figures of one would differ from before. */
export const CONFIGURATION_VERSION = 3;

/** How whole scans are segmented, as `lnsnet predict` has it. */
export type PredictionSettings = Required<
  Pick<SegmentOptions, "overlap" | "mirrored" | "searched" | "cleanUp">
>;

/** What is to be chosen of an experiment. */
export interface ExperimentSettings {
  readonly dataset: string;
  readonly network: string;
  readonly folds: number;
  readonly plan: Plan;
  readonly training: Omit<TrainingOptions, "threads">;
  /** A hash of the model that every fold begins from; null for random weights. */
  readonly startingWeights: string | null;
  readonly prediction: PredictionSettings;
  readonly protocol: (typeof protocols)[number];
}

/** All that the figures depend on, beside the data. */
export interface ExperimentConfiguration extends ExperimentSettings {
  readonly version: typeof CONFIGURATION_VERSION;
  /** In a crop around a true node the network is judged alone: no neck is searched there, and the mask is not cleaned up. */
  readonly nodeLevel: { readonly searched: "crop"; readonly cleanUp: "none" };
}

/** An experiment that has begun. */
export interface Experiment {
  readonly folder: string;
  readonly configuration: ExperimentConfiguration;
  readonly dataset: Dataset;
  /** What tables and pictures call the data; no figure depends on it. */
  readonly dataLabel: string;
  readonly splits: readonly Split[];
  readonly patients: PatientRule;
  readonly threads: number;
  /** Where `lnsnet preprocess` put the prepared cases. */
  readonly cacheFolder: string | null;
  /** A model to begin every fold from. */
  readonly weightsPath: string | null;
  /** The files of every case as they are now. */
  readonly data: DataState;
  /** Whether a fold whose images or labels have changed is trained again; else it is refused. */
  readonly trainsAgain: boolean;
  /** How somebody can repeat the experiment, such as a command line; kept beside its results. */
  readonly command: string;
  /** Who works on it, for others that ask for its folder: "lnsnet crossvalidate". */
  readonly holder: string;
}

export interface ExperimentRequest extends Omit<Experiment, "splits" | "data" | "configuration"> {
  readonly configuration: ExperimentSettings;
  /** A file of folds to take instead of new ones. */
  readonly splitsPath: string | null;
  /** An experiment on the same data that has just begun: its folds, and what it saw of the data, are taken over. */
  readonly alike?: Experiment | null;
}

/**
 * Begins an experiment in its folder, or takes it up again there: configuration, environment and folds are written where
 * they are not yet, the fingerprint also where an image or a label has changed.
 *
 * @throws InputError where the folder holds an experiment of other settings or folds, or files that are no experiment's;
 *   where the data cannot be split so
 */
export async function beginExperiment(asked: ExperimentRequest, job: Job = {}): Promise<Experiment> {
  const configuration: ExperimentConfiguration = {
    version: CONFIGURATION_VERSION,
    ...asked.configuration,
    nodeLevel: { searched: "crop", cleanUp: "none" },
  };
  const request: Request = { ...asked, configuration };
  const { folder, dataset, patients, splitsPath, holder, alike = null } = request;
  // What cannot be is refused before anything is written.
  requireIndependentTest(request);
  const given = alike
    ? alike.splits
    : splitsPath === null
      ? null
      : await readSplits(splitsPath, dataset, patients);
  if (given === null) foldsOf(request, () => 1);
  if (given !== null && given.length !== configuration.folds)
    throw new InputError(
      `${splitsPath} holds ${counted(given.length, "fold")}, and the option folds is ${configuration.folds}; give the option folds ${given.length}.`,
    );
  // Folds that are trained side by side share these files, each for a short time.
  return whileWriting(folder, holder, () => takeUp(request, given, job), job, { waits: true });
}

type Request = ExperimentRequest & Pick<Experiment, "configuration">;

async function takeUp(request: Request, given: readonly Split[] | null, job: Job): Promise<Experiment> {
  const { folder, configuration, dataset, patients, splitsPath, threads, alike = null } = request;
  const files = experimentFiles(folder);
  if (await isAbsent(files.configuration))
    await requireFreeNames(folder, experimentNames(configuration.folds), ownFold(folder));
  else await requireSameConfiguration(files.configuration, configuration);
  await removeUnfinished(folder);
  if (await isAbsent(files.configuration)) await writeJson(files.configuration, configuration);
  if (!(await isFile(files.environment)))
    await writeJson(files.environment, await currentEnvironment(threads, request.command));
  const before = await readDataState(folder);
  const known = before ?? alike?.data ?? null;
  const data = await currentDataState([...dataset.training, ...dataset.test], known, undefined, job);
  const changed = before === null ? [] : changedCases(before, data);
  if (changed.length > 0) job.log?.(`${listed(changed)} changed since the experiment was last run.`);
  const isNew = before === null || changed.length > 0;
  if (isNew && alike !== null)
    await writeAtomically(files.fingerprint, await readBytes(experimentFiles(alike.folder).fingerprint));
  const { scans } = await experimentFingerprint(folder, dataset, isNew && alike === null, job);
  // Only now: an experiment that is killed before it makes its fingerprint again is to notice the change again.
  await writeDataState(folder, data);
  if (!(await isFile(files.splits))) {
    const nodes = new Map(scans.map((scan) => [scan.case, scan.nodes?.length ?? 0]));
    await writeSplits(files.splits, given ?? foldsOf(request, (id) => nodes.get(id) ?? 0));
  }
  const splits = await readSplits(files.splits, dataset, patients);
  if (given !== null && !isDeepStrictEqual(given, splits))
    throw new InputError(
      `${files.splits} holds other folds than ${alike === null ? splitsPath : experimentFiles(alike.folder).splits}; leave the option splits out, or give another output folder.`,
    );
  return { ...request, splits, data };
}

/** A fold's folder that was copied from another machine is ours; no other file or folder is, before an experiment begins. */
function ownFold(folder: string): (name: string) => Promise<boolean> {
  return async (name) => /^fold_\d+$/.test(name) && (await holdsTraining(join(folder, name)));
}

/** Folds by patient and nodes. */
function foldsOf(
  { dataset, configuration, patients }: Request,
  nodesOf: (caseId: string) => number,
): Split[] {
  const cases = dataset.training.map(({ id }): SplitCase => {
    return { id, patient: patientOfCase(id, patients), nodes: nodesOf(id) };
  });
  return splitIntoFolds(cases, configuration.folds, configuration.training.seed);
}

/** @throws InputError where a configuration that was written is another than the one asked for */
export async function requireSameConfiguration(
  path: string,
  wanted: { readonly version: number },
): Promise<void> {
  const found = await readJson(path, z.record(z.string(), z.unknown()));
  if (found.version !== wanted.version)
    throw new InputError(
      `${path} is of an experiment by another version of lnsnet, which judged other predictions than lnsnet predict makes now; give another output folder.`,
    );
  const asked: Record<string, unknown> = JSON.parse(JSON.stringify(wanted));
  const other = Object.keys(asked).find((key) => !isDeepStrictEqual(found[key], asked[key]));
  if (other === undefined) return;
  throw new InputError(
    `${path} is of an experiment with another ${settingName(other, found[other], asked[other])}, and going on needs the same options; repeat them, or give another output folder.`,
  );
}

/** The setting that differs, as far down as it has a name: "training learningRate (0.001, not 0.01)". */
function settingName(name: string, found: unknown, asked: unknown): string {
  if (isRecord(found) && isRecord(asked)) {
    const inner = Object.keys(asked).find((key) => !isDeepStrictEqual(found[key], asked[key]));
    if (inner !== undefined) return `${name} ${settingName(inner, found[inner], asked[inner])}`;
  }
  return `${name} (${JSON.stringify(found)}, not ${JSON.stringify(asked)})`;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** @throws InputError where a patient of the test set is trained on */
function requireIndependentTest({ dataset, patients }: ExperimentRequest): void {
  const trained = new Map(dataset.training.map(({ id }) => [patientOfCase(id, patients), id]));
  for (const { id } of dataset.test) {
    const other = trained.get(patientOfCase(id, patients));
    if (other !== undefined)
      throw new InputError(
        `${dataset.folder} has ${other} to train on and ${id} to test on, which are of one patient; move one of them.`,
      );
  }
}
