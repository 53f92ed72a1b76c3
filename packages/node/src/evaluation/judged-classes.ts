// Which classes the masks of a comparison hold, and which voxels nobody judged, as the dataset.json beside them says.
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "@lnsnet/core";
import type { LabelScheme } from "@lnsnet/core/transforms";
import { z } from "zod";
import { labelsOf, labelsSchema } from "../datasets/foreground.js";
import { isFile, isFolder, readJson } from "../files/disk.js";

/** What a dataset.json says of masks. */
export interface NamedLabels {
  readonly path: string;
  readonly scheme: LabelScheme;
}

/**
 * The labels of a truth: by the dataset.json that is given, or by the one beside the folder of the truth. Null where
 * there is none, and for instances, whose values are no classes.
 *
 * @param truth a mask, or a folder of masks
 * @throws InputError where the given file cannot be read or has another form
 */
export async function labelsOfTruth(truth: string, given: string | null): Promise<NamedLabels | null> {
  if (given !== null) return namedLabels(given);
  const folder = (await isFolder(truth)) ? resolve(truth) : dirname(resolve(truth));
  const path = join(dirname(folder), "dataset.json");
  if (holdsInstances(folder) || !(await isFile(path))) return null;
  try {
    return await namedLabels(path);
  } catch (error) {
    // What is wrong with a data set otherwise does not concern two masks.
    if (!(error instanceof InputError)) throw error;
    return null;
  }
}

/** Whether a folder is one of those that `phantom` and `dataset import` write instances to. */
export const holdsInstances = (folder: string): boolean => /^instances(Tr|Ts)$/.test(basename(folder));

async function namedLabels(path: string): Promise<NamedLabels> {
  const { labels, regions_class_order } = await readJson(path, descriptionSchema);
  return { path, scheme: labelsOf(path, labels, regions_class_order, null).scheme };
}

const descriptionSchema = z.object({
  labels: labelsSchema,
  regions_class_order: z.array(z.number()).optional(),
});
