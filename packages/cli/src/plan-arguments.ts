// The options on the command line that decide how scans are prepared and which network is built, for every command that trains.
import { InputError, networkPresets, type Plan, reorientToLps, type Vector3 } from "@lnsnet/core";
import { medianOf } from "@lnsnet/core/statistics";
import { channelPlan } from "@lnsnet/core/transforms";
import {
  type CacheSettings,
  type Case,
  type Dataset,
  planFor,
  readCacheSettings,
  readScan,
} from "@lnsnet/node";
import type { ArgsDef } from "citty";
import { foregroundArgument, networkSize, realNumber, threeNumbers } from "./arguments.js";

const DEFAULT_WINDOW = "-160,240";

export const planArguments = {
  network: {
    type: "enum",
    description: "network to train",
    options: Object.keys(networkPresets),
    default: "lnsnet",
  },
  patch: {
    type: "string",
    description: "size of patches in voxels: depth, height, width",
    default: "64,48,48",
    valueHint: "D,H,W",
  },
  spacing: {
    type: "string",
    description: "spacing in mm to which scans are resampled; by default their median",
    valueHint: "X,Y,Z",
  },
  window: {
    type: "string",
    description: `intensity window in HU; values outside are clipped; by default ${DEFAULT_WINDOW}`,
    valueHint: "LOW,HIGH",
  },
  cache: {
    type: "string",
    description: "folder that lnsnet preprocess wrote; it decides spacing and window",
    valueHint: "FOLDER",
  },
  foreground: foregroundArgument,
  "patient-pattern": {
    type: "string",
    description: "regular expression whose first group of a case's name is its patient",
    valueHint: "PATTERN",
  },
} as const satisfies ArgsDef;

/** The plan's options as citty hands them over. */
export interface PlanValues {
  readonly network: string;
  readonly patch: string;
  readonly spacing?: string | undefined;
  readonly window?: string | undefined;
  readonly cache?: string | undefined;
}

/**
 * The plan that the options ask for; what they leave open is taken from the data set.
 *
 * @throws InputError for a value that cannot be used
 */
export async function planOf(values: PlanValues, dataset: Dataset): Promise<Plan> {
  const network = networkPresets[values.network];
  const patchSize = networkSize(values.patch, "--patch", network);
  const settings =
    values.cache === undefined
      ? await workingSettings(dataset, values.spacing, values.window)
      : await settingsOfCache(values.cache, values.spacing, values.window);
  return planFor(dataset, { network, patchSize, ...settings });
}

/**
 * The working spacing and window: those asked for, else the median spacing of the training scans and the usual window.
 *
 * @throws InputError where a text cannot be used
 */
export async function workingSettings(
  { training, channels: names }: Dataset,
  spacing: string | undefined,
  window: string | undefined,
): Promise<CacheSettings> {
  const spacingMm =
    spacing === undefined ? await medianSpacing(training) : threeNumbers(spacing, "--spacing", 0.1, 50);
  const huWindow = windowOf(window ?? DEFAULT_WINDOW);
  const channels = channelPlan(names, huWindow);
  return { spacingMm, window: huWindow, ...(channels === undefined ? {} : { channels }) };
}

/** @throws InputError where the folder is no cache, or was made with other settings than those asked for */
async function settingsOfCache(
  folder: string,
  spacing: string | undefined,
  window: string | undefined,
): Promise<CacheSettings> {
  const settings = await readCacheSettings(folder);
  const { spacingMm, window: kept } = settings;
  const wanted = [
    ["--spacing", spacing, spacingMm.join()],
    ["--window", window, `${kept.lowHu},${kept.highHu}`],
  ] as const;
  for (const [option, asked, held] of wanted) {
    if (asked === undefined || asked.split(",").map(Number).join() === held) continue;
    throw new InputError(
      `${folder} was made with ${option} ${held}, and ${option} ${asked} is asked for; leave ${option} out or run lnsnet preprocess into another folder.`,
    );
  }
  return settings;
}

/** @throws InputError where the text is not a rising pair of HU. */
function windowOf(text: string): Plan["window"] {
  const [lowHu, highHu] = text.split(",").map((part) => realNumber(part, "--window", -32768, 32767));
  if (highHu === undefined || !(lowHu < highHu))
    throw new InputError(`--window is "${text}"; give two rising numbers of HU, such as -160,240.`);
  return { lowHu, highHu };
}

/** The median of the scans' spacings along x, y and z, in hundredths of a mm. */
async function medianSpacing(cases: readonly Case[]): Promise<Vector3> {
  const spacings: Vector3[] = [];
  for (const one of cases) spacings.push(reorientToLps(await readScan(one.imagePath)).spacingMm);
  const median = (axis: number): number =>
    Math.round(medianOf(spacings.map((spacing) => spacing[axis])) * 100) / 100;
  return [median(0), median(1), median(2)];
}
