// An RGB picture, and functions that draw rectangles, lines and text on it.
import { forEachTextPixel, type TextSize } from "./lettering.js";

/** Red, green, blue, 0–255. */
export type Colour = readonly [number, number, number];

/** `data[3 * (column + width * row) + channel]`; row 0 is the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A raster of one colour. */
export function createRaster(width: number, height: number, colour: Colour): Raster {
  const raster = { width, height, data: new Uint8Array(3 * width * height) };
  fillRectangle(raster, { left: 0, top: 0, width, height }, colour);
  return raster;
}

/** Sets a pixel; ignored outside the raster. */
export function setPixel(raster: Raster, column: number, row: number, colour: Colour): void {
  if (column < 0 || row < 0 || column >= raster.width || row >= raster.height) return;
  const offset = 3 * (column + raster.width * row);
  raster.data[offset] = colour[0];
  raster.data[offset + 1] = colour[1];
  raster.data[offset + 2] = colour[2];
}

/** A rectangle of whole pixels. */
export interface Rectangle {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Fills a rectangle, clipped to the raster. */
export function fillRectangle(raster: Raster, area: Rectangle, colour: Colour): void {
  for (let row = area.top; row < area.top + area.height; row++) {
    for (let column = area.left; column < area.left + area.width; column++)
      setPixel(raster, column, row, colour);
  }
}

/** A straight line between two points (column, row), `thickness` pixels wide, clipped to an area. */
export function drawLine(
  raster: Raster,
  [from, to]: readonly [readonly [number, number], readonly [number, number]],
  thickness: number,
  colour: Colour,
  area: Rectangle,
): void {
  const steps = Math.max(1, Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1]))));
  for (let step = 0; step <= steps; step++) {
    const along = (axis: 0 | 1) =>
      Math.round(from[axis] + ((to[axis] - from[axis]) * step) / steps - (thickness - 1) / 2);
    fillRectangle(
      raster,
      intersectionOf(area, { left: along(0), top: along(1), width: thickness, height: thickness }),
      colour,
    );
  }
}

/** The intersection of two rectangles; of negative size if they do not intersect. */
function intersectionOf(a: Rectangle, b: Rectangle): Rectangle {
  const left = Math.max(a.left, b.left);
  const top = Math.max(a.top, b.top);
  return {
    left,
    top,
    width: Math.min(a.left + a.width, b.left + b.width) - left,
    height: Math.min(a.top + a.height, b.top + b.height) - top,
  };
}

/** Blends a colour into a pixel with weight `share` (0 … 1); ignored outside the raster. */
function blendPixel(raster: Raster, column: number, row: number, colour: Colour, share: number): void {
  if (column < 0 || row < 0 || column >= raster.width || row >= raster.height) return;
  const offset = 3 * (column + raster.width * row);
  for (let channel = 0; channel < 3; channel++) {
    const below = raster.data[offset + channel];
    raster.data[offset + channel] = Math.round(below + (colour[channel] - below) * share);
  }
}

/** Writes a text with its upper left corner at (left, top), with a black rim that keeps it legible on bright bone. */
export function drawText(
  raster: Raster,
  text: string,
  { left, top, size }: { readonly left: number; readonly top: number; readonly size: TextSize },
  colour: Colour,
): void {
  forEachTextPixel(text, size, (column, row, coverage) => {
    for (let y = -1; y <= 1; y++)
      for (let x = -1; x <= 1; x++) blendPixel(raster, left + column + x, top + row + y, black, coverage);
  });
  forEachTextPixel(text, size, (column, row, coverage) => {
    blendPixel(raster, left + column, top + row, colour, coverage);
  });
}

const black: Colour = [0, 0, 0];

/** Constraints on the positions of labels. */
export interface LabelRoom {
  /** Minimum distance between two labels in pixels. */
  readonly gap: number;
  /** Areas that no label may cover. */
  readonly taken?: readonly Rectangle[];
  /** The area that labels stay in, as far as there is room. */
  readonly within?: Rectangle;
}

/**
 * Moves labels until none covers another label or a taken area: in order, each label goes to the nearest free position on
 * rings around its own.
 */
export function separatedLabels(
  labels: readonly Rectangle[],
  { gap, taken = [], within }: LabelRoom,
): Rectangle[] {
  const placed: Rectangle[] = [];
  for (const label of labels) {
    const isFree = (label: Rectangle, isBound: boolean) =>
      ![...taken, ...placed].some((other) => areCloserThan(label, other, gap)) &&
      !(isBound && within !== undefined && !contains(within, label));
    // After this many rings every position of the area has been tried.
    const rings = within === undefined ? 0 : Math.ceil(Math.hypot(within.width, within.height));
    let candidate = label;
    for (let step = 0; !isFree(candidate, step < rings * ringPlaces); step++) {
      const [radius, angle] = [1 + Math.floor(step / ringPlaces), (2 * Math.PI * step) / ringPlaces];
      candidate = {
        ...label,
        left: label.left + Math.round(radius * Math.cos(angle)),
        top: label.top + Math.round(radius * Math.sin(angle)),
      };
    }
    placed.push(candidate);
  }
  return placed;
}

const ringPlaces = 16;

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    inner.left >= outer.left &&
    inner.top >= outer.top &&
    inner.left + inner.width <= outer.left + outer.width &&
    inner.top + inner.height <= outer.top + outer.height
  );
}

/** Whether two rectangles are less than `gap` pixels apart along both axes. */
function areCloserThan(a: Rectangle, b: Rectangle, gap: number): boolean {
  return (
    a.left < b.left + b.width + gap &&
    b.left < a.left + a.width + gap &&
    a.top < b.top + b.height + gap &&
    b.top < a.top + a.height + gap
  );
}
