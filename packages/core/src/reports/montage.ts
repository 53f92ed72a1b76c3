// Draws small grey pictures side by side as one PNG, each with its name and the outline of a mask.
import { encode } from "fast-png";
import { textExtent } from "./lettering.js";
import { black, truthColour, white } from "./picture.js";
import { createRaster, drawText, fillRectangle, type Raster } from "./raster.js";

export interface MontageTile {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** `grey[column + width * row]`, from −1 (black) to 1 (white); row 0 is the top. */
  readonly grey: ArrayLike<number>;
  /** The mask to outline, nonzero inside; same layout as `grey`. */
  readonly mask: ArrayLike<number>;
}

/** A PNG of tiles in rows, every voxel a square of `scale` pixels; outlines follow voxel edges. */
export function montagePng(tiles: readonly MontageTile[], columns: number, scale: number): Uint8Array {
  const tileWidth = Math.max(...tiles.map(({ width }) => width)) * scale;
  const tileHeight = Math.max(...tiles.map(({ height }) => height)) * scale;
  const captionHeight = textExtent("A", "text").height + 2 * gap;
  const rows = Math.ceil(tiles.length / columns);
  const width = columns * (tileWidth + gap) + gap;
  const height = rows * (tileHeight + captionHeight) + gap;
  const raster = createRaster(width, height, black);
  tiles.forEach((tile, place) => {
    const left = gap + (place % columns) * (tileWidth + gap);
    const top = Math.floor(place / columns) * (tileHeight + captionHeight);
    drawText(raster, tile.name, { left, top: top + gap, size: "text" }, white);
    drawTile(raster, tile, left, top + captionHeight, scale);
  });
  return encode({ width, height, data: raster.data, channels: 3, depth: 8 });
}

const gap = 8;

function drawTile(
  raster: Raster,
  { width, height, grey, mask }: MontageTile,
  left: number,
  top: number,
  scale: number,
): void {
  const inside = (column: number, row: number): boolean =>
    column >= 0 && row >= 0 && column < width && row < height && mask[column + width * row] !== 0;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const value = Math.round(127.5 * (1 + Math.min(1, Math.max(-1, grey[column + width * row]))));
      const square = { left: left + column * scale, top: top + row * scale, width: scale, height: scale };
      fillRectangle(raster, square, [value, value, value]);
      if (!inside(column, row)) continue;
      if (!inside(column - 1, row)) fillRectangle(raster, { ...square, width: 1 }, truthColour);
      if (!inside(column + 1, row))
        fillRectangle(raster, { ...square, left: square.left + scale - 1, width: 1 }, truthColour);
      if (!inside(column, row - 1)) fillRectangle(raster, { ...square, height: 1 }, truthColour);
      if (!inside(column, row + 1))
        fillRectangle(raster, { ...square, top: square.top + scale - 1, height: 1 }, truthColour);
    }
  }
}
