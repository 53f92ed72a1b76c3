// Cuts a box of voxels out of a volume, or pads it; every voxel keeps its position in the patient.
import type { Geometry, Vector3, Volume, VoxelArray } from "./volume.js";
import { pointOfIndex } from "./volume.js";
import { emptyLike } from "./voxel-array.js";

/**
 * The box of `size` voxels whose first voxel is index `start` (i, j, k) of `volume`. The box may extend beyond
 * the volume on any side (`start` may be negative), and is padded there with `fill`.
 * @throws RangeError when the box is empty or not of whole voxels, or leaves the volume while no `fill` is given.
 */
export function crop<T extends VoxelArray>(
  volume: Volume<T>,
  start: Vector3,
  size: Vector3,
  fill?: number,
): Volume<T> {
  if (![...start, ...size].every(Number.isInteger) || size.some((n) => n < 1)) {
    throw new RangeError(`crop: a box of size ${size} at ${start} is not a box of whole voxels.`);
  }
  const leaves = start.some((first, axis) => first < 0 || first + size[axis] > volume.size[axis]);
  if (leaves && fill === undefined) {
    throw new RangeError(
      `crop: the box of size ${size} at ${start} leaves the volume of size ${volume.size}.`,
    );
  }
  const data = emptyLike(volume.data, size[0] * size[1] * size[2]);
  if (leaves && fill !== undefined) data.fill(fill);
  const [nx, ny, nz] = volume.size;
  const first = [Math.max(start[0], 0), Math.max(start[1], 0), Math.max(start[2], 0)];
  const end = [
    Math.min(start[0] + size[0], nx),
    Math.min(start[1] + size[1], ny),
    Math.min(start[2] + size[2], nz),
  ];
  if (first[0] < end[0]) {
    for (let k = first[2]; k < end[2]; k++) {
      for (let j = first[1]; j < end[1]; j++) {
        const row = nx * (j + ny * k);
        const target = first[0] - start[0] + size[0] * (j - start[1] + size[1] * (k - start[2]));
        data.set(volume.data.subarray(row + first[0], row + end[0]), target);
      }
    }
  }
  return { ...cropGeometry(volume, start, size), data };
}

/** Writes a box back to where {@link crop} took it from, in place. @throws RangeError where it extends beyond the volume */
export function paste(box: Pick<Volume, "data" | "size">, start: Vector3, volume: Volume): void {
  const { size, data } = box;
  if (start.some((first, axis) => first < 0 || first + size[axis] > volume.size[axis])) {
    throw new RangeError(
      `paste: the box of size ${size} at ${start} leaves the volume of size ${volume.size}.`,
    );
  }
  const [nx, ny] = volume.size;
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      const row = size[0] * (j + size[1] * k);
      volume.data.set(
        data.subarray(row, row + size[0]),
        start[0] + nx * (start[1] + j + ny * (start[2] + k)),
      );
    }
  }
}

/** The grid of the box of `size` voxels whose first voxel is index `start` of `geometry`; it may extend beyond the grid. */
export function cropGeometry(geometry: Geometry, start: Vector3, size: Vector3): Geometry {
  const { spacingMm, direction } = geometry;
  return { size, spacingMm, originMm: pointOfIndex(geometry, start), direction };
}

/**
 * Voxel centres of a scan often lie half way between those of a working grid. Such a point goes up, though its last digits,
 * which depend on how a file stores positions, may lie below.
 */
const HALF_WAY = 0.5 + 1e-3;

/**
 * The first voxel of a box of `size` voxels centred on a point, as in node-level crops; it may extend beyond the grid.
 *
 * @param index - of the point, such as a node's centroid; continuous
 */
export function nodeCropStart(index: Vector3, size: Vector3): Vector3 {
  const along = (axis: 0 | 1 | 2) => Math.floor(index[axis] + HALF_WAY) - Math.floor(size[axis] / 2);
  return [along(0), along(1), along(2)];
}
