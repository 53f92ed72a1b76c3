// Fills the slices between drawn slices of a node by interpolated signed distances.
import { type Geometry, maskWhere } from "@lnsnet/core/volume";
import { squaredDistanceMm } from "@lnsnet/core/voxels";
import { axesOfSlice, type IndexAxis, offsetsOfSlice, sliceOf } from "./slices.js";
import type { BoxedMask } from "./voxel-box.js";

/**
 * The voxels between slices that were drawn: in each slice between two of them, those where the mean of both signed
 * distances to the outlines, weighted by nearness, is not above zero (shape-based interpolation: Raya and Udupa, IEEE
 * Transactions on Medical Imaging 9, 1990). Both outlines are first moved so that their centroids lie on a line, because
 * the outlines of a slanting node may not overlap.
 *
 * @param mask of the node; slices without any voxel are those to fill
 * @param axis across which the slices lie
 * @returns null where no slice is empty
 */
export function betweenSlices(
  { spacingMm }: Pick<Geometry, "spacingMm">,
  mask: BoxedMask,
  axis: IndexAxis,
): BoxedMask | null {
  const drawn = drawnSlices(mask, axis);
  const data = new Uint8Array(mask.data.length);
  const [a, b] = axesOfSlice(axis);
  const grid: SliceGrid = { width: mask.size[a], height: mask.size[b], xMm: spacingMm[a], yMm: spacingMm[b] };
  let isEmpty = true;
  for (let n = 1; n < drawn.length; n++) {
    const [below, above] = [drawn[n - 1], drawn[n]];
    if (above - below < 2) continue;
    const slices = [sliceOf(mask, axis, below), sliceOf(mask, axis, above)];
    const [from, to] = slices.map((slice) => centreOf(slice, grid));
    // Moved outlines are read this far beyond the slice.
    const margin = 1 + Math.ceil(Math.max(Math.abs(to[0] - from[0]), Math.abs(to[1] - from[1])));
    const [first, second] = slices.map((slice) => outlineOf(slice, grid, margin));
    const towards = [to[0] - from[0], to[1] - from[1]] as const;
    for (let at = below + 1; at < above; at++) {
      isEmpty = false;
      const slice = interpolated(first, second, towards, (at - below) / (above - below), grid);
      offsetsOfSlice(mask.size, axis, at).forEach((offset, pixel) => {
        data[offset] = slice[pixel];
      });
    }
  }
  return isEmpty ? null : { ...mask, data };
}

/**
 * The axis across which a mask was drawn slice by slice: of those with empty slices between others, the one whose drawn
 * slices stand in the thinnest groups, since a slanting node may have gaps along other axes too. null where none has any.
 */
export function axisWithGaps(mask: BoxedMask): IndexAxis | null {
  const thickness = ([0, 1, 2] as const).map((axis) => {
    const drawn = drawnSlices(mask, axis);
    const groups = drawn.filter((slice, n) => slice !== drawn[n - 1] + 1).length;
    return groups < 2 ? Number.POSITIVE_INFINITY : drawn.length / groups;
  });
  const thinnest = Math.min(...thickness);
  if (!Number.isFinite(thinnest)) return null;
  return ([2, 1, 0] as const).find((axis) => thickness[axis] === thinnest) ?? null;
}

function drawnSlices(mask: BoxedMask, axis: IndexAxis): number[] {
  return Array.from({ length: mask.size[axis] }, (_, n) => n).filter((n) =>
    sliceOf(mask, axis, n).includes(1),
  );
}

interface SliceGrid {
  readonly width: number;
  readonly height: number;
  readonly xMm: number;
  readonly yMm: number;
}

/** A drawn slice as signed distances in mm on a grid with a margin, negative inside. */
interface Outline {
  readonly distances: Float64Array;
  /** Voxels that the grid is larger than the slice on each side. */
  readonly margin: number;
  readonly width: number;
  readonly height: number;
}

/** The mean pixel (column, row) of a slice that is not empty. */
function centreOf(slice: Uint8Array, { width }: SliceGrid): readonly [number, number] {
  let [x, y, pixels] = [0, 0, 0];
  slice.forEach((value, at) => {
    if (value === 0) return;
    x += at % width;
    y += Math.floor(at / width);
    pixels++;
  });
  return [x / pixels, y / pixels];
}

function outlineOf(slice: Uint8Array, grid: SliceGrid, margin: number): Outline {
  const [width, height] = [grid.width + 2 * margin, grid.height + 2 * margin];
  const wide = new Uint8Array(width * height);
  for (let row = 0; row < grid.height; row++)
    wide.set(slice.subarray(row * grid.width, (row + 1) * grid.width), margin + width * (row + margin));
  const spacing = [grid.xMm, grid.yMm, 1] as const;
  const toInside = squaredDistanceMm(wide, [width, height, 1], spacing);
  const toOutside = squaredDistanceMm(
    maskWhere(wide, (value) => value === 0),
    [width, height, 1],
    spacing,
  );
  const distances = toInside.map((squared, at) => Math.sqrt(squared) - Math.sqrt(toOutside[at]));
  return { distances, margin, width, height };
}

/** The slice at `share` of the way from the first outline to the second, whose centre lies `towards` (columns, rows) of it. */
function interpolated(
  first: Outline,
  second: Outline,
  towards: readonly [number, number],
  share: number,
  { width, height }: SliceGrid,
): Uint8Array {
  const slice = new Uint8Array(width * height);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      const inFirst = distanceAt(first, column - share * towards[0], row - share * towards[1]);
      const inSecond = distanceAt(second, column + (1 - share) * towards[0], row + (1 - share) * towards[1]);
      if ((1 - share) * inFirst + share * inSecond <= 0) slice[at] = 1;
    }
  }
  return slice;
}

/** The signed distance at a place between pixels of the slice, linear between the four around it. */
function distanceAt({ distances, margin, width, height }: Outline, column: number, row: number): number {
  const x = Math.min(Math.max(column + margin, 0), width - 1);
  const y = Math.min(Math.max(row + margin, 0), height - 1);
  const [left, top] = [Math.min(Math.floor(x), width - 2), Math.min(Math.floor(y), height - 2)];
  const [u, v] = [x - left, y - top];
  const at = left + width * top;
  return (
    (1 - v) * ((1 - u) * distances[at] + u * distances[at + 1]) +
    v * ((1 - u) * distances[at + width] + u * distances[at + width + 1])
  );
}
