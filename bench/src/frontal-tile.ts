// A scan seen from the front with all that was found in it, small enough to see many scans at once.
import { reorientToLps, resample, type Volume } from "@lnsnet/core";
import type { MontageTile } from "@lnsnet/core/reports";
import { gridWithSpacing, resampleLabels } from "@lnsnet/core/volume";

const pixelMm = 2.5;
/** Fat to soft tissue; what is denser or thinner is clipped, so that bones do not hide what lies behind them. */
const window = { lowHu: -160, highHu: 240 };

/**
 * The mean of the clipped HU from front to back, and every place at which a label lies at any depth.
 *
 * @param labels on the grid of the scan; 0 is nothing
 */
export function frontalTile(name: string, scan: Volume, labels: Volume): MontageTile {
  const grid = gridWithSpacing(reorientToLps(scan), [pixelMm, pixelMm, pixelMm]);
  const [width, depth, height] = grid.size;
  const hu = resample(scan, grid, "linear", window.lowHu).data;
  const found = resampleLabels(labels, grid).data;
  const grey = new Float32Array(width * height);
  const mask = new Uint8Array(width * height);
  for (let k = 0; k < height; k++)
    for (let j = 0; j < depth; j++)
      for (let i = 0; i < width; i++) {
        const at = i + width * (j + depth * k);
        // The top row is the highest slice.
        const pixel = i + width * (height - 1 - k);
        const clipped = Math.min(window.highHu, Math.max(window.lowHu, hu[at]));
        grey[pixel] += (clipped - window.lowHu) / (window.highHu - window.lowHu);
        if (found[at] !== 0) mask[pixel] = 1;
      }
  const brightest = grey.reduce((most, value) => Math.max(most, value), 1e-6);
  return { name, width, height, grey: grey.map((value) => (2 * value) / brightest - 1), mask };
}
