// The mask of a probability, as experiments judge it.
import { cleanedMask, type Geometry, type Volume } from "@lnsnet/core";
import { FOREGROUND_THRESHOLD } from "@lnsnet/core/inference";
import { restoreMask } from "@lnsnet/core/transforms";

/** The mask of a probability on the scan's own grid, without bodies below the least volume. */
export function predictedMask(
  probability: Volume<Float32Array>,
  scan: Geometry,
  minimumVolumeMl: number,
): Volume<Uint8Array> {
  const mask = restoreMask(probability, scan, FOREGROUND_THRESHOLD);
  return cleanedMask(mask, { minimumVolumeMl, fillsCavities: false });
}
