// What pictures of scans have in common: colours, the grey window, outlines, letters of the sides, scale bar, caption.
import { glyphAdvance } from "./bitmap-font.js";
import { wrapText } from "./markup.js";
import { type Colour, drawText, fillRectangle, type Raster, type Rectangle, textExtent } from "./raster.js";

/** HU that are drawn black and white, at their ends and beyond. */
export type GreyWindow = readonly [lowHu: number, highHu: number];

/** The window of a centre and a width, as viewers state it. */
export function huWindow([center, width]: readonly [center: number, width: number]): GreyWindow {
  return [center - width / 2, center + width / 2];
}

/** Centre and width, in HU. */
export const softTissueHu = [40, 400] as const;

/** The grey of a value; NaN is black. */
export function greyOf(value: number, [low, high]: GreyWindow): Colour {
  // NaN fails the comparison.
  return greys[value > low ? Math.round(Math.min(1, (value - low) / (high - low)) * 255) : 0];
}

/** Made once, since a picture has a million pixels. */
const greys = Array.from({ length: 256 }, (_, grey): Colour => [grey, grey, grey]);

export const black: Colour = [0, 0, 0];
export const white: Colour = [255, 255, 255];
// Blue and orange are told apart with every common colour blindness; these two are bright enough for a dark scan.
export const truthColour: Colour = [64, 190, 255];
export const predictionColour: Colour = [255, 150, 0];

/** Pixels between parts of a picture. */
export const gap = 10;

const outlinePixels = 2;

/**
 * 1 where a pixel lies in the mask and at most two pixels from its edge; the picture's border is no edge.
 *
 * @param inside - 1 in the mask, else 0; `inside[column + width * row]`
 */
export function outlineOf(inside: Uint8Array, width: number, height: number): Uint8Array {
  let inner = inside;
  for (let layer = 0; layer < outlinePixels; layer++) inner = eroded(inner, width, height);
  return inside.map((value, offset) => value - inner[offset]);
}

/** Erosion by one pixel, eight neighbours. */
function eroded(inside: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(inside.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let all = 1;
      for (let y = Math.max(0, row - 1); y <= Math.min(height - 1, row + 1); y++) {
        for (let x = Math.max(0, column - 1); x <= Math.min(width - 1, column + 1); x++)
          all &= inside[x + width * y];
      }
      result[column + width * row] = all;
    }
  }
  return result;
}

/** What lies towards each side of an area, left, right, top and bottom. */
export function drawSideLetters(
  raster: Raster,
  area: Rectangle,
  letters: readonly [left: string, right: string, top: string, bottom: string],
  scale: number,
): void {
  const { width, height } = textExtent("R", scale);
  const inset = 6;
  const middle = {
    left: Math.round(area.left + (area.width - width) / 2),
    top: Math.round(area.top + (area.height - height) / 2),
  };
  const places = [
    { left: area.left + inset, top: middle.top },
    { left: area.left + area.width - width - inset, top: middle.top },
    { left: middle.left, top: area.top + inset },
    { left: middle.left, top: area.top + area.height - height - inset },
  ];
  letters.forEach((letter, side) => {
    drawText(raster, letter, { ...places[side], scale }, white);
  });
}

/** A bar of 20 mm in the lower left of an area; in a small one, of the largest round length that fits. */
export function drawScaleBar(raster: Raster, area: Rectangle, pixelsPerMm: number): void {
  const lengthMm = [20, 10, 5, 2].find((length) => length * pixelsPerMm < area.width * 0.6) ?? 1;
  const left = area.left + 12;
  const top = area.top + area.height - 18;
  const width = Math.round(lengthMm * pixelsPerMm);
  fillRectangle(raster, { left: left - 1, top: top - 1, width: width + 2, height: 6 }, black);
  fillRectangle(raster, { left, top, width, height: 4 }, white);
  drawText(raster, `${lengthMm} mm`, { left, top: top - 20, scale: captionScale }, white);
}

export const captionScale = 2;
export const captionLineHeight = 24;

/** A caption in the lines that a picture of a width holds. */
export function captionLines(caption: string, pictureWidth: number): string[] {
  return wrapText(caption, Math.floor((pictureWidth - 2 * gap) / (captionScale * glyphAdvance)));
}

export function drawCaption(raster: Raster, lines: readonly string[], top: number): void {
  lines.forEach((line, n) => {
    drawText(raster, line, { left: gap, top: top + n * captionLineHeight, scale: captionScale }, white);
  });
}
