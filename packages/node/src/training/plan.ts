// The plan of a training: what is asked for, and the channels and classes of the data set.
import type { Plan } from "@lnsnet/core";
import { channelPlan, logitChannels } from "@lnsnet/core/transforms";
import { type Dataset, listed } from "../datasets/dataset.js";
import { classNames } from "../datasets/foreground.js";

/** What of a plan is asked for; its network is built for the data set's channels and classes. */
export type AskedPlan = Pick<Plan, "network" | "patchSize" | "spacingMm" | "window">;

/** @throws InputError where a channel asks for a scaling that is not supported */
export function planFor(dataset: Dataset, asked: AskedPlan): Plan {
  const { network, patchSize, spacingMm, window } = asked;
  const { labels, name } = dataset;
  const { scheme } = labels;
  const channels = channelPlan(dataset.channels, window);
  const configuration = {
    ...network.configuration,
    inputs: dataset.channels.length,
    classes: logitChannels(scheme),
  };
  const isPlain = scheme.classes.length === 1 && scheme.ignored === null;
  return {
    network: { ...network, configuration } as Plan["network"],
    patchSize,
    spacingMm,
    window,
    ...(channels === undefined ? {} : { channels }),
    ...(isPlain ? {} : { labels: writtenAsOne(scheme) }),
    foreground: listed(classNames(labels)),
    dataLabel: name,
  };
}

/** A class alone is written as 1, whatever its value in the data set. */
function writtenAsOne(scheme: NonNullable<Plan["labels"]>): NonNullable<Plan["labels"]> {
  const { classes } = scheme;
  return classes.length > 1 ? scheme : { ...scheme, classes: [{ ...classes[0], writtenAs: 1 }] };
}
