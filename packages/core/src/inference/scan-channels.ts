// The channels of a scan on a common grid, and which of them is the CT.
import { InputError } from "../errors.js";
import { type ChannelPlan, channelsOf, ctChannelOf } from "../transforms/intensity.js";
import { sameGeometry, type Volume } from "../volume/volume.js";

export interface ScanChannels {
  /** In the order of the plan. */
  readonly channels: readonly Volume[];
  /** The channel that is a CT in HU, used to find body and neck and to measure density; null where there is none. */
  readonly ct: Volume | null;
}

/**
 * The channels of a scan, one volume for each of the plan.
 *
 * @throws InputError where there are fewer or more than the model takes, or a channel does not have the grid of the first
 */
export function scanChannels(scan: Volume | readonly Volume[], plan: ChannelPlan): ScanChannels {
  const channels: readonly Volume[] = isList(scan) ? scan : [scan];
  const names = channelsOf(plan).map(({ name }) => name);
  if (channels.length !== names.length)
    throw new InputError(
      `The model takes ${names.length} ${names.length === 1 ? "channel" : "channels"} (${names.join(", ")}), and the scan has ${channels.length}; give one volume for each.`,
    );
  const other = channels.findIndex((volume) => !sameGeometry(volume, channels[0]));
  if (other > 0)
    throw new InputError(
      `Channel ${other} (${names[other]}) does not have the same geometry as channel 0 (${names[0]}); resample it onto that grid.`,
    );
  const ct = ctChannelOf(plan);
  return { channels, ct: ct === null ? null : channels[ct] };
}

const isList = (scan: Volume | readonly Volume[]): scan is readonly Volume[] => Array.isArray(scan);
