// Resamples slices that do not form a regular grid onto a regular grid: linearly in the plane and between slices.
import { type Geometry, indexOfPoint } from "../../volume/volume.js";
import type { LocatedSlice, Stack } from "./stack.js";

/** HU of voxels that no slice covers: air, the usual padding of CT series. */
export const outsideHu = -1024;

/**
 * The HU of a stack on the grid that `Stack.geometry` states for it, `data[i + nx*(j + ny*k)]`.
 *
 * The value at a point is interpolated between the slices before and after it along the normal, weighted by distance;
 * each slice is read bilinearly at the projection of the point. A slice extends half a pixel beyond its outermost pixel
 * centres; a point whose projection falls outside a slice that it needs is {@link outsideHu}. Slices are requested in
 * order, each once.
 *
 * @param huOf The HU of slice n of `stack.placed`.
 */
export async function resampleStack(
  stack: Stack,
  geometry: Geometry,
  huOf: (position: number) => Promise<ArrayLike<number>>,
): Promise<Float32Array> {
  const [nx, ny, nz] = geometry.size;
  const plane = nx * ny;
  const data = new Float32Array(plane * nz);
  const shifted = async (n: number) => shiftedSlice(await huOf(n), stack.placed[n].slice, geometry);
  const lastPair = stack.placed.length - 2;
  let pair = 0;
  let [before, behind] = [await shifted(0), await shifted(1)];
  for (let k = 0; k < nz; k++) {
    const distanceMm = k * geometry.spacingMm[2];
    while (pair < lastPair && stack.placed[pair + 1].distanceMm <= distanceMm) {
      pair++;
      [before, behind] = [behind, await shifted(pair + 1)];
    }
    const [near, far] = [stack.placed[pair].distanceMm, stack.placed[pair + 1].distanceMm];
    blend(before, behind, (distanceMm - near) / (far - near), data.subarray(k * plane, (k + 1) * plane));
  }
  return data;
}

/** A weight closer to 0 or 1 than this is a rounding error: the point lies in a slice. */
const inSlice = 1e-6;

/** Interpolates between two slices whose values are NaN outside the slice. */
function blend(before: Float32Array, behind: Float32Array, weight: number, target: Float32Array): void {
  const share = weight < inSlice ? 0 : weight > 1 - inSlice ? 1 : weight;
  for (let n = 0; n < target.length; n++) {
    const value =
      share === 0 ? before[n] : share === 1 ? behind[n] : before[n] + share * (behind[n] - before[n]);
    target[n] = Number.isNaN(value) ? outsideHu : value;
  }
}

/** A slice resampled bilinearly at the pixel centres of the grid's planes; NaN outside the slice. */
function shiftedSlice(hu: ArrayLike<number>, slice: LocatedSlice, geometry: Geometry): Float32Array {
  const [firstColumn, firstRow] = indexOfPoint(geometry, slice.positionMm);
  const columns = samplesAlong(geometry.size[0], slice.columns, firstColumn);
  const rows = samplesAlong(geometry.size[1], slice.rows, firstRow);
  const values = new Float32Array(columns.length * rows.length).fill(Number.NaN);
  for (const [j, row] of rows.entries()) {
    if (row === null) continue;
    const [low, high] = [row.low * slice.columns, row.high * slice.columns];
    for (let i = 0; i < columns.length; i++) {
      const column = columns[i];
      if (column === null) continue;
      const upper = hu[low + column.low] * (1 - column.weight) + hu[low + column.high] * column.weight;
      const lower = hu[high + column.low] * (1 - column.weight) + hu[high + column.high] * column.weight;
      values[i + columns.length * j] = upper * (1 - row.weight) + lower * row.weight;
    }
  }
  return values;
}

/** The two pixels that a point lies between, and the weight of the second. */
interface Sample {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
}

/** For each pixel centre of the grid its sample of a slice that begins at grid position `first`; null outside the slice. */
function samplesAlong(gridPixels: number, slicePixels: number, first: number): (Sample | null)[] {
  return Array.from({ length: gridPixels }, (_, n) => {
    const exact = n - first;
    // Stated positions are rounded: a point that nearly hits a pixel gets exactly its value.
    const index = Math.abs(exact - Math.round(exact)) < 1e-4 ? Math.round(exact) : exact;
    if (index < -0.5 || index > slicePixels - 0.5) return null;
    const low = Math.min(Math.max(Math.floor(index), 0), slicePixels - 1);
    return { low, high: Math.min(low + 1, slicePixels - 1), weight: Math.min(Math.max(index - low, 0), 1) };
  });
}
