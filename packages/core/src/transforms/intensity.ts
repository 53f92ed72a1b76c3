// How the values of an image's channels become a network's input.
import { InputError } from "../errors.js";
import type { Volume } from "../volume/volume.js";
import { CLICK_CHANNELS, type ClickMaps } from "./click-maps.js";

/** Intensities in HU: `lowHu` becomes −1, `highHu` becomes 1, values outside are clipped. */
export interface IntensityWindow {
  readonly lowHu: number;
  readonly highHu: number;
}

/** A window for CT; for all else the z-score of {@link zScores}. */
export type Scaling = IntensityWindow | "z-score";

/** A channel of the image, in the order of the files `_0000`, `_0001`, …. */
export interface Channel {
  /** As dataset.json names it, such as "CT" or "PET". */
  readonly name: string;
  readonly scaling: Scaling;
}

/** What of a plan says how channels are scaled. */
export interface ChannelPlan {
  /** Of the CT. */
  readonly window: IntensityWindow;
  /** Absent for CT alone. */
  readonly channels?: readonly Channel[] | undefined;
  /** Where the network is promptable: two further inputs tell it of clicks, and it answers to nothing else. */
  readonly clickMaps?: ClickMaps | undefined;
}

/** All channels of a plan. */
export const channelsOf = ({ window, channels }: ChannelPlan): readonly Channel[] =>
  channels ?? [{ name: "CT", scaling: window }];

/** Channels of a network's input: those of the image, and the maps of clicks behind them. */
export const inputChannels = (plan: ChannelPlan): number =>
  channelsOf(plan).length + (plan.clickMaps === undefined ? 0 : CLICK_CHANNELS);

/** How each channel of a plan is scaled. */
export const scalingsOf = (plan: ChannelPlan): readonly Scaling[] =>
  channelsOf(plan).map(({ scaling }) => scaling);

export const isWindow = (scaling: Scaling): scaling is IntensityWindow => scaling !== "z-score";

/** Which channel is a CT in HU: the first with a window; null where there is none. */
export function ctChannelOf(plan: ChannelPlan): number | null {
  const at = scalingsOf(plan).findIndex(isWindow);
  return at < 0 ? null : at;
}

/**
 * The channels of nnU-Net's `channel_names`: "CT" (and "CT" with a number or a word behind it) by the window, every
 * other name by z-score, as nnU-Net does.
 *
 * @returns undefined for CT alone, as plans state it
 * @throws InputError for the names by which nnU-Net asks for other scalings
 */
export function channelPlan(
  names: readonly string[],
  window: IntensityWindow,
  path = "dataset.json",
): readonly Channel[] | undefined {
  for (const name of names)
    if (["nonorm", "rescale_to_0_1", "rgb_to_0_1"].includes(name.toLowerCase()))
      throw new InputError(
        `${path} names the channel "${name}", by which nnU-Net leaves values as they are or scales them to 0 … 1, and only CT windows and z-scores are supported; give the channel another name.`,
      );
  const channels = names.map((name): Channel => ({ name, scaling: isCtName(name) ? window : "z-score" }));
  return channels.length === 1 && isWindow(channels[0].scaling) ? undefined : channels;
}

/** Whether a channel's name is that of a CT in HU: "CT", "ct", "CT 2", "CT_contrast". */
export const isCtName = (name: string): boolean => /^ct([^a-z]|$)/i.test(name);

/** Z-scores are kept in 16 bits as thousandths, so that they reach ±32.7. */
export const STORED_STEPS = 1000;

/** What lies beyond the image, as it is stored: air in CT, the mean of all else. */
export const outsideOf = (scaling: Scaling): number => (isWindow(scaling) ? scaling.lowHu : 0);

/**
 * (value − mean) / standard deviation, over the voxels that are not 0, or over all where none is. Voxels of 0 stay 0, as
 * where nnU-Net normalises within the mask of nonzero voxels.
 */
export function zScores(volume: Volume): Volume<Float32Array> {
  const { data } = volume;
  let [count, sum, squares] = [0, 0, 0];
  for (let n = 0; n < data.length; n++) {
    if (data[n] === 0) continue;
    count++;
    sum += data[n];
  }
  const mean = count === 0 ? 0 : sum / count;
  for (let n = 0; n < data.length; n++) if (data[n] !== 0) squares += (data[n] - mean) ** 2;
  const deviation = Math.max(Math.sqrt(squares / Math.max(1, count)), 1e-8);
  const scores = new Float32Array(data.length);
  for (let n = 0; n < data.length; n++) if (data[n] !== 0) scores[n] = (data[n] - mean) / deviation;
  return { ...volume, data: scores };
}

/** HU to [−1, 1]: the window's ends become the range's ends. */
export function normaliseHu(hu: ArrayLike<number>, window: IntensityWindow): Float32Array {
  const image = Float32Array.from(hu);
  normaliseInPlace(image, window);
  return image;
}

/** Stored values to a network's input, where the array stands. */
export function normaliseInPlace(image: Float32Array, scaling: Scaling): void {
  if (!isWindow(scaling)) {
    for (let n = 0; n < image.length; n++) image[n] /= STORED_STEPS;
    return;
  }
  const { lowHu, highHu } = scaling;
  const scale = 2 / (highHu - lowHu);
  for (let n = 0; n < image.length; n++) {
    const value = (image[n] - lowHu) * scale - 1;
    image[n] = value < -1 ? -1 : Math.min(value, 1);
  }
}
