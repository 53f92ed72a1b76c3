// Reads the true and the predicted mask of a scan, and decides which values are foreground.
import { InputError } from "@lnsnet/core/errors";
import { type LabelScheme, targetNumbers, targetTable, truthOfClass } from "@lnsnet/core/transforms";
import {
  describeGeometry,
  type IntegerVoxelArray,
  maskWhere,
  sameGeometry,
  type Volume,
} from "@lnsnet/core/volume";
import { labelValues, requireLabels } from "@lnsnet/core/voxels";
import { readLabelVolume, readScan } from "../files/imaging.js";

/** Two masks of one scan. */
export interface MaskPair {
  readonly case: string;
  readonly truthPath: string;
  readonly predictionPath: string;
}

/** What is foreground. */
export interface ForegroundRules {
  /** The value that is foreground; null takes every value but 0. */
  readonly truthLabel: number | null;
  readonly predictionLabel: number | null;
  /** The probability from which on a voxel of the prediction is foreground; null where predictions are labels. */
  readonly threshold: number | null;
  /** The value of truth voxels that nobody judged, which count nowhere; null where there is none. */
  readonly ignored: number | null;
}

/** The foreground of a pair, without the voxels that nobody judged, and the values that its files hold. */
export interface ComparedPair {
  readonly truth: Volume<IntegerVoxelArray>;
  readonly prediction: Volume<IntegerVoxelArray>;
  /** The values that the files hold, ascending, other than 0 and the one to be ignored. */
  readonly truthValues: readonly number[];
  readonly predictionValues: readonly number[];
}

/** nnU-Net and others mark voxels to be ignored with this value. */
const usualIgnoredValue = 255;

/**
 * @throws InputError where a file holds no labels, the prediction is a probability map and there is no threshold or the
 *   other way round, the truth seems to mark voxels that nobody judged and the rules do not say so, or the two have
 *   different geometry
 */
export async function readPair(
  { truthPath, predictionPath }: MaskPair,
  { truthLabel, predictionLabel, threshold, ignored }: ForegroundRules,
): Promise<ComparedPair> {
  const truth = await readLabelVolume(truthPath);
  const scan = await readScan(predictionPath);
  const prediction =
    threshold === null
      ? requireLabels(
          scan,
          predictionPath,
          "give the option threshold 0.5 to take what is at least as probable as that, or choose a mask",
        )
      : { ...scan, data: thresholded(scan, threshold, predictionPath) };
  if (!sameGeometry(truth, prediction)) {
    throw new InputError(
      `${predictionPath} (${describeGeometry(prediction)}) does not have the same geometry as ${truthPath} (${describeGeometry(truth)}); ` +
        "resample the prediction onto the truth's grid.",
    );
  }
  const truthValues = valuesOf(truth).filter((value) => value !== ignored);
  if (truthLabel !== usualIgnoredValue) refuseIgnored(truthValues, truthPath);
  const isJudged = ignored === null ? null : maskWhere(truth.data, (value) => value !== ignored);
  return {
    truth: withLabel(judged(truth, isJudged), truthLabel),
    prediction: withLabel(judged(prediction, isJudged), predictionLabel),
    truthValues,
    predictionValues: valuesOf(prediction).filter((value) => value !== ignored),
  };
}

/** A class of a pair as masks. */
export interface ComparedClass {
  readonly truth: Volume<Uint8Array>;
  readonly prediction: Volume<Uint8Array>;
}

/** Both masks of one class; of a region, the voxels of all its values. */
export function classOfPair(
  { truth, prediction }: ComparedPair,
  scheme: LabelScheme,
  position: number,
): ComparedClass {
  const table = targetTable(scheme);
  const ofClass = (labels: Volume<IntegerVoxelArray>) => ({
    ...labels,
    data: truthOfClass(targetNumbers(labels.data, table), table, position),
  });
  return { truth: ofClass(truth), prediction: ofClass(prediction) };
}

/**
 * What is odd about the values of all pairs together, a sentence each: a label that one side has nowhere, several
 * values that count as one.
 *
 * @throws InputError where a label is in no file of either side, so that empty masks would agree perfectly
 */
export function checkValues(
  pairs: readonly Pick<ComparedPair, "truthValues" | "predictionValues">[],
  { truthLabel, predictionLabel }: ForegroundRules,
): string[] {
  const sides = [
    {
      side: "truth",
      option: "the option truth-label",
      label: truthLabel,
      values: union(pairs, "truthValues"),
    },
    {
      side: "prediction",
      option: "the option prediction-label",
      label: predictionLabel,
      values: union(pairs, "predictionValues"),
    },
  ];
  const holds = (values: readonly number[]) =>
    values.length === 0 ? "nothing but 0" : valuesInWords(values);
  const absent = sides.filter(({ label, values }) => label !== null && !values.includes(label));
  if (absent.length === 2)
    throw new InputError(
      `No file holds the requested label: ${absent.map(({ side, label, values }) => `${label} in the ${side}, which holds ${holds(values)}`).join(", and ")}; give a value that is there.`,
    );
  const missing = absent.map(
    ({ side, label, values }) =>
      `No ${side} holds the value ${label}: every mask of it is empty. It holds ${holds(values)}.`,
  );
  const merged = sides
    .filter(({ label, values }) => label === null && values.length > 1)
    .map(
      ({ side, option, values }) =>
        `The ${side} holds ${holds(values)}, which count as one foreground; ${option} chooses one of them.`,
    );
  return [...missing, ...merged];
}

/**
 * What is odd about the values of all pairs together where classes are compared, a sentence each: a class that one side
 * has nowhere.
 *
 * @param path the dataset.json that names the classes
 * @throws InputError where a file holds a value without a class
 */
export function checkClasses(
  pairs: readonly Pick<ComparedPair, "truthValues" | "predictionValues">[],
  { classes }: LabelScheme,
  path: string,
): string[] {
  const known = classes.flatMap((labelClass) => labelClass.values);
  const named = classes.map(({ name, values }) => `${values.join(", ")} (${name})`).join(", ");
  return (["truth", "prediction"] as const).flatMap((side) => {
    const values = union(pairs, `${side}Values`);
    const unknown = values.filter((value) => !known.includes(value));
    if (unknown.length > 0)
      throw new InputError(
        `The ${side} holds ${valuesInWords(unknown)}, and ${path} names ${named}; choose a value of each with the option truth-label and the option prediction-label, or give masks of these classes.`,
      );
    return classes
      .filter((labelClass) => !labelClass.values.some((value) => values.includes(value)))
      .map(({ name }) => `No ${side} holds ${name}: every mask of it is empty.`);
  });
}

const valuesInWords = (values: readonly number[]): string =>
  `the value${values.length === 1 ? "" : "s"} ${few(values)}`;

function thresholded({ data }: Volume, threshold: number, path: string): Uint8Array {
  const wrong = data.find((value) => value < 0 || value > 1);
  if (wrong !== undefined)
    throw new InputError(
      `${path} holds the value ${wrong}, and the option threshold is for probabilities from 0 to 1; leave it out, or choose a probability map.`,
    );
  return maskWhere(data, (value) => value >= threshold);
}

function refuseIgnored(values: readonly number[], path: string): void {
  // Instances run on; 255 right after 254 is one of them.
  const isMark = values.includes(usualIgnoredValue) && !values.includes(usualIgnoredValue - 1);
  if (!isMark || values.length === 1) return;
  throw new InputError(
    `${path} holds 255 beside ${few(values.filter((value) => value !== usualIgnoredValue))}, as files do that mark voxels nobody judged; give the option ignore 255 to leave them out, or set them to 0.`,
  );
}

/** Labels where a truth was judged, and 0 elsewhere. */
function judged(labels: Volume<IntegerVoxelArray>, isJudged: Uint8Array | null): Volume<IntegerVoxelArray> {
  if (isJudged === null) return labels;
  const data = labels.data.slice();
  for (let n = 0; n < data.length; n++) if (isJudged[n] === 0) data[n] = 0;
  return { ...labels, data };
}

function withLabel(labels: Volume<IntegerVoxelArray>, label: number | null): Volume<IntegerVoxelArray> {
  return label === null ? labels : { ...labels, data: maskWhere(labels.data, (value) => value === label) };
}

const valuesOf = ({ data }: Volume): number[] => labelValues(data).filter((value) => value !== 0);

function union(
  pairs: readonly Pick<ComparedPair, "truthValues" | "predictionValues">[],
  side: "truthValues" | "predictionValues",
): number[] {
  return [...new Set(pairs.flatMap((pair) => pair[side]))].sort((a, b) => a - b);
}

const few = (values: readonly number[]): string =>
  values.length <= 5 ? values.join(", ") : `${values.slice(0, 5).join(", ")} and ${values.length - 5} more`;
