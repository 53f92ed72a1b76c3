// Dilates a mask in a slice by a disc.
import { labelRuns } from "./components.js";

/** The pixels of a slice: `slice[a + size[0] * b]`. */
export interface SliceGrid {
  readonly size: readonly [number, number];
  readonly spacingMm: readonly [number, number];
}

/** The pixels (0 and 1) of a slice that have foreground within a radius. Outside the slice is background. */
export function growByDisc(
  slice: Uint8Array,
  { size: [width, height], spacingMm }: SliceGrid,
  radiusMm: number,
): Uint8Array {
  const reach = Math.min(Math.floor(radiusMm / spacingMm[1]), height);
  const halfWidths = Array.from({ length: reach + 1 }, (_, rows) =>
    Math.floor(Math.sqrt(radiusMm ** 2 - (rows * spacingMm[1]) ** 2) / spacingMm[0]),
  );
  // +1 where a run of the disc begins in a row and −1 where it ends; their running sum counts the runs over a pixel.
  const changes = new Int32Array((width + 1) * height);
  const { starts, ends } = labelRuns(slice, [width, height, 1], 6);
  for (let run = 0; run < starts.length; run++) {
    const row = Math.floor(starts[run] / width);
    const first = starts[run] - row * width;
    const end = ends[run] - row * width;
    for (let other = Math.max(0, row - reach); other <= Math.min(height - 1, row + reach); other++) {
      const halfWidth = halfWidths[Math.abs(other - row)];
      changes[other * (width + 1) + Math.max(0, first - halfWidth)]++;
      changes[other * (width + 1) + Math.min(width, end + halfWidth)]--;
    }
  }
  const grown = new Uint8Array(slice.length);
  for (let row = 0, at = 0; row < height; row++) {
    let covering = 0;
    for (let column = 0; column < width; column++, at++) {
      covering += changes[row * (width + 1) + column];
      if (covering > 0) grown[at] = 1;
    }
  }
  return grown;
}

export function inverted(slice: Uint8Array): Uint8Array {
  return slice.map((value) => 1 - value);
}
