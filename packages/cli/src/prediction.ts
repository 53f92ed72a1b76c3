// What commands share that predict: the model that ships, and the mask of a probability as experiments judge it.
import { fileURLToPath } from "node:url";
import { cleanedMask, FOREGROUND_THRESHOLD, type Geometry, restoreMask, type Volume } from "@lnsnet/core";

/** The model that ships with the package, trained on the phantom. */
export const shippedModelPath = fileURLToPath(new URL("../models/phantom.safetensors", import.meta.url));

/** The mask of a probability on the scan's own grid, without bodies below the least volume. */
export function predictedMask(
  probability: Volume<Float32Array>,
  scan: Geometry,
  minimumVolumeMl: number,
): Volume<Uint8Array> {
  const mask = restoreMask(probability, scan, FOREGROUND_THRESHOLD);
  return cleanedMask(mask, { minimumVolumeMl, fillsCavities: false });
}
