// Segments a scan or every scan of a folder, and writes masks, node tables, pictures and DICOM objects.

import { InputError } from "@lnsnet/core/errors";
import { openPredictor, type Predictor, type SegmentOptions } from "@lnsnet/core/inference";
import { nodeRuntime } from "@lnsnet/core/node";
import type { DeviceChoice } from "@lnsnet/core/runtime";
import { channelsOf } from "@lnsnet/core/transforms";
import { ensureWritableFolder, removeUnfinished, requirePath } from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import type { StoredModel } from "../files/model-file.js";
import { secretOf } from "../files/secret.js";
import { idleCores } from "../work/idle-cores.js";
import type { Job } from "../work/job.js";
import { modelChannels } from "./channels.js";
import {
  type DicomObject,
  type Form,
  type ModelRecord,
  modelRecord,
  requireFreeResults,
} from "./manifest.js";
import { type NamedScan, readAhead, scansAt } from "./scans.js";
import { type ClicksOf, type Segmented, type Segmenting, segmentScan } from "./segmenting.js";

export interface PredictionOptions {
  /** At least one; of several, the probabilities are averaged. */
  readonly models: readonly StoredModel[];
  /**
   * A coarse network, such as one that was trained at 3 mm. It is run first, and the models look only where it sees
   * something. By default they look everywhere.
   */
  readonly proposer?: StoredModel | null;
  /** Folder of the results. */
  readonly output: string;
  readonly form: Form;
  readonly segmenting: Pick<SegmentOptions, "overlap" | "mirrored" | "searched" | "cleanUp">;
  /** Which series, where there are several: its number, UID or part of its description. */
  readonly series?: string | undefined;
  /** Which files are the channels after the first; by default NAME_0001, … beside NAME_0000. For models of several channels. */
  readonly channels?: readonly string[] | undefined;
  /** Segments the nodes at these points alone; null for all nodes. */
  readonly clicksOf?: ClicksOf | null;
  /** The class of the nodes at those points; by default, at each point the most probable one. */
  readonly clickedClass?: string | undefined;
  /**
   * Leaves out of the results what identifies the patient. The same secret gives the same names and UIDs; null takes one
   * that is kept in the output folder as `.predict-salt`, not to be passed on.
   */
  readonly anonymize?: { readonly salt: string | null } | undefined;
  /** Where the networks run: the fastest device that is there, by default. */
  readonly device?: DeviceChoice;
  /** Threads of the networks; 0 for one for each core that is idle. */
  readonly threads?: number;
}

export interface PredictedScan extends Segmented {
  readonly scan: NamedScan;
  readonly isAnonymous: boolean;
  /** The first of the models. */
  readonly model: ModelRecord;
}

export interface Predictions {
  readonly results: readonly PredictedScan[];
  readonly failures: readonly { readonly scan: NamedScan; readonly error: unknown }[];
  /** Whether the path names several scans, however many it holds. */
  readonly areSeveral: boolean;
}

/**
 * Segments the scans of a path: a volume file, a DICOM series in a folder or archive, or a folder of several. A result
 * that stands in the output folder and holds what is requested is left as it is. A scan that fails does not stop the
 * others: it is logged, and stands among the failures.
 *
 * @throws InputError where nothing can be read, the options do not fit the scans, the models do not fit each other, or the
 *   output folder cannot be used; the signal's reason
 */
export async function predictScans(
  path: string,
  options: PredictionOptions,
  job: Job = {},
): Promise<Predictions> {
  const { models, proposer = null, output, form, clicksOf = null, clickedClass } = options;
  const { device = "auto" } = options;
  await requirePath(path);
  const channels = modelChannels(models[0].plan, options.channels ?? null);
  const salt = options.anonymize === undefined ? null : await saltOf(options.anonymize, output);
  const { scans, areSeveral, leftOut } = await scansAt(path, options.series, channels, salt);
  for (const sentence of leftOut) job.log?.(sentence);
  if (clicksOf !== null && scans.length > 1)
    throw new InputError(
      `${path} holds ${scans.length} scans, and points belong to one scan; choose one scan, or leave the points out.`,
    );
  if (channels.ct === null && form.pictures)
    job.log?.("No channel of the model is a CT, so no picture is made, and everything is searched.");
  requireDicom(scans, form.dicom, job.log);
  if (proposer !== null) requireSameChannels(proposer, models[0]);
  const records = await Promise.all(models.map(modelRecord));
  const proposerRecord = proposer && (await modelRecord(proposer));
  const threads = options.threads || (await idleCores());
  const predict = async () => {
    await removeUnfinished(output);
    const ids = scans.map(({ id }) => id);
    await requireFreeResults(output, ids, form);
    const open = (opened: readonly StoredModel[]) => openPredictor(opened, nodeRuntime, { threads, device });
    const predictor = await open(models);
    if (device !== "auto") job.log?.(predictor.deviceNote);
    const coarse = proposer &&
      proposerRecord && { predictor: await open([proposer]), record: proposerRecord };
    return predictAll(
      scans,
      {
        ...{ models, records, form, clicksOf, clickedClass, salt, predictor, proposer: coarse },
        options: options.segmenting,
        folder: output,
      },
      job,
    );
  };
  return { ...(await whileWriting(output, "lnsnet predict", predict, job)), areSeveral };
}

/** @throws InputError where the coarse network takes other channels than the model */
function requireSameChannels(proposer: StoredModel, model: StoredModel): void {
  const names = ({ plan }: StoredModel) => channelsOf(plan).map(({ name }) => name);
  const [coarse, fine] = [names(proposer), names(model)];
  if (coarse.join() !== fine.join())
    throw new InputError(
      `${proposer.path} takes the channels ${coarse.join(", ")}, and ${model.path} takes ${fine.join(", ")}; choose models that were trained on the same channels.`,
    );
}

/** By the secret of an output folder, the same call finds what it made. */
async function saltOf({ salt }: { readonly salt: string | null }, folder: string): Promise<string> {
  if (salt !== null) return salt;
  await ensureWritableFolder(folder);
  return secretOf(folder, ".predict-salt");
}

/** @throws InputError where DICOM objects are requested, and no scan is a DICOM series */
function requireDicom(scans: readonly NamedScan[], objects: readonly DicomObject[], log: Job["log"]): void {
  const files = scans.filter(({ isDicom }) => !isDicom);
  if (objects.length === 0 || files.length === 0) return;
  const asked = `the option dicom ${objects.join(",")}`;
  if (files.length === scans.length)
    throw new InputError(
      `${files[0].origin.path} is a volume file, and ${asked} needs a DICOM series to refer to; leave the option dicom out, or choose the series.`,
    );
  for (const { origin } of files) log?.(`${origin.path} is a volume file, so ${asked} is not written of it.`);
}

/** Segments every scan, and frees the networks. */
async function predictAll(
  scans: readonly NamedScan[],
  segmenting: Segmenting & { readonly predictor: Predictor },
  job: Job,
): Promise<Pick<Predictions, "results" | "failures">> {
  const results: PredictedScan[] = [];
  const failures: Predictions["failures"][number][] = [];
  try {
    for await (const attempt of readAhead(scans)) {
      const { scan } = attempt;
      try {
        const done = await segmentScan(attempt, segmenting, job);
        for (const remark of done.remarks) job.log?.(remark);
        const isAnonymous = segmenting.salt !== null;
        results.push({ ...done, scan, isAnonymous, model: segmenting.records[0] });
      } catch (error) {
        job.signal?.throwIfAborted();
        failures.push({ scan, error });
        const message = error instanceof Error ? error.message : String(error);
        if (scans.length > 1) job.log?.(`${scan.id} failed: ${message}`);
      }
    }
  } finally {
    await segmenting.predictor.release();
    await segmenting.proposer?.predictor.release();
  }
  return { results, failures };
}
