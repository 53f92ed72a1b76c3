// Shared by all pictures of scans: colours, grey window, outlines, side letters, scale bar, legend and caption.
import { type TextSize, textExtent } from "./lettering.js";
import { type Colour, drawText, fillRectangle, type Raster, type Rectangle } from "./raster.js";

/** Values up to `lowHu` are drawn black, values from `highHu` on white. */
export type GreyWindow = readonly [lowHu: number, highHu: number];

/** The window with a centre and a width, as viewers state it. */
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

/** Made once, because a picture has a million pixels. */
const greys = Array.from({ length: 256 }, (_, grey): Colour => [grey, grey, grey]);

export const black: Colour = [0, 0, 0];
export const white: Colour = [255, 255, 255];
// Blue and orange can be distinguished with every common colour blindness; these two are bright enough for a dark scan.
export const truthColour: Colour = [64, 190, 255];
export const predictionColour: Colour = [255, 150, 0];

/** Colour of letters on a scan: yellow, unlike any grey. */
const annotationColour: Colour = [255, 224, 130];

/** Distance between parts of a picture in pixels. */
export const gap = 10;

const outlinePixels = 2;

/**
 * 1 where a pixel lies in the mask and at most two pixels from its edge; the picture's border does not count as an edge.
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
      // Most of a picture is no node.
      if (inside[column + width * row] === 0) continue;
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

/** The letters for the left, right, top and bottom side of an area. */
export type SideLetters = readonly [left: string, right: string, top: string, bottom: string];

const sideInset = 6;

/** The positions of the side letters in an area. */
export function sideLetterPlaces(area: Rectangle, letters: SideLetters, size: TextSize): Rectangle[] {
  return letters.map((letter, side) => {
    const { width, height } = textExtent(letter, size);
    const right = area.left + area.width - width - sideInset;
    const bottom = area.top + area.height - height - sideInset;
    const middle = {
      left: Math.round(area.left + (area.width - width) / 2),
      top: Math.round(area.top + (area.height - height) / 2),
    };
    return {
      left: [area.left + sideInset, right, middle.left, middle.left][side],
      top: [middle.top, middle.top, area.top + sideInset, bottom][side],
      width,
      height,
    };
  });
}

export function drawSideLetters(raster: Raster, area: Rectangle, letters: SideLetters, size: TextSize): void {
  sideLetterPlaces(area, letters, size).forEach(({ left, top }, side) => {
    drawText(raster, letters[side], { left, top, size }, annotationColour);
  });
}

/** A bar of 20 mm in the lower left of an area; in a small area, a bar of the largest round length that fits. */
function scaleBar(area: Rectangle, pixelsPerMm: number): { lengthMm: number; bar: Rectangle } {
  const lengthMm = [20, 10, 5, 2].find((length) => length * pixelsPerMm < area.width * 0.6) ?? 1;
  const width = Math.round(lengthMm * pixelsPerMm);
  return { lengthMm, bar: { left: area.left + 12, top: area.top + area.height - 18, width, height: 4 } };
}

const scaleBarTextHeight = 22;

/** The rectangle of an area's scale bar with its text. */
export function scaleBarPlace(area: Rectangle, pixelsPerMm: number): Rectangle {
  const { lengthMm, bar } = scaleBar(area, pixelsPerMm);
  const { width } = textExtent(`${lengthMm} mm`, "text");
  return {
    left: bar.left,
    top: bar.top - scaleBarTextHeight,
    width: Math.max(width, bar.width),
    height: bar.height + scaleBarTextHeight,
  };
}

export function drawScaleBar(raster: Raster, area: Rectangle, pixelsPerMm: number): void {
  const { lengthMm, bar } = scaleBar(area, pixelsPerMm);
  const { left, top, width, height } = bar;
  fillRectangle(raster, { left: left - 1, top: top - 1, width: width + 2, height: height + 2 }, black);
  fillRectangle(raster, bar, white);
  drawText(raster, `${lengthMm} mm`, { left, top: top - scaleBarTextHeight, size: "text" }, annotationColour);
}

/** An entry of a legend: a short stripe (whose tiles may alternate in colour) and its meaning. */
export interface LegendEntry {
  readonly text: string;
  readonly tiles: readonly Colour[];
}

/** A legend in one line. */
export function drawLegend(raster: Raster, entries: readonly LegendEntry[], top: number): void {
  let left = gap;
  for (const { text, tiles } of entries) {
    for (let tile = 0; tile < 6; tile++)
      fillRectangle(
        raster,
        { left: left + 6 * tile, top: top + 8, width: 6, height: 4 },
        tiles[tile % tiles.length],
      );
    drawText(raster, text, { left: left + 44, top, size: "text" }, white);
    left += 44 + textExtent(text, "text").width + 26;
  }
}

export const captionLineHeight = 24;

/** A caption broken into lines that fit the picture's width, at spaces, or within a word that is longer than a line. */
export function captionLines(caption: string, pictureWidth: number): string[] {
  const room = pictureWidth - 2 * gap;
  const fits = (text: string) => textExtent(text, "text").width <= room;
  const lines: string[] = [];
  let line = "";
  for (const word of caption.split(/\s+/).filter((part) => part !== "")) {
    if (line !== "" && fits(`${line} ${word}`)) {
      line += ` ${word}`;
      continue;
    }
    if (line !== "") lines.push(line);
    line = "";
    for (const character of word) {
      if (line !== "" && !fits(line + character)) {
        lines.push(line);
        line = "";
      }
      line += character;
    }
  }
  if (line !== "") lines.push(line);
  return lines;
}

export function drawCaption(raster: Raster, lines: readonly string[], top: number): void {
  lines.forEach((line, n) => {
    drawText(raster, line, { left: gap, top: top + n * captionLineHeight, size: "text" }, white);
  });
}
