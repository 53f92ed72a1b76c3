// A scan seen from the front with all that was found in it, small enough to see many scans at once.
import type { Volume } from "@lnsnet/core";
import type { MontageTile } from "@lnsnet/core/reports";
import { prepareImage, prepareLabel } from "@lnsnet/core/transforms";

const pixelMm = 2.5;
/** Fat to soft tissue; what is denser or thinner is clipped, so that bones do not hide what lies behind them. */
const window = { lowHu: -160, highHu: 240 };

/**
 * The mean of the clipped HU from front to back, and every place at which a label lies at any depth.
 *
 * @param labels on the grid of the scan; 0 is nothing
 */
export function frontalTile(name: string, scan: Volume, labels: Volume): MontageTile {
  const prepared = prepareImage(scan, [pixelMm, pixelMm, pixelMm], window);
  const [width, depth, height] = prepared.size;
  const found = prepareLabel(labels, prepared);
  const grey = new Float32Array(width * height);
  const mask = new Uint8Array(width * height);
  for (let k = 0; k < height; k++)
    for (let j = 0; j < depth; j++)
      for (let i = 0; i < width; i++) {
        const at = i + width * (j + depth * k);
        // The top row is the highest slice.
        const pixel = i + width * (height - 1 - k);
        grey[pixel] += prepared.hu[at] - window.lowHu;
        if (found[at] !== 0) mask[pixel] = 1;
      }
  const brightest = grey.reduce((most, value) => Math.max(most, value), 1);
  return { name, width, height, grey: grey.map((value) => (2 * value) / brightest - 1), mask };
}
