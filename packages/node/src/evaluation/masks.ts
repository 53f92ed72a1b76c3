// Reads the true and the predicted mask of a scan, and decides which values are foreground.
import { dirname, join, resolve } from "node:path";
import { InputError, sameGeometry, type Volume } from "@lnsnet/core";
import { type IntegerVoxelArray, maskWhere } from "@lnsnet/core/volume";
import { labelValues, requireLabels } from "@lnsnet/core/voxels";
import { z } from "zod";
import { labelsOf, labelsSchema } from "../datasets/foreground.js";
import { isFile, readJson } from "../files/disk.js";
import { describeGeometry } from "../files/geometry-text.js";
import { readScan } from "../files/imaging.js";

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
}

/** The foreground of a pair, and the values that its files hold. */
export interface ComparedPair {
  readonly truth: Volume<IntegerVoxelArray>;
  readonly prediction: Volume<IntegerVoxelArray>;
  /** The values other than 0 that the files hold, ascending. */
  readonly truthValues: readonly number[];
  readonly predictionValues: readonly number[];
}

/** nnU-Net and others mark voxels to be ignored with this value. */
const usualIgnoredValue = 255;

/**
 * @throws InputError where a file holds no labels, the prediction is a probability map and there is no threshold or the
 *   other way round, the truth marks voxels that nobody judged, or the two have different geometry
 */
export async function readPair(
  { truthPath, predictionPath }: MaskPair,
  { truthLabel, predictionLabel, threshold }: ForegroundRules,
): Promise<ComparedPair> {
  const truth = requireLabels(await readScan(truthPath), truthPath);
  const scan = await readScan(predictionPath);
  const prediction =
    threshold === null
      ? requireLabels(
          scan,
          predictionPath,
          "give --threshold 0.5 to take what is at least as probable as that, or choose a mask",
        )
      : { ...scan, data: thresholded(scan, threshold, predictionPath) };
  if (!sameGeometry(truth, prediction)) {
    throw new InputError(
      `${predictionPath} (${describeGeometry(prediction)}) does not have the same geometry as ${truthPath} (${describeGeometry(truth)}); ` +
        "resample the prediction onto the truth's grid.",
    );
  }
  const truthValues = valuesOf(truth);
  const ignored = await ignoredValueOf(truthPath);
  if (ignored !== null && truthValues.includes(ignored))
    throw new InputError(
      `${truthPath} holds ${ignored}, which the data set's dataset.json calls "ignore": voxels that nobody judged, which cannot be left out yet; set them to 0 in truth and prediction.`,
    );
  if (truthLabel !== usualIgnoredValue) refuseIgnored(truthValues, truthPath);
  return {
    truth: withLabel(truth, truthLabel),
    prediction: withLabel(prediction, predictionLabel),
    truthValues,
    predictionValues: valuesOf(prediction),
  };
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
    { side: "truth", option: "--truth-label", label: truthLabel, values: union(pairs, "truthValues") },
    {
      side: "prediction",
      option: "--prediction-label",
      label: predictionLabel,
      values: union(pairs, "predictionValues"),
    },
  ];
  const holds = (values: readonly number[]) =>
    values.length === 0 ? "nothing but 0" : `the value${values.length === 1 ? "" : "s"} ${few(values)}`;
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

function thresholded({ data }: Volume, threshold: number, path: string): Uint8Array {
  const wrong = data.find((value) => value < 0 || value > 1);
  if (wrong !== undefined)
    throw new InputError(
      `${path} holds the value ${wrong}, and --threshold is for probabilities from 0 to 1; leave it out, or choose a probability map.`,
    );
  return maskWhere(data, (value) => value >= threshold);
}

/** The value of voxels that nobody judged, where the mask lies in a data set whose dataset.json names one. */
async function ignoredValueOf(truthPath: string): Promise<number | null> {
  const path = join(dirname(dirname(resolve(truthPath))), "dataset.json");
  if (!(await isFile(path))) return null;
  try {
    const { labels, regions_class_order } = await readJson(path, descriptionSchema);
    return labelsOf(path, labels, regions_class_order, null).scheme.ignored;
  } catch (error) {
    // What is wrong with a data set otherwise does not concern two masks.
    if (!(error instanceof InputError)) throw error;
    return null;
  }
}

const descriptionSchema = z.object({
  labels: labelsSchema,
  regions_class_order: z.array(z.number()).optional(),
});

function refuseIgnored(values: readonly number[], path: string): void {
  // Instances run on; 255 right after 254 is one of them.
  const isMark = values.includes(usualIgnoredValue) && !values.includes(usualIgnoredValue - 1);
  if (!isMark || values.length === 1) return;
  throw new InputError(
    `${path} holds 255 beside ${few(values.filter((value) => value !== usualIgnoredValue))}, as files do that mark voxels nobody judged, and such voxels cannot be left out yet; set them to 0 in truth and prediction.`,
  );
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
