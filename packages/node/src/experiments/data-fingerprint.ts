// The data set's fingerprint in an experiment's folder: made once, then read for folds and report.
import { InputError } from "@lnsnet/core/errors";
import { z } from "zod";
import type { Dataset } from "../datasets/dataset.js";
import { fingerprintOf } from "../datasets/fingerprint.js";
import { surveyDataset } from "../datasets/survey-dataset.js";
import { isFile, readJson, writeJson } from "../files/disk.js";
import type { Job } from "../work/job.js";
import { experimentFiles } from "./folder.js";

const quantiles = z
  .object({
    lowest: z.number(),
    p25: z.number(),
    median: z.number(),
    p75: z.number(),
    highest: z.number(),
  })
  .nullable();

/** What an experiment reads of it; the file holds more. */
const schema = z.object({
  cases: z.object({ training: z.number(), test: z.number() }),
  spacing_mm: z.array(quantiles),
  size_voxels: z.array(quantiles),
  nodes: z.object({
    total: z.number(),
    per_case: quantiles,
    volume_ml: quantiles,
    short_axis_mm: quantiles,
  }),
  /** The nodes of each class, where there are several. */
  classes: z.array(z.object({ name: z.string(), nodes: z.object({ total: z.number() }) })).optional(),
  scans: z.array(
    z.object({
      case: z.string(),
      subset: z.string(),
      nodes: z.array(z.object({ volume_ml: z.number(), short_axis_mm: z.number() })).nullable(),
    }),
  ),
});

export type ExperimentFingerprint = z.infer<typeof schema>;

/**
 * The fingerprint, made by opening every scan where the folder does not hold it yet, or it is to be made anew.
 *
 * @throws InputError where a scan of the data set cannot be read
 */
export async function experimentFingerprint(
  folder: string,
  dataset: Dataset,
  makesAnew = false,
  job: Job = {},
): Promise<ExperimentFingerprint> {
  const path = experimentFiles(folder).fingerprint;
  if (makesAnew || !(await isFile(path))) {
    const surveys = await surveyDataset(dataset, { threads: 2, stage: "survey" }, job);
    for (const { image } of surveys) if ("unreadable" in image) throw new InputError(image.unreadable);
    await writeJson(path, fingerprintOf(dataset, surveys));
  }
  return readJson(path, schema);
}
