// The options on the command line that decide how scans are prepared and which network is built, for every command that trains.
import { InputError } from "@lnsnet/core/errors";
import type { Plan } from "@lnsnet/core/models";
import { networkPresets } from "@lnsnet/core/networks";
import { type Dataset, type LeftOutStructures, leftOutStructures } from "@lnsnet/node/datasets";
import {
  cachedSettings,
  defaultWindow,
  planFor,
  type RequestedSettings,
  workingSettings,
} from "@lnsnet/node/training";
import type { ArgsDef } from "citty";
import { foregroundArgument, realNumber, threeNumbers } from "./arguments.js";
import { networkSize } from "./network-size.js";

/** How scans are brought to one grid and scale. */
export const workingArguments = {
  spacing: {
    type: "string",
    description: "spacing in mm to which scans are resampled; by default their median",
    valueHint: "X,Y,Z",
  },
  window: {
    type: "string",
    description: `intensity window in HU; values outside are clipped; by default ${defaultWindow.lowHu},${defaultWindow.highHu}`,
    valueHint: "LOW,HIGH",
  },
} as const satisfies ArgsDef;

/** What a network that is clicked learns. */
export const clickTrainingArguments = {
  clicks: {
    type: "boolean",
    description:
      "for a network that outlines what is clicked: every node, label and organ (organsTr) of the data set is a structure of its own; others of similar tissue are made from the scans in training",
  },
  "leave-out": {
    type: "string",
    description:
      "with --clicks: what is not learned, by names of classes or values of organs, separated by commas, such as parotid,organs:1",
    valueHint: "NAMES",
  },
} as const satisfies ArgsDef;

/**
 * The structures that are left out; undefined without --clicks.
 *
 * @throws InputError for a name that is none, and for names without --clicks
 */
export function leftOutOf(
  values: { readonly clicks?: boolean | undefined; readonly "leave-out"?: string | undefined },
  { labels }: Dataset,
): LeftOutStructures | undefined {
  const names = values["leave-out"];
  if (values.clicks === true) return leftOutStructures(names?.split(",") ?? [], labels);
  if (names === undefined) return undefined;
  throw new InputError("--leave-out is for a network that is clicked; give --clicks too, or leave it out.");
}

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
  ...workingArguments,
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
  readonly clicks?: boolean | undefined;
}

/**
 * The plan that the options ask for; what they leave open is taken from the data set.
 *
 * @throws InputError for a value that cannot be used
 */
export function planOf(values: PlanValues, dataset: Dataset): Promise<Plan> {
  const network = networkPresets[values.network];
  return planWith({ network, patchSize: networkSize(values.patch, "--patch", network) }, values, dataset);
}

/** @throws InputError for a value that cannot be used */
export async function planWith(
  given: Pick<Plan, "network" | "patchSize">,
  values: Omit<PlanValues, "network" | "patch">,
  dataset: Dataset,
): Promise<Plan> {
  const asked = askedSettings(values);
  const settings =
    values.cache === undefined
      ? await workingSettings(dataset, asked)
      : await cachedSettings(values.cache, asked);
  return planFor(dataset, { ...given, ...settings, isPromptable: values.clicks === true });
}

/** @throws InputError where a text cannot be used */
export function askedSettings({
  spacing,
  window,
}: Pick<PlanValues, "spacing" | "window">): RequestedSettings {
  return {
    spacingMm: spacing === undefined ? undefined : threeNumbers(spacing, "--spacing", 0.1, 50),
    window: window === undefined ? undefined : windowOf(window),
  };
}

/** @throws InputError where the text is not a rising pair of HU. */
function windowOf(text: string): Plan["window"] {
  const [lowHu, highHu] = text.split(",").map((part) => realNumber(part, "--window", -32768, 32767));
  if (highHu === undefined || !(lowHu < highHu))
    throw new InputError(`--window is "${text}"; give two rising numbers of HU, such as -160,240.`);
  return { lowHu, highHu };
}
