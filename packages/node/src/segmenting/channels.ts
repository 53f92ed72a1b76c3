// The channel files of a scan: NAME_0000, NAME_0001, … as nnU-Net names them, or files that are named one by one.
import { InputError } from "@lnsnet/core/errors";
import { type ChannelPlan, channelsOf, ctChannelOf } from "@lnsnet/core/transforms";
import { isFile } from "../files/disk.js";

/** The channels that a model takes. */
export interface ModelChannels {
  /** In the model's order. */
  readonly names: readonly string[];
  /** Which of them is a CT in HU; null where none is. */
  readonly ct: number | null;
  /** The files of all but the first, where they were named; null where they lie beside it. */
  readonly given: readonly string[] | null;
}

/** @throws InputError where more or fewer files are named than the model takes beside the first */
export function modelChannels(plan: ChannelPlan, given: readonly string[] | null): ModelChannels {
  const channels = { names: channelsOf(plan).map(({ name }) => name), ct: ctChannelOf(plan), given };
  if (given !== null && given.length !== channels.names.length - 1)
    throw new InputError(
      `The option channels names ${given.length} ${given.length === 1 ? "file" : "files"} (${given.join(", ")}), and ${taken(channels)}; name the files of all but the first, in this order.`,
    );
  return channels;
}

/** "the model takes 2 channels (CT, PET)". */
export const taken = ({ names }: ModelChannels): string =>
  `the model takes ${names.length} ${names.length === 1 ? "channel" : "channels"} (${names.join(", ")})`;

/**
 * The files of all channels but the first.
 *
 * @param path the first
 * @throws InputError where one is missing, or the name has no channel number by which the others could be found
 */
export async function furtherChannels(path: string, channels: ModelChannels): Promise<readonly string[]> {
  const { names, given } = channels;
  if (given !== null) return given;
  if (names.length === 1) return [];
  const parts = numberedName(path);
  if (parts?.number !== 0)
    throw new InputError(
      `${path} is ${parts === null ? "one file" : "not the first channel"}, and ${taken(channels)}; call the files NAME_0000, NAME_0001, … in this order and give the first, or name the others with the option channels.`,
    );
  const further = names.slice(1).map((_, at) => parts.nameOf(at + 1));
  for (const [at, file] of further.entries())
    if (!(await isFile(file)))
      throw new InputError(
        `${file} (${names[at + 1]}) does not exist, and ${taken(channels)}; add it beside ${path}, or name the others with the option channels.`,
      );
  return further;
}

/**
 * The first channels among the volume files of a folder.
 *
 * @throws InputError where a file is none of the model's channels, or one of a scan without its first
 */
export function firstChannels(paths: readonly string[], channels: ModelChannels): readonly string[] {
  if (channels.names.length === 1) return paths;
  const known = new Set(paths);
  return paths.filter((path) => {
    const parts = numberedName(path);
    if (parts === null || parts.number >= channels.names.length)
      throw new InputError(
        `${path} is no channel of a scan, and ${taken(channels)}; call the files NAME_0000, NAME_0001, … in this order, and move others away.`,
      );
    if (!known.has(parts.nameOf(0)))
      throw new InputError(
        `${parts.nameOf(0)} does not exist, and ${taken(channels)}; add it beside ${path}.`,
      );
    return parts.number === 0;
  });
}

/** The number of a file's channel, and the names of the other channels' files; null where it has none. */
function numberedName(path: string) {
  const match = /^(.*)_(\d{4})(\.[^\\/]+)$/.exec(path);
  if (match === null) return null;
  const [, stem, number, ending] = match;
  const nameOf = (other: number) => `${stem}_${String(other).padStart(4, "0")}${ending}`;
  return { number: Number(number), nameOf };
}
