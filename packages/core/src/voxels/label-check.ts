// Checks that the voxels of a volume can be labels, and converts them to integers.
import { InputError } from "../errors.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume, VoxelArray } from "../volume/volume.js";
import { ctProblem } from "./ct-check.js";

/** Float arithmetic may give 0.99999988 instead of 1; half floats have an error of up to 0.0005. */
const nearlyWhole = 1e-3;
/** No atlas has as many labels, and every scan has more values. */
const maxLabelValues = 1000;

/**
 * The labels of a volume as integers; nearly integer values are rounded.
 *
 * @param name - of the file, for the message
 * @param adviceOnProbabilities - what to do with a probability map, as a clause
 * @throws InputError where the volume is a scan or a probability map, or a value is negative or not a whole number
 */
export function requireLabels(
  volume: Volume,
  name: string,
  adviceOnProbabilities = "name a file of labels",
): Volume<IntegerVoxelArray> {
  const { data } = volume;
  const wrong = data instanceof Uint8Array ? undefined : data.find((value) => !isLabel(value));
  if (wrong !== undefined) {
    if (isProbabilityMap(data))
      throw new InputError(
        `${name} holds values between 0 and 1, such as ${Number(wrong.toPrecision(3))}, as a probability map does, and labels are whole numbers; ${adviceOnProbabilities}.`,
      );
    const kind = ctProblem(volume) === null ? ", as a CT does" : "";
    throw new InputError(
      `${name} holds the value ${wrong}${kind}, and labels are whole numbers of at least 0; choose a file of labels.`,
    );
  }
  const whole = isWhole(data) ? data : rounded(data);
  if (!(whole instanceof Uint8Array) && hasManyValues(whole))
    throw new InputError(
      `${name} holds more than ${maxLabelValues} different values, as a scan does, and labels have few; choose a file of labels.`,
    );
  return { ...volume, data: whole };
}

/** Whether all values lie between 0 and 1, and at least one is neither 0 nor 1. */
export function isProbabilityMap(data: VoxelArray): boolean {
  return data.every((value) => value >= 0 && value <= 1) && data.some((value) => !isLabel(value));
}

function isLabel(value: number): boolean {
  return Math.abs(value - Math.round(value)) <= nearlyWhole && value >= -nearlyWhole;
}

function isWhole(data: VoxelArray): data is IntegerVoxelArray {
  return !(data instanceof Float32Array || data instanceof Float64Array);
}

function rounded(data: VoxelArray): Int32Array {
  const whole = new Int32Array(data.length);
  for (let at = 0; at < whole.length; at++) whole[at] = Math.round(data[at]);
  return whole;
}

function hasManyValues(labels: IntegerVoxelArray): boolean {
  const values = new Set<number>();
  let previous = 0;
  for (const value of labels) {
    if (value === previous) continue;
    values.add(value);
    if (values.size > maxLabelValues) return true;
    previous = value;
  }
  return false;
}
