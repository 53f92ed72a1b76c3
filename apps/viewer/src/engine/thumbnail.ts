// The small picture of a scan in a list.
import type { Thumbnail } from "./answers.js";

const longestEdge = 96;
/** Soft tissue of the neck. */
const lowHu = -160;
const highHu = 240;

/** A slice made smaller, each pixel the nearest of the slice, in the soft-tissue window. */
export function thumbnailOf({
  columns,
  rows,
  hu,
}: {
  readonly columns: number;
  readonly rows: number;
  readonly hu: ArrayLike<number>;
}): Thumbnail {
  const scale = Math.max(1, Math.max(columns, rows) / longestEdge);
  const width = Math.max(1, Math.floor(columns / scale));
  const height = Math.max(1, Math.floor(rows / scale));
  const rgba = new Uint8ClampedArray(4 * width * height);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 4) {
      const value = hu[Math.floor((x + 0.5) * scale) + columns * Math.floor((y + 0.5) * scale)];
      rgba.fill((255 * (value - lowHu)) / (highHu - lowHu), at, at + 3);
      rgba[at + 3] = 255;
    }
  return { width, height, rgba };
}
