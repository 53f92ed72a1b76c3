// What the values of a data set's labels mean: background, classes, and voxels that nobody judged.
import { InputError, type Volume } from "@lnsnet/core";
import { type IntegerVoxelArray, maskWhere } from "@lnsnet/core/volume";
import { z } from "zod";

export interface DatasetLabels {
  /** The value of each name; 0 is background. */
  readonly values: Readonly<Record<string, number>>;
  /** Names of the labels that are foreground: one where it was chosen or is alone, else all of them. */
  readonly foreground: readonly string[];
  /** The value of voxels that nobody judged, as nnU-Net's label `ignore` has it; null where there is none. */
  readonly ignored: number | null;
}

/** `labels` of a dataset.json, of nnU-Net v2 (names to values) or of v1 and the Medical Decathlon (values to names). */
export const labelsSchema = z.record(z.string(), z.union([z.number(), z.string(), z.array(z.number())]));

/**
 * @param path of dataset.json, for messages
 * @param chosen the name of the only label that is to be foreground; null takes all
 * @throws InputError where a value cannot be one, a label is a region of several values, there is no foreground, or
 *   none of the chosen name
 */
export function labelsOf(
  path: string,
  given: z.infer<typeof labelsSchema>,
  chosen: string | null,
): DatasetLabels {
  const pairs = Object.entries(given).map(([key, value]): readonly [string, number] => {
    if (typeof value === "string") return [value, labelValue(path, value, key)];
    if (typeof value === "number") return [key, labelValue(path, key, value)];
    throw new InputError(
      `${path} names the region "${key}" of the values ${value.join(", ")}, and regions of several labels are not supported; give each label a value of its own in dataset.json.`,
    );
  });
  const values = Object.fromEntries(pairs);
  const named = new Map<number, string>();
  for (const [name, value] of pairs) {
    const other = named.get(value);
    if (other !== undefined)
      throw new InputError(`${path} calls the value ${value} both "${other}" and "${name}"; keep one name.`);
    named.set(value, name);
  }
  const ignored = pairs.find(([name]) => name.toLowerCase() === "ignore")?.[1] ?? null;
  const classes = pairs.filter(([, value]) => value !== 0 && value !== ignored).map(([name]) => name);
  if (classes.length === 0)
    throw new InputError(`${path} names no label beside the background; name the foreground in "labels".`);
  if (chosen !== null && !classes.includes(chosen))
    throw new InputError(
      `--foreground is "${chosen}", and ${path} names ${classes.join(", ")}; give one of them.`,
    );
  return { values, foreground: chosen === null ? classes : [chosen], ignored };
}

/** Why a data set cannot be trained on as it is: it has several classes and none was chosen; null where it can. */
export function severalClasses(
  folder: string,
  { foreground }: DatasetLabels,
  option = "--foreground",
): string | null {
  return foreground.length === 1
    ? null
    : `${folder} has ${foreground.length} classes (${foreground.join(", ")}), and only one can be used at a time; choose it, such as ${option} ${quoted(foreground[foreground.length - 1])}, and the others become background.`;
}

/** 1 where a label is foreground; other classes are background. */
export function foregroundMask(
  label: Volume<IntegerVoxelArray>,
  { values, foreground }: DatasetLabels,
): Volume<Uint8Array> {
  const wanted = new Set(foreground.map((name) => values[name]));
  return { ...label, data: maskWhere(label.data, (value) => value !== 0 && wanted.has(value)) };
}

/** Whether classes other than the foreground are left out. */
export function leavesClassesOut({ values, foreground, ignored }: DatasetLabels): boolean {
  const classes = Object.values(values).filter((value) => value !== 0 && value !== ignored);
  return classes.length > foreground.length;
}

function labelValue(path: string, name: string, value: number | string): number {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= 255) return number;
  throw new InputError(
    `${path} has another form than expected: "labels.${name}": a label's value must be a whole number in 0 … 255, and ${value} was found; mend that entry.`,
  );
}

const quoted = (name: string) => (/^[\w.-]+$/.test(name) ? name : `"${name}"`);
