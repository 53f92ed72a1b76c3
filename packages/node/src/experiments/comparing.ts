// A comparison: a cross-validation of each network under one folder, on the same data, folds and budget, and one table.
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { openPredictor } from "@lnsnet/core/inference";
import { profileNetwork } from "@lnsnet/core/networks";
import { nodeRuntime } from "@lnsnet/core/node";
import { medianOf } from "@lnsnet/core/statistics";
import { counted } from "@lnsnet/core/text";
import type { Prepared } from "@lnsnet/core/transforms";
import { z } from "zod";
import { scansOfPatients } from "../datasets/splits.js";
import { isFile, readJson, removeUnfinished, writeJson } from "../files/disk.js";
import { whileHolding, whileWriting } from "../files/folder-lock.js";
import { isAbsent, requireFreeNames } from "../files/outputs.js";
import { planWithNetwork } from "../training/plan.js";
import type { Job } from "../work/job.js";
import type { Compared } from "./compared-members.js";
import { requirePatchForAll } from "./compared-members.js";
import { writeComparison } from "./compared-report.js";
import type { ComparedResult, ComparisonResult, NetworkCosts } from "./compared-result.js";
import {
  beginExperiment,
  CONFIGURATION_VERSION,
  type Experiment,
  type ExperimentRequest,
  type ExperimentSettings,
  requireSameConfiguration,
} from "./configuration.js";
import { collectFolds, judgeFold } from "./cross-validating.js";
import { comparisonFiles, foldFiles, patchTimePath } from "./folder.js";
import { modelOfFold } from "./folds.js";
import { foldNumbers } from "./predicting.js";
import type { ExperimentResult } from "./report.js";
import { type Elsewhere, partCounter, spreadExperiment, together } from "./spreading.js";

export interface ComparisonRequest
  extends Omit<ExperimentRequest, "configuration" | "alike" | "weightsPath"> {
  /** Those to compare; the others are tested against the first. */
  readonly compared: readonly Compared[];
  /** Such as "Compared networks". */
  readonly title: string;
  /** Of every one of them; the plan's network is another for each. */
  readonly configuration: Omit<ExperimentSettings, "network" | "startingWeights">;
  /**
   * What is done now, to share the work among processes or machines: all of it; gathering what was trained elsewhere; or
   * one fold, by its number from 0, of all networks or of some, by their names.
   */
  readonly part:
    | "all"
    | "gathering"
    | { readonly fold: number | null; readonly only: readonly string[] | null };
  /** Who trains and predicts; absent or null for this process. With it, all is done at once. */
  readonly elsewhere?: Elsewhere | null;
}

/**
 * Trains and judges every network on every fold, and on the test set where there is one, and writes one table with
 * what each costs. The same call again goes on where it stopped. A network whose training fails, or whose folder another
 * process holds, is left out and named.
 *
 * @returns the result; null where a part alone was requested
 * @throws InputError where a network does not take the patch, the folder holds a comparison of other settings, the data
 *   cannot be split so, or nothing is finished; the signal's reason, after the training that runs has been saved
 */
export async function compareNetworks(
  request: ComparisonRequest,
  job: Job = {},
): Promise<ComparisonResult | null> {
  const { compared, configuration, folder, part } = request;
  requirePatchForAll(compared, configuration.plan.patchSize);
  const chosen = chosenOf(request);
  await whileWriting(folder, request.holder, () => claimFolder(request), job, { waits: true });
  const failures =
    part === "gathering" ? new Map<string, InputError>() : await trainAll(request, chosen, job);
  if (typeof part === "object") {
    for (const error of failures.values()) throw error;
    return null;
  }
  const result = await collectComparison(request, failures, job);
  await whileHolding(folder, request.holder, () => writeComparison(request, result), job, { waits: true });
  return result;
}

/** Those that are trained now. @throws InputError where one is none of them */
function chosenOf({ compared, part }: ComparisonRequest): readonly Compared[] {
  const only = typeof part === "object" ? part.only : null;
  if (only === null) return compared;
  const names = compared.map(({ name }) => name);
  const other = only.find((name) => !names.includes(name));
  if (other !== undefined)
    throw new InputError(
      `The option only names "${other}", which is not compared here; give some of ${names.join(", ")}.`,
    );
  return compared.filter(({ name }) => only.includes(name));
}

/** Writes what all networks share, or sees to it that it is the same. @throws InputError where it is not */
async function claimFolder({ folder, configuration, compared }: ComparisonRequest): Promise<void> {
  const files = comparisonFiles(folder);
  const { network: _, ...plan } = configuration.plan;
  const shared = {
    version: CONFIGURATION_VERSION,
    ...configuration,
    plan,
    nodeLevel: { searched: "crop", cleanUp: "none" },
  };
  if (await isAbsent(files.configuration)) {
    const names = Object.values(comparisonFiles(""));
    await requireFreeNames(folder, [...names, ...compared.map(({ name }) => name)], async (name) =>
      holdsFold(join(folder, name), configuration.folds),
    );
    await writeJson(files.configuration, shared);
  } else await requireSameConfiguration(files.configuration, shared);
  await removeUnfinished(folder);
}

/** Whether a fold was trained there: a network's folder that was copied from another machine is ours. */
async function holdsFold(folder: string, folds: number): Promise<boolean> {
  return (await finishedFolds(folder, folds)).length > 0;
}

async function finishedFolds(folder: string, folds: number): Promise<number[]> {
  const finished: number[] = [];
  for (let fold = 0; fold < folds; fold++)
    if (await isFile(foldFiles(folder, fold).trained)) finished.push(fold);
  return finished;
}

/** Trains what is to be trained now. @returns what went wrong, by the name of the network; the others went on */
async function trainAll(
  request: ComparisonRequest,
  chosen: readonly Compared[],
  job: Job,
): Promise<Map<string, InputError>> {
  const { dataset, patients, configuration, part, elsewhere = null } = request;
  const scans = scansOfPatients(dataset.training, patients);
  job.log?.(
    `${dataset.name}: ${scans} for ${counted(configuration.folds, "fold")} of ${counted(chosen.length, "network")}`,
  );
  const failures = new Map<string, InputError>();
  const begun = new Map<Compared, Experiment>();
  const orLeaveOut = async (of: Compared, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      failures.set(of.name, error);
      job.log?.(`${of.label} is left out: ${error.message}`);
    }
  };
  for (const [at, of] of chosen.entries()) {
    job.log?.(`${of.label}, ${at + 1} of ${chosen.length}`);
    await orLeaveOut(of, async () => {
      const [first = null] = begun.values();
      const experiment = await beginExperiment(requestOf(request, of, first), job);
      begun.set(of, experiment);
      const fold = typeof part === "object" ? part.fold : null;
      if (elsewhere === null)
        for (const number of fold === null ? foldNumbers(experiment) : [fold])
          await judgeFold(experiment, number, true, job);
    });
  }
  if (elsewhere === null) return failures;
  const count = partCounter([...begun.values()], job);
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(job.signal === undefined ? [] : [job.signal])]);
  const spread = [...begun].map(([of, experiment]) =>
    orLeaveOut(of, () => spreadExperiment(experiment, elsewhere, count, signal)),
  );
  await together(spread, failure);
  return failures;
}

/** One network's cross-validation. */
function requestOf(
  { compared: _, part: __, elsewhere: ___, ...request }: ComparisonRequest,
  { name, network, training }: Compared,
  alike: Experiment | null,
): ExperimentRequest {
  const { configuration } = request;
  return {
    ...request,
    folder: join(request.folder, name),
    configuration: {
      ...configuration,
      network: name,
      training: { ...configuration.training, ...training },
      plan: planWithNetwork(configuration.plan, network),
      startingWeights: null,
    },
    weightsPath: null,
    // No cache holds stations.
    cacheFolder: training?.stationWeight === undefined ? request.cacheFolder : null,
    alike,
  };
}

/** @throws InputError where no network is finished */
async function collectComparison(
  request: ComparisonRequest,
  failures: ReadonlyMap<string, InputError>,
  job: Job,
): Promise<ComparisonResult> {
  const { configuration, folder } = request;
  const finished: ComparedResult[] = [];
  const missing: string[] = [];
  let error: InputError | null = [...failures.values()][0] ?? null;
  let first: Experiment | null = null;
  for (const of of request.compared) {
    const folds = await finishedFolds(join(folder, of.name), configuration.folds);
    const lacking = Array.from({ length: configuration.folds }, (_, fold) => fold).filter(
      (fold) => !folds.includes(fold),
    );
    const failure = failures.get(of.name);
    if (failure !== undefined || lacking.length > 0) {
      missing.push(missingText(of, lacking, failure));
      continue;
    }
    try {
      const experiment = await beginExperiment(requestOf(request, of, first), job);
      first ??= experiment;
      for (const fold of foldNumbers(experiment)) await judgeFold(experiment, fold, false, job);
      const result = await collectFolds(experiment, job);
      finished.push({ ...of, experiment: result, costs: await costsOf(experiment, result) });
    } catch (thrown) {
      if (!(thrown instanceof InputError)) throw thrown;
      error ??= thrown;
      missing.push(missingText(of, [], thrown));
    }
  }
  if (finished.length === 0) throw error ?? new InputError(nothingText(folder, missing));
  const reference = finished.find(({ name }) => name === request.compared[0].name) ?? null;
  return { compared: finished, reference, missing, hasFailed: error !== null };
}

function missingText({ label, name }: Compared, folds: readonly number[], error?: InputError): string {
  const lacks =
    folds.length === 0 ? "" : ` lacks ${folds.length === 1 ? "fold" : "folds"} ${folds.join(", ")}`;
  if (error === undefined) return `${label} (${name})${lacks}, so it is not in the table.`;
  return `${label} (${name})${lacks} is not in the table: ${error.message}`;
}

const nothingText = (folder: string, missing: readonly string[]): string =>
  `${folder} holds no network whose folds are all trained; ${missing.length} are missing. Train them with the same command without the option collect, or copy their folders here from where they were trained.`;

const timesSchema = z.object({ training_seconds: z.number() });

async function costsOf(experiment: Experiment, { folds }: ExperimentResult): Promise<NetworkCosts> {
  const { plan } = experiment.configuration;
  const { parameters, multiplyAdds, multiplyAddsThop } = profileNetwork(plan.network, plan.patchSize);
  const seconds = await Promise.all(
    foldNumbers(experiment).map(async (fold) => {
      const times = await readJson(foldFiles(experiment.folder, fold).times, timesSchema);
      return times.training_seconds;
    }),
  );
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    ...{ parameters, multiplyAdds, multiplyAddsThop },
    trainingSteps: mean(folds.map(({ steps }) => steps)),
    trainingSeconds: mean(seconds),
    patchSeconds: await patchSecondsOf(experiment),
  };
}

const patchTimeSchema = z.object({ seconds: z.number() });
const MEASURED_PATCHES = 5;

/** Seconds in which the first fold's network predicts a patch of a pattern: a median, measured once, after one that is not counted. */
async function patchSecondsOf({ folder, configuration, threads }: Experiment): Promise<number> {
  const path = patchTimePath(folder);
  if (await isFile(path)) return (await readJson(path, patchTimeSchema)).seconds;
  const { plan } = configuration;
  const predictor = await openPredictor([await modelOfFold(folder, 0)], nodeRuntime, { threads });
  try {
    const [depth, height, width] = plan.patchSize;
    const values = Int16Array.from({ length: depth * height * width }, (_, n) => (37 * n) % 101);
    const patch: Prepared = {
      size: [width, height, depth],
      spacingMm: plan.spacingMm,
      originMm: [0, 0, 0],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
      hu: values,
      further: Array.from({ length: plan.network.configuration.inputs - 1 }, () => values),
    };
    const seconds: number[] = [];
    for (let run = 0; run <= MEASURED_PATCHES; run++) {
      const begin = performance.now();
      await predictor.probability(patch, { overlap: 0 });
      seconds.push((performance.now() - begin) / 1000);
    }
    const median = medianOf(seconds.slice(1));
    await writeJson(path, { seconds: median, threads, patches: MEASURED_PATCHES });
    return median;
  } finally {
    await predictor.release();
  }
}
