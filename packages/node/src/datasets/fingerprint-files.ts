// Writes the fingerprint of a data set, statistics of its scans and nodes, as fingerprint.json and fingerprint.html.
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { ensureWritableFolder, writeAtomically, writeJson } from "../files/disk.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { hasImage } from "./checking.js";
import { openDataset } from "./dataset.js";
import type { OpeningOptions } from "./dataset-check.js";
import { type Fingerprint, fingerprintOf } from "./fingerprint.js";
import { fingerprintReport } from "./fingerprint-report.js";
import { surveyDataset } from "./survey-dataset.js";

export interface FingerprintOptions extends OpeningOptions {
  /** Folder of the two files; the data set's by default. */
  readonly output?: string | undefined;
  /** Whether a fingerprint that stands there is replaced. */
  readonly force?: boolean;
}

export interface WrittenFingerprint {
  readonly fingerprint: Fingerprint;
  readonly name: string;
  readonly scans: number;
  readonly paths: { readonly json: string; readonly html: string };
}

/**
 * Writes the fingerprint of a data set: spacing, size, HU and nodes.
 *
 * @throws InputError where the data set cannot be opened or holds no image that can be read, or a file stands there
 *   already; the signal's reason
 */
export async function writeFingerprint(
  folder: string,
  { foreground, threads = 2, output = folder, force = false }: FingerprintOptions = {},
  job: Job = {},
): Promise<WrittenFingerprint> {
  const dataset = await openDataset(folder, foreground);
  await ensureWritableFolder(output);
  const paths = { json: join(output, "fingerprint.json"), html: join(output, "fingerprint.html") };
  for (const path of Object.values(paths)) await requireFreeFile(path, { force });
  const surveys = await surveyDataset(dataset, { threads, stage: "fingerprint" }, job);
  if (!surveys.some(hasImage))
    throw new InputError(`${folder} holds no image that can be read; see "lnsnet dataset check ${folder}".`);
  const fingerprint = fingerprintOf(dataset, surveys);
  await writeJson(paths.json, fingerprint);
  const command = `lnsnet dataset fingerprint ${folder}`;
  await writeAtomically(paths.html, fingerprintReport(fingerprint, surveys, command));
  return { fingerprint, name: dataset.name, scans: surveys.length, paths };
}
