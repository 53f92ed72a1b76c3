// Cuts a scan and its labels along a plane, for each pixel of the screen.
import { indexOfPoint, subtract, type Vector3, type Volume } from "@lnsnet/core/volume";
import { type PlaneView, pointOfPixel } from "./plane.js";

/** The HU that are shown from black to white. */
export interface IntensityWindow {
  readonly centreHu: number;
  readonly widthHu: number;
}

/** Opaque black as canvas pixels are stored on the machines that browsers run on (little-endian RGBA). */
const black = 0xff000000;

/**
 * Writes the grey value of each pixel, interpolated trilinearly between voxel centres. Pixels outside the scan's outer
 * voxels are black.
 *
 * @param out opaque RGBA, `view.width` × `view.height`, row by row
 */
export function resliceGrey(scan: Volume, view: PlaneView, window: IntensityWindow, out: Uint32Array): void {
  const { data, size } = scan;
  const { first, right, down } = indexSteps(scan, view);
  const gain = 255 / Math.max(window.widthHu, 1);
  const lowestHu = window.centreHu - window.widthHu / 2;
  for (let row = 0, pixel = 0; row < view.height; row++) {
    const start: Vector3 = [first[0] + down[0] * row, first[1] + down[1] * row, first[2] + down[2] * row];
    const [from, to] = columnsInside(size, start, right, view.width);
    out.fill(black, pixel, pixel + from);
    greyRow(data, out, pixel, from, to, ...size, ...start, ...right, lowestHu, gain);
    out.fill(black, pixel + to, pixel + view.width);
    pixel += view.width;
  }
}

/** In slices: what is nearer to one than this lies in it, but for rounding. */
const onSlice = 1e-6;

/** Takes numbers alone, so that what the browser compiles for one scan serves for every other. */
function greyRow(
  data: Volume["data"],
  out: Uint32Array,
  pixel: number,
  from: number,
  to: number,
  columns: number,
  rows: number,
  slices: number,
  startX: number,
  startY: number,
  startZ: number,
  rightX: number,
  rightY: number,
  rightZ: number,
  lowestHu: number,
  gain: number,
): void {
  const nextI = columns > 1 ? 1 : 0;
  const nextJ = rows > 1 ? columns : 0;
  const nextK = slices > 1 ? columns * rows : 0;
  const lastI = Math.max(columns - 2, 0);
  const lastJ = Math.max(rows - 2, 0);
  const lastK = Math.max(slices - 2, 0);
  for (let column = from; column < to; column++) {
    const x = startX + rightX * column;
    const y = startY + rightY * column;
    const z = startZ + rightZ * column;
    // Half a voxel at the scan's edge lies outside the outermost centres and has their value.
    const i = x <= 0 ? 0 : x >= lastI ? lastI : x | 0;
    const j = y <= 0 ? 0 : y >= lastJ ? lastJ : y | 0;
    const k = z <= 0 ? 0 : z >= lastK ? lastK : (z + onSlice) | 0;
    const a = x < i ? 0 : x > i + 1 ? 1 : x - i;
    const b = y < j ? 0 : y > j + 1 ? 1 : y - j;
    const c = z < k + onSlice ? 0 : z > k + 1 ? 1 : z - k;
    const at = i + columns * (j + rows * k);
    const near0 = data[at] + (data[at + nextI] - data[at]) * a;
    const near1 = data[at + nextJ] + (data[at + nextJ + nextI] - data[at + nextJ]) * a;
    let hu = near0 + (near1 - near0) * b;
    // In a slice itself, which is what a person sees mostly, the one beside it need not be read.
    if (c > 0) {
      const above = at + nextK;
      const far0 = data[above] + (data[above + nextI] - data[above]) * a;
      const far1 = data[above + nextJ] + (data[above + nextJ + nextI] - data[above + nextJ]) * a;
      hu += (far0 + (far1 - far0) * b - hu) * c;
    }
    const scaled = (hu - lowestHu) * gain;
    const grey = scaled <= 0 ? 0 : scaled >= 255 ? 255 : scaled | 0;
    out[pixel + column] = black | (grey << 16) | (grey << 8) | grey;
  }
}

/**
 * Writes the label of the voxel in which each pixel lies; 0 outside.
 *
 * @param out `view.width` × `view.height`, row by row
 * @returns whether any pixel has a label
 */
export function resliceLabels(labels: Volume<Uint8Array>, view: PlaneView, out: Uint8Array): boolean {
  let any = 0;
  const { data, size } = labels;
  const { first, right, down } = indexSteps(labels, view);
  for (let row = 0, pixel = 0; row < view.height; row++) {
    const start: Vector3 = [first[0] + down[0] * row, first[1] + down[1] * row, first[2] + down[2] * row];
    const [from, to] = columnsInside(size, start, right, view.width);
    out.fill(0, pixel, pixel + from);
    for (let column = from; column < to; column++) {
      const i = (start[0] + right[0] * column + 0.5) | 0;
      const j = (start[1] + right[1] * column + 0.5) | 0;
      const k = (start[2] + right[2] * column + 0.5) | 0;
      const label = data[i + size[0] * (j + size[1] * k)];
      any |= label;
      out[pixel + column] = label;
    }
    out.fill(0, pixel + to, pixel + view.width);
    pixel += view.width;
  }
  return any !== 0;
}

/** Continuous indices (i, j, k) of the first pixel's centre, and how they change from pixel to pixel. */
function indexSteps(volume: Volume, view: PlaneView) {
  const first = indexOfPoint(volume, pointOfPixel(view, 0.5, 0.5));
  return {
    first,
    right: subtract(indexOfPoint(volume, pointOfPixel(view, 1.5, 0.5)), first),
    down: subtract(indexOfPoint(volume, pointOfPixel(view, 0.5, 1.5)), first),
  };
}

/** The pixels [from, to) of a row that lie in a voxel of the grid. */
function columnsInside(
  size: Vector3,
  start: Vector3,
  step: Vector3,
  width: number,
): readonly [from: number, to: number] {
  let from = 0;
  let to = width;
  for (let axis = 0; axis < 3; axis++) {
    // Strictly inside, so that rounding never leaves the grid.
    const low = -0.5 + 1e-6;
    const high = size[axis] - 0.5 - 1e-6;
    if (Math.abs(step[axis]) < 1e-9) {
      if (start[axis] < low || start[axis] > high) return [0, 0];
      continue;
    }
    const atLow = (low - start[axis]) / step[axis];
    const atHigh = (high - start[axis]) / step[axis];
    from = Math.max(from, Math.ceil(Math.min(atLow, atHigh)));
    to = Math.min(to, Math.floor(Math.max(atLow, atHigh)) + 1);
  }
  return from < to ? [from, to] : [0, 0];
}
