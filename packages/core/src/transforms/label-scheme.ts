// What is segmented: the classes of a data set's labels, how they become a network's targets, and how its answers become
// labels again.
//
// One class is one sigmoid channel. Several exclusive classes are a softmax over background and classes. Overlapping
// classes are regions in nnU-Net's sense, unions of label values, each a sigmoid channel of its own; where they are
// written as labels, a later region overwrites an earlier one, with the values of `regions_class_order`.
//
// Prepared labels hold target numbers and not label values: 0 for background, 255 for what is to be ignored, and from 1
// on a number for every set of classes that a voxel can belong to. So one class is 0 and 1, exclusive classes are 1, 2, …
// in their order, and a network's target is read from a table of a few rows.
import { InputError } from "../errors.js";
import type { IntegerVoxelArray } from "../volume/resample.js";

/** Target number of voxels that are neither foreground nor background, and count nowhere. */
export const IGNORED = 255;

/** A class, by what its voxels hold in a label file. */
export interface SegmentedClass {
  readonly name: string;
  /** Several for a region. */
  readonly values: readonly number[];
  /** The value that is written for it. */
  readonly writtenAs: number;
}

export interface LabelScheme {
  readonly kind: "exclusive" | "overlapping";
  /** In the order of the network's channels; of overlapping ones, a later class overwrites an earlier one. */
  readonly classes: readonly SegmentedClass[];
  /** The label value that is left out of loss and metrics; null where there is none. */
  readonly ignored: number | null;
}

/** What of a plan says which classes there are. */
export interface LabelPlan {
  /** The name of the class where there is one. */
  readonly foreground?: string | undefined;
  /** Absent where there is one class. */
  readonly labels?: LabelScheme | undefined;
}

/** The classes of a plan. */
export const labelSchemeOf = ({ labels, foreground = "foreground" }: LabelPlan): LabelScheme =>
  labels ?? oneClass(foreground);

/** Names of lymph nodes in data sets and structure sets: GTVn, GTV-N, GTV_N1, LN, lymph node, node. */
export const lymphNodeNames = /GTV[-_ ]?n|\bLN|lymph|node/i;

/** One class of the value 1. */
export const oneClass = (name: string): LabelScheme => ({
  kind: "exclusive",
  classes: [{ name, values: [1], writtenAs: 1 }],
  ignored: null,
});

/** Channels of the logits: exclusive classes have one more, for the background. */
export const logitChannels = ({ kind, classes: { length } }: LabelScheme): number =>
  length > 1 && kind === "exclusive" ? length + 1 : length;

/**
 * The scheme of nnU-Net's `labels`: a value for each name, or a list of values for a region. A name "ignore" is what is
 * left out of loss and metrics.
 *
 * @param regionsClassOrder the value that is written for each region, in the order of `labels`
 * @param path what errors call the file
 * @throws InputError where a value is no whole number in 0 … 255 or has two names, there is no class, regions have no
 *   order, or the order is not of as many different values as there are regions
 */
export function labelScheme(
  labels: Readonly<Record<string, number | readonly number[]>>,
  regionsClassOrder?: readonly number[],
  path = "dataset.json",
): LabelScheme {
  const entries = Object.entries(labels).map(
    ([name, value]) => [name, [...new Set(typeof value === "number" ? [value] : value)]] as const,
  );
  for (const [name, values] of entries)
    for (const value of values.length > 0 ? values : [Number.NaN])
      if (!Number.isInteger(value) || value < 0 || value > 255)
        throw new InputError(
          `${path} has another form than expected: "labels.${name}": a label's value must be a whole number in 0 … 255, and ${value} was found; mend that entry.`,
        );
  const isIgnore = (name: string) => name.toLowerCase() === "ignore";
  const ignoring = entries.find(([name]) => isIgnore(name));
  if (ignoring !== undefined && ignoring[1].length > 1)
    throw new InputError(
      `${path} gives several values to "${ignoring[0]}" (${ignoring[1].join(", ")}), and one value is expected; keep one.`,
    );
  const named = entries.filter(([name, values]) => !isIgnore(name) && values.some((value) => value !== 0));
  if (named.length === 0)
    throw new InputError(`${path} names no label beside the background; choose the foreground in "labels".`);
  const ignored = ignoring?.[1][0] ?? null;
  const hasRegions = named.some(([, values]) => values.length > 1);
  if (!hasRegions) {
    requireDistinct(entries, path);
    const classes = named.map(([name, [value]]) => ({ name, values: [value], writtenAs: value }));
    return { kind: "exclusive", classes, ignored };
  }
  if (regionsClassOrder?.length !== named.length)
    throw new InputError(
      `${path} names ${named.length} regions (${named.map(([name]) => name).join(", ")}), and "regions_class_order" ${regionsClassOrder === undefined ? "is missing" : `holds ${regionsClassOrder.length} values`}; give the value to be written for each region there, in the order of "labels".`,
    );
  const known = new Set(named.flatMap(([, values]) => values));
  const stray = regionsClassOrder.find((value) => !known.has(value) || value === 0);
  if (stray !== undefined)
    throw new InputError(
      `${path} holds ${stray} in "regions_class_order", and no region has that value; give values of "labels" there.`,
    );
  if (new Set(regionsClassOrder).size < regionsClassOrder.length)
    throw new InputError(
      `${path} holds a value twice in "regions_class_order" (${regionsClassOrder.join(", ")}), so that two regions could not be told apart; give each its own.`,
    );
  const classes = named.map(([name, values], at) => ({ name, values, writtenAs: regionsClassOrder[at] }));
  return { kind: "overlapping", classes, ignored };
}

/** Exclusive classes have a value of their own. */
function requireDistinct(entries: readonly (readonly [string, readonly number[]])[], path: string): void {
  const names = new Map<number, string>();
  for (const [name, [value]] of entries) {
    const other = names.get(value);
    if (other !== undefined)
      throw new InputError(`${path} calls the value ${value} both "${other}" and "${name}"; keep one name.`);
    names.set(value, name);
  }
}

/** One class of a scheme alone, all else being background. @throws InputError where no class has that name */
export function onlyClass(scheme: LabelScheme, name: string, path = "dataset.json"): LabelScheme {
  const chosen = scheme.classes.find((labelClass) => labelClass.name === name);
  if (chosen === undefined)
    throw new InputError(
      `The option foreground is "${name}", and ${path} names ${scheme.classes.map((labelClass) => labelClass.name).join(", ")}; give one of them.`,
    );
  return { kind: "exclusive", classes: [chosen], ignored: scheme.ignored };
}

/** How label values become target numbers, and what those mean. */
export interface TargetTable {
  /** The target number of each label value. */
  readonly numberOf: Uint8Array;
  /** For each target number, the positions of its classes; of 0, none. */
  readonly classesOf: readonly (readonly number[])[];
  /** For each target number, the network's target in each channel: 0 or 1. */
  readonly channelsOf: readonly (readonly number[])[];
}

/** @throws InputError where overlapping classes make more than 254 different sets */
export function targetTable(scheme: LabelScheme): TargetTable {
  const { classes, ignored } = scheme;
  const numberOf = new Uint8Array(256);
  const classesOf: (readonly number[])[] = [[]];
  for (const value of new Set(classes.flatMap(({ values }) => values))) {
    if (value === 0 || value === ignored) continue;
    const own = classes.flatMap(({ values }, at) => (values.includes(value) ? [at] : []));
    let number = classesOf.findIndex((known) => known.join() === own.join());
    if (number < 0) number = classesOf.push(own) - 1;
    if (number >= IGNORED)
      throw new InputError(
        "The labels make more than 254 different sets of classes; leave some regions out.",
      );
    numberOf[value] = number;
  }
  if (ignored !== null) numberOf[ignored] = IGNORED;
  const hasBackground = logitChannels(scheme) > classes.length;
  const channelsOf = classesOf.map((own) => [
    ...(hasBackground ? [own.length === 0 ? 1 : 0] : []),
    ...classes.map((_, at) => (own.includes(at) ? 1 : 0)),
  ]);
  return { numberOf, classesOf, channelsOf };
}

/** The target number of each voxel of a label; values that the scheme does not name are background. */
export function targetNumbers(label: IntegerVoxelArray, { numberOf }: TargetTable): Uint8Array {
  const numbers = new Uint8Array(label.length);
  for (let n = 0; n < label.length; n++) {
    const value = label[n];
    if (value > 0 && value < numberOf.length) numbers[n] = numberOf[value];
  }
  return numbers;
}

/** 1 where a voxel of target numbers belongs to a class. */
export function truthOfClass(numbers: Uint8Array, { classesOf }: TargetTable, position: number): Uint8Array {
  const isOf = classesOf.map((own) => (own.includes(position) ? 1 : 0));
  const mask = new Uint8Array(numbers.length);
  for (let n = 0; n < numbers.length; n++) mask[n] = isOf[numbers[n]] ?? 0;
  return mask;
}

/** The probabilities of a scheme's classes from a network's logits [channels, …voxels], classes alone, in their order. */
export function classProbabilities(logits: Float32Array, scheme: LabelScheme): Float32Array {
  const channels = logitChannels(scheme);
  const classes = scheme.classes.length;
  if (channels === classes) return logits.map(sigmoid);
  const voxels = logits.length / channels;
  const probabilities = new Float32Array(classes * voxels);
  const exponentials = new Float64Array(channels);
  for (let n = 0; n < voxels; n++) {
    let greatest = Number.NEGATIVE_INFINITY;
    for (let c = 0; c < channels; c++) greatest = Math.max(greatest, logits[c * voxels + n]);
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      exponentials[c] = Math.exp(logits[c * voxels + n] - greatest);
      sum += exponentials[c];
    }
    for (let c = 1; c < channels; c++) probabilities[(c - 1) * voxels + n] = exponentials[c] / sum;
  }
  return probabilities;
}

const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit));

/**
 * The class of each voxel, from 1, and 0 for none: of exclusive classes the most probable, where it is more probable than
 * the background; of overlapping ones and of one alone, the last whose probability reaches the threshold.
 *
 * @param probabilities of each class
 */
export function decidedClasses(
  probabilities: readonly Float32Array[],
  scheme: LabelScheme,
  threshold: number,
): Uint8Array {
  const decided = new Uint8Array(probabilities[0].length);
  const isSoftmax = logitChannels(scheme) > scheme.classes.length;
  for (let n = 0; n < decided.length; n++) {
    if (!isSoftmax) {
      for (let c = 0; c < probabilities.length; c++) if (probabilities[c][n] >= threshold) decided[n] = c + 1;
      continue;
    }
    let [greatest, sum, best] = [0, 0, 0];
    for (let c = 0; c < probabilities.length; c++) {
      const probability = probabilities[c][n];
      sum += probability;
      if (probability > greatest) [greatest, best] = [probability, c + 1];
    }
    if (greatest > 1 - sum) decided[n] = best;
  }
  return decided;
}

/** 1 where a voxel belongs to a class: overlapping classes each by their own probability. */
export function decidedMask(
  probabilities: readonly Float32Array[],
  scheme: LabelScheme,
  position: number,
  threshold: number,
): Uint8Array {
  if (logitChannels(scheme) === scheme.classes.length)
    return Uint8Array.from(probabilities[position], (value) => (value >= threshold ? 1 : 0));
  return decidedClasses(probabilities, scheme, threshold).map((number) => (number === position + 1 ? 1 : 0));
}

/**
 * For each class, 1 where it is true and 1 where it is decided, both without the voxels that are to be ignored.
 *
 * @param numbers target numbers
 * @param probabilities of each class
 */
export function classPairs(
  numbers: Uint8Array,
  probabilities: readonly Float32Array[],
  scheme: LabelScheme,
  threshold: number,
): { readonly truth: Uint8Array; readonly prediction: Uint8Array }[] {
  const table = targetTable(scheme);
  return scheme.classes.map((_, position) => {
    const prediction = decidedMask(probabilities, scheme, position, threshold);
    for (let n = 0; n < prediction.length; n++) if (numbers[n] === IGNORED) prediction[n] = 0;
    return { truth: truthOfClass(numbers, table, position), prediction };
  });
}
