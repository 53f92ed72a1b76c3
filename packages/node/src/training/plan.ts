// The plan of a training: requested settings, channels and classes of the data set, and defaults from its scans.

import { InputError } from "@lnsnet/core/errors";
import type { Plan } from "@lnsnet/core/models";
import { networkSchema } from "@lnsnet/core/networks";
import { medianOf } from "@lnsnet/core/statistics";
import { counted } from "@lnsnet/core/text";
import {
  channelPlan,
  defaultClickMaps,
  type IntensityWindow,
  inputChannels,
  logitChannels,
} from "@lnsnet/core/transforms";
import { reorientToLps, type Vector3 } from "@lnsnet/core/volume";
import { type CacheSettings, readCacheSettings } from "../datasets/cache.js";
import { type Case, type Dataset, listed } from "../datasets/dataset.js";
import { classNames } from "../datasets/foreground.js";
import { readScan } from "../files/imaging.js";

/** A window for soft tissue. */
export const defaultWindow: IntensityWindow = { lowHu: -160, highHu: 240 };

/** What of a plan is requested; its network is built for the data set's channels and classes. */
export type RequestedPlan = Pick<Plan, "network" | "patchSize" | "spacingMm" | "window"> & {
  /** Whether the network is to outline what is clicked, whatever it is. */
  readonly isPromptable?: boolean;
};

/** @throws InputError where a channel asks for a scaling that is not supported */
export function planFor(dataset: Dataset, asked: RequestedPlan): Plan {
  const { network, patchSize, spacingMm, window, isPromptable = false } = asked;
  const { labels, name } = dataset;
  const { scheme } = labels;
  const channels = channelPlan(dataset.channels, window);
  const clicks = isPromptable ? { clickMaps: defaultClickMaps } : {};
  const ends = {
    inputs: inputChannels({ window, channels, ...clicks }),
    classes: isPromptable ? 1 : logitChannels(scheme),
  };
  // What a promptable network outlines is one thing: the structure that is clicked.
  const isPlain = isPromptable || (scheme.classes.length === 1 && scheme.ignored === null);
  return {
    network: networkWith(
      network,
      ends,
      `${name} has ${counted(dataset.channels.length, "channel")} (${listed(dataset.channels)})`,
    ),
    patchSize,
    spacingMm,
    window,
    ...(channels === undefined ? {} : { channels }),
    ...clicks,
    ...(isPlain ? {} : { labels: writtenAsOne(scheme) }),
    foreground: listed(classNames(labels)),
    dataLabel: name,
  };
}

/**
 * The plan with another network, for the same channels and classes.
 *
 * @throws InputError where the network does not take them
 */
export function planWithNetwork(plan: Plan, network: Plan["network"]): Plan {
  const { inputs, classes } = plan.network.configuration;
  const found = `${plan.dataLabel} has ${counted(inputs, "channel")}`;
  return { ...plan, network: networkWith(network, { inputs, classes }, found) };
}

/** @param found what the data set has, for the sentence that refuses it */
function networkWith(
  network: Plan["network"],
  ends: { readonly inputs: number; readonly classes: number },
  found: string,
): Plan["network"] {
  const configuration = { ...network.configuration, ...ends };
  const checked = networkSchema.safeParse({ name: network.name, configuration });
  if (!checked.success)
    throw new InputError(
      `${found}, and the network does not take them: ${checked.error.issues[0].message}; choose another one (the option network).`,
    );
  return { ...network, configuration } as Plan["network"];
}

/** A class alone is written as 1, whatever its value in the data set. */
function writtenAsOne(scheme: NonNullable<Plan["labels"]>): NonNullable<Plan["labels"]> {
  const { classes } = scheme;
  return classes.length > 1 ? scheme : { ...scheme, classes: [{ ...classes[0], writtenAs: 1 }] };
}

/** Working spacing and window, where they are requested. */
export interface RequestedSettings {
  readonly spacingMm?: Vector3 | undefined;
  readonly window?: IntensityWindow | undefined;
}

/** The settings asked for; else the median spacing of the training scans, and {@link defaultWindow}. */
export async function workingSettings(
  { training, channels: names }: Dataset,
  { spacingMm, window = defaultWindow }: RequestedSettings = {},
): Promise<CacheSettings> {
  const channels = channelPlan(names, window);
  return {
    spacingMm: spacingMm ?? (await medianSpacing(training)),
    window,
    ...(channels === undefined ? {} : { channels }),
  };
}

/**
 * The settings that a cache was made with.
 *
 * @throws InputError where the folder is no cache, or was made with other settings than those asked for
 */
export async function cachedSettings(
  folder: string,
  { spacingMm, window }: RequestedSettings,
): Promise<CacheSettings> {
  const settings = await readCacheSettings(folder);
  const held = settings.window;
  const rows = [
    ["the option spacing", spacingMm?.join(), settings.spacingMm.join()],
    ["the option window", window && `${window.lowHu},${window.highHu}`, `${held.lowHu},${held.highHu}`],
  ] as const;
  for (const [option, asked, made] of rows)
    if (asked !== undefined && asked !== made)
      throw new InputError(
        `${folder} was made with ${option} ${made}, and ${option} ${asked} is requested; leave ${option} out or run lnsnet preprocess into another folder.`,
      );
  return settings;
}

/** The median of the scans' spacings along x, y and z, in hundredths of a mm. */
async function medianSpacing(cases: readonly Case[]): Promise<Vector3> {
  const spacings: Vector3[] = [];
  for (const { imagePath } of cases) spacings.push(reorientToLps(await readScan(imagePath)).spacingMm);
  const median = (axis: number): number =>
    Math.round(medianOf(spacings.map((spacing) => spacing[axis])) * 100) / 100;
  return [median(0), median(1), median(2)];
}
