// Draws planes where nobody sees them, so that a person's first slices are as quick as the later ones.
import type { Volume } from "@lnsnet/core/volume";
import { paintLabels, paintOf } from "./label-paint.js";
import { patientPlanes, planeNames } from "./plane.js";
import { resliceGrey, resliceLabels } from "./reslice.js";

const edge = 64;

/**
 * Browsers compile a function after it has run for a while; until then a picture takes three times as long.
 *
 * @returns draws each plane once
 */
export function planeRehearsal(): () => void {
  const grid = {
    size: [edge, edge, edge],
    spacingMm: [1, 1, 1],
    originMm: [0, 0, 0],
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  } as const;
  // Of black, of white and of grey, so that every way through the functions is compiled.
  const scan: Volume = {
    ...grid,
    data: Int16Array.from({ length: edge ** 3 }, (_, n) => ((n * 7919) % 2000) - 1000),
  };
  const labels = { ...grid, data: new Uint8Array(edge ** 3).fill(1) };
  const paint = paintOf([{ number: 1, colour: "#ffffff", visible: true }], 0, 0.3);
  const pixels = new Uint32Array(edge * edge);
  const numbers = new Uint8Array(edge * edge);
  const middle = 0.27 + (edge - 1) / 2;
  return () => {
    for (const name of planeNames) {
      const view = {
        axes: patientPlanes[name],
        centreMm: [middle, middle, middle] as const,
        mmPerPixel: 0.71,
        width: edge,
        height: edge,
      };
      resliceGrey(scan, view, { centreHu: 40, widthHu: 400 }, pixels);
      resliceLabels(labels, view, numbers);
      paintLabels(numbers, edge, paint, pixels);
    }
  };
}
