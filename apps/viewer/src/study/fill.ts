// Filling: the holes of a node, and the region around a point that outlines enclose.
import { crop, type Vector3, type Volume } from "@lnsnet/core/volume";
import { fillHoles, labelComponents } from "@lnsnet/core/voxels";
import { axesOfSlice, type IndexAxis, offsetsOfSlice, sliceOf } from "./slices.js";
import { type BoxedMask, vector } from "./voxel-box.js";

/** A mask with the holes filled that it has in the slices across an axis. */
export function withFilledHoles(mask: BoxedMask, axis: IndexAxis): BoxedMask {
  const [a, b] = axesOfSlice(axis);
  const data = mask.data.slice();
  for (let n = 0; n < mask.size[axis]; n++) {
    const slice = sliceOf(mask, axis, n);
    fillHoles(slice, [mask.size[a], mask.size[b]], Number.POSITIVE_INFINITY);
    offsetsOfSlice(mask.size, axis, n).forEach((at, pixel) => {
      data[at] = slice[pixel];
    });
  }
  return { ...mask, data };
}

/**
 * The voxels without a node around a voxel, in its slice across an axis, as far as nodes enclose them.
 *
 * @param index (i, j, k) within the grid
 * @returns null where the voxel belongs to a node, or the region reaches the border of the slice
 */
export function enclosedRegion(
  labels: Volume<Uint8Array>,
  index: Vector3,
  axis: IndexAxis,
): BoxedMask | null {
  const start = vector((other) => (other === axis ? index[axis] : 0));
  const size = vector((other) => (other === axis ? 1 : labels.size[other]));
  const [a, b] = axesOfSlice(axis);
  const [width, height] = [size[a], size[b]];
  const free = crop(labels, start, size).data.map((value) => (value === 0 ? 1 : 0));
  const { labels: regions } = labelComponents(free, [width, height, 1], 6);
  const wanted = regions[index[a] + width * index[b]];
  if (wanted === 0) return null;
  const data = new Uint8Array(regions.length);
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      if (regions[at] !== wanted) continue;
      if (row === 0 || column === 0 || row === height - 1 || column === width - 1) return null;
      data[at] = 1;
    }
  }
  return { start, size, data };
}
