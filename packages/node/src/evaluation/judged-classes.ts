// Which classes masks hold, and which voxels nobody judged, as the dataset.json or the manifest beside them says.
import { basename, dirname, join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { InputError } from "@lnsnet/core/errors";
import type { LabelScheme } from "@lnsnet/core/transforms";
import { z } from "zod";
import { labelsOf, labelsSchema } from "../datasets/foreground.js";
import { isFile, isFolder, readJson } from "../files/disk.js";
import { classesOfMask, originOfMask } from "../files/mask-origin.js";

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

/**
 * The classes of a label file with several: by the manifest of predict, or by the dataset.json beside its folder. Null
 * where its values are no classes, or nothing says so.
 */
export async function classesOfLabels(path: string): Promise<LabelScheme | null> {
  const scheme =
    (await originOfMask(path)) === null
      ? (await labelsOfTruth(path, null))?.scheme
      : exclusiveScheme(await classesOfMask(path));
  return scheme !== undefined && scheme.classes.length > 1 ? scheme : null;
}

const exclusiveScheme = (
  classes: readonly { readonly name: string; readonly value: number }[],
): LabelScheme => ({
  kind: "exclusive",
  classes: classes.map(({ name, value }) => ({ name, values: [value], writtenAs: value })),
  ignored: null,
});

/**
 * Checks that a mask of predict holds the classes of a data set: a mask of one class, or of node numbers, has values that
 * mean something else.
 *
 * @throws InputError where it does not
 */
export async function requireClasses(maskPath: string, { path, scheme }: NamedLabels): Promise<void> {
  const origin = await originOfMask(maskPath);
  if (origin === null) return;
  const wanted = scheme.classes.map(({ name, writtenAs }) => ({ name, value: writtenAs }));
  if (!origin.isNumbered && isDeepStrictEqual(origin.classes, wanted)) return;
  const inWords = (classes: typeof wanted) =>
    classes.map(({ name, value }) => `${value} (${name})`).join(", ");
  const found = origin.isNumbered
    ? "the numbers of nodes"
    : origin.classes === null
      ? "one class"
      : inWords([...origin.classes]);
  throw new InputError(
    `${maskPath} holds ${found}, as the manifest beside it says, and ${path} names ${inWords(wanted)}; predict with a model of these classes${origin.isNumbered ? " and without the option numbered" : ""}, or choose a value of each with the option truth-label and the option prediction-label.`,
  );
}

async function namedLabels(path: string): Promise<NamedLabels> {
  const { labels, regions_class_order } = await readJson(path, descriptionSchema);
  return { path, scheme: labelsOf(path, labels, regions_class_order, null).scheme };
}

const descriptionSchema = z.object({
  labels: labelsSchema,
  regions_class_order: z.array(z.number()).optional(),
});
