// A collection of scans and labels in, a data set without identifiers out.
import { basename, resolve } from "node:path";
import { roiPattern } from "@lnsnet/core/formats";
import { csvTable } from "@lnsnet/core/reports";
import { writeAtomically } from "../files/disk.js";
import { whileWriting } from "../files/folder-lock.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { type Layout, listSources } from "./import-sources.js";
import { type ImportResult, importDataset } from "./importing.js";

export interface CollectionOptions {
  /** Folder of the data set; an import that was stopped there goes on. */
  readonly output: string;
  /** How the collection is laid out; found out by default. */
  readonly layout?: Layout;
  /** Which ROIs and segments are nodes: a pattern of their names, such as `/LN|node/i`; the layout's own by default. */
  readonly roi?: string | undefined;
  /** Name of the data set; that of the output folder by default. */
  readonly name?: string | undefined;
  /** Probability that a patient goes to the test set, where the collection does not divide its cases; 0 by default. */
  readonly testShare?: number;
  /** A CSV file that lists which patient each case is. It identifies patients. */
  readonly mappingPath?: string | undefined;
  /** Whether a mapping that stands there is replaced. */
  readonly force?: boolean;
}

/**
 * Imports a collection into nnU-Net's layout, case by case. A case that cannot be used stands among the failures, and
 * the others are imported.
 *
 * @throws InputError where the collection or its layout cannot be used, or the output folder holds something else; the
 *   signal's reason
 */
export async function importCollection(
  source: string,
  options: CollectionOptions,
  job: Job = {},
): Promise<ImportResult> {
  const {
    output,
    layout = "auto",
    roi,
    name = basename(resolve(output)),
    testShare = 0,
    mappingPath,
  } = options;
  const pattern = roi === undefined ? null : roiPattern(roi);
  if (mappingPath !== undefined)
    await requireFreeFile(mappingPath, { inputs: [source], force: options.force === true });
  const list = await listSources(source, layout, pattern);
  const bring = () => importDataset(list, output, { name, layout, roi: roi ?? null, testShare }, job);
  const result = await whileWriting(output, "lnsnet dataset import", bring, job);
  if (mappingPath !== undefined)
    await writeAtomically(
      mappingPath,
      csvTable(
        (["case", "patient", "origin"] as const).map((key) => ({ key, title: key })),
        result.mapping,
      ),
    );
  return { ...result, failed: [...result.failed, ...list.skipped] };
}
