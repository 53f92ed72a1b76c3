// The meaning of a data set's label values: background, classes, and voxels to ignore.
import { InputError } from "@lnsnet/core/errors";
import {
  IGNORED,
  type LabelScheme,
  labelScheme,
  onlyClass,
  targetNumbers,
  targetTable,
} from "@lnsnet/core/transforms";
import { type IntegerVoxelArray, maskWhere, type Volume } from "@lnsnet/core/volume";
import { z } from "zod";

export interface DatasetLabels {
  /** The values of each name, as dataset.json has them: several for a region; 0 is background. */
  readonly values: Readonly<Record<string, readonly number[]>>;
  /** What is trained and judged: all classes, or the one that was chosen. */
  readonly scheme: LabelScheme;
}

/** `labels` of a dataset.json, of nnU-Net v2 (names to values) or of v1 and the Medical Decathlon (values to names). */
export const labelsSchema = z.record(z.string(), z.union([z.number(), z.string(), z.array(z.number())]));

/**
 * @param path of dataset.json, for messages
 * @param order `regions_class_order` of dataset.json
 * @param chosen the name of the only class that is to be foreground; null takes all
 * @throws InputError where a value cannot be one, there is no class, regions have no order, or there is none of the
 *   chosen name
 */
export function labelsOf(
  path: string,
  given: z.infer<typeof labelsSchema>,
  order: readonly number[] | undefined,
  chosen: string | null,
): DatasetLabels {
  const pairs = Object.entries(given).map(([key, value]): readonly [string, number | readonly number[]] =>
    typeof value === "string" ? [value, /^\d+$/.test(key) ? Number(key) : Number.NaN] : [key, value],
  );
  const known = new Set<string>();
  for (const [name] of pairs) {
    if (known.has(name))
      throw new InputError(`${path} gives two values to "${name}", and one is expected; keep one.`);
    known.add(name);
  }
  const scheme = labelScheme(Object.fromEntries(pairs), order, path);
  return {
    values: Object.fromEntries(
      pairs.map(([name, value]) => [name, typeof value === "number" ? [value] : value]),
    ),
    scheme: chosen === null ? scheme : onlyClass(scheme, chosen, path),
  };
}

/** Names of the classes that are trained and judged. */
export const classNames = ({ scheme }: DatasetLabels): string[] => scheme.classes.map(({ name }) => name);

/** Why labels of several classes cannot be taken as one; null where there is one class. */
export function severalClasses(
  folder: string,
  labels: DatasetLabels,
  option = "the option foreground",
): string | null {
  const names = classNames(labels);
  return names.length === 1
    ? null
    : `${folder} has ${names.length} classes (${names.join(", ")}), and only one can be used at a time; choose it, such as ${option} ${quoted(names[names.length - 1])}, and the others become background.`;
}

/** Target numbers: 0 is background, {@link IGNORED} counts nowhere, a class alone is 1. */
export function targetsOf(label: Volume<IntegerVoxelArray>, { scheme }: DatasetLabels): Volume<Uint8Array> {
  return { ...label, data: targetNumbers(label.data, targetTable(scheme)) };
}

/** 1 where a target number is of any class. */
export const foregroundMask = (targets: Volume<Uint8Array>): Volume<Uint8Array> => ({
  ...targets,
  data: maskWhere(targets.data, (number) => number !== 0 && number !== IGNORED),
});

/** Whether classes other than the foreground are left out. */
export function leavesClassesOut({ values, scheme }: DatasetLabels): boolean {
  const judged = new Set(scheme.classes.flatMap((labelClass) => labelClass.values));
  return Object.values(values)
    .flat()
    .some((value) => value !== 0 && value !== scheme.ignored && !judged.has(value));
}

const quoted = (name: string) => (/^[\w.-]+$/.test(name) ? name : `"${name}"`);
