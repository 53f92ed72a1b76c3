// Masks for tests: random masks, ellipsoids, and the same mask on grids with another order of axes.
import fc from "fast-check";
import { type Matrix3, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";

/** An ellipsoid around the point 0: half axes along x, y, z, then rotated. */
export interface Ellipsoid {
  readonly halfAxesMm: Vector3;
  readonly turn: Matrix3;
}

/** The voxels whose centres lie in an ellipsoid, on a grid just large enough; its centre is `offset` voxels from a voxel centre. */
export function ellipsoidMask(
  { halfAxesMm, turn }: Ellipsoid,
  spacingMm: Vector3,
  direction: Matrix3,
  offset: Vector3,
): Volume<Uint8Array> {
  const reach = Math.max(...halfAxesMm);
  const sides = spacingMm.map((s) => 2 * Math.ceil(reach / s) + 3);
  const grid = { size: [sides[0], sides[1], sides[2]] as const, spacingMm, direction };
  const middle = sides.map((n, axis) => (n - 1) / 2 + offset[axis]);
  const centre = pointOfIndex({ ...grid, originMm: [0, 0, 0] }, [middle[0], middle[1], middle[2]]);
  const originMm: Vector3 = [-centre[0], -centre[1], -centre[2]];
  const mask = { ...grid, originMm, data: new Uint8Array(sides[0] * sides[1] * sides[2]) };
  for (let k = 0, at = 0; k < sides[2]; k++) {
    for (let j = 0; j < sides[1]; j++) {
      for (let i = 0; i < sides[0]; i++, at++) {
        const p = pointOfIndex(mask, [i, j, k]);
        const along = (n: number) =>
          (turn[n] * p[0] + turn[3 + n] * p[1] + turn[6 + n] * p[2]) / halfAxesMm[n];
        if (along(0) ** 2 + along(1) ** 2 + along(2) ** 2 <= 1) mask.data[at] = 1;
      }
    }
  }
  return mask;
}

/** Rotation about a unit axis (Rodrigues). */
export function rotation([x, y, z]: Vector3, degrees: number): Matrix3 {
  const c = Math.cos((degrees * Math.PI) / 180);
  const s = Math.sin((degrees * Math.PI) / 180);
  const t = 1 - c;
  return [
    ...([c + t * x * x, t * x * y - s * z, t * x * z + s * y] as const),
    ...([t * x * y + s * z, c + t * y * y, t * y * z - s * x] as const),
    ...([t * x * z - s * y, t * y * z + s * x, c + t * z * z] as const),
  ];
}

/** Random masks with at least one voxel, on an upright grid of random spacing. */
export function masks(size: Vector3): fc.Arbitrary<Volume<Uint8Array>> {
  const count = size[0] * size[1] * size[2];
  const spacing = fc.double({ min: 0.4, max: 3, noNaN: true });
  return fc
    .record({
      data: fc.uint8Array({ min: 0, max: 1, minLength: count, maxLength: count }),
      spacingMm: fc.tuple(spacing, spacing, spacing),
    })
    .filter(({ data }) => data.includes(1))
    .map(({ data, spacingMm }) => ({
      data,
      spacingMm,
      size,
      originMm: [3, -5, 11],
      direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    }));
}

/** Other ways to store an upright volume: index axes in another order, some of them reversed. Every voxel keeps its position. */
export const turnedGrids = fc
  .record({
    order: fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
    reversed: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
  })
  .map(
    ({ order: [p, q, r], reversed }) =>
      <T extends Uint8Array | Int16Array>(volume: Volume<T>): Volume<T> => {
        const order = [p, q, r];
        const pick = (of: Vector3): Vector3 => [of[p], of[q], of[r]];
        const size = pick(volume.size);
        const data = volume.data.slice() as T;
        const old = [0, 0, 0];
        for (let k = 0, at = 0; k < size[2]; k++) {
          for (let j = 0; j < size[1]; j++) {
            for (let i = 0; i < size[0]; i++, at++) {
              [i, j, k].forEach((n, axis) => {
                old[order[axis]] = reversed[axis] ? size[axis] - 1 - n : n;
              });
              data[at] = volume.data[old[0] + volume.size[0] * (old[1] + volume.size[1] * old[2])];
            }
          }
        }
        const entry = (row: number, axis: number) => (order[axis] === row ? (reversed[axis] ? -1 : 1) : 0);
        const first = [0, 0, 0];
        order.forEach((oldAxis, axis) => {
          if (reversed[axis]) first[oldAxis] = size[axis] - 1;
        });
        return {
          data,
          size,
          spacingMm: pick(volume.spacingMm),
          originMm: pointOfIndex(volume, [first[0], first[1], first[2]]),
          direction: [
            ...([entry(0, 0), entry(0, 1), entry(0, 2)] as const),
            ...([entry(1, 0), entry(1, 1), entry(1, 2)] as const),
            ...([entry(2, 0), entry(2, 1), entry(2, 2)] as const),
          ],
        };
      },
  );
