// Elastic deformation: a smooth random displacement, as a cubic B-spline over a coarse grid of control points.

import { type RandomGenerator, uniform } from "../random.js";
import type { Vector3 } from "../volume/volume.js";

/** Distance of control points: two or three nodes wide, so that a node is bent and shifted, but not torn apart. */
const CONTROL_SPACING_MM = 24;
/** Shifts below this share of the spacing cannot fold space (Choi and Lee 2000: 1 / 2.48). */
const MAX_SHIFT_WITHOUT_FOLDS = 0.4;

/** The displacements of row (j, k) along x, y and z in mm, a number for each i; overwritten by the next call. */
export type DisplacementRows = (j: number, k: number) => readonly [Float32Array, Float32Array, Float32Array];

/**
 * A random displacement of a grid, whose control points are shifted uniformly by up to `maximumMm` along each axis. The
 * root mean square shift of a voxel along each axis is then 0.19 of that.
 *
 * @param size of the grid (i, j, k)
 * @throws RangeError where the shifts could fold space
 */
export function randomDisplacement(
  size: Vector3,
  spacingMm: Vector3,
  maximumMm: number,
  random: RandomGenerator,
): DisplacementRows {
  if (maximumMm > MAX_SHIFT_WITHOUT_FOLDS * CONTROL_SPACING_MM)
    throw new RangeError(
      `Control points ${CONTROL_SPACING_MM} mm apart must not move by ${maximumMm} mm: space could fold.`,
    );
  const [across, along, through] = size.map((count, axis) => splineAxis(count, spacingMm[axis]));
  const rowLength = across.controls;
  const planeLength = rowLength * along.controls;
  const controlsMm = Float32Array.from({ length: 3 * planeLength * through.controls }, () =>
    uniform(random, -maximumMm, maximumMm),
  );
  const rows = [0, 1, 2].map(() => new Float32Array(size[0])) as [Float32Array, Float32Array, Float32Array];
  const controlRow = new Float64Array(rowLength);

  return (j, k) => {
    rows.forEach((row, axis) => {
      const volume = axis * planeLength * through.controls;
      controlRow.fill(0);
      for (let c = 0; c < 4; c++) {
        for (let b = 0; b < 4; b++) {
          const weight = through.weights[4 * k + c] * along.weights[4 * j + b];
          const first = volume + planeLength * (through.first[k] + c) + rowLength * (along.first[j] + b);
          for (let a = 0; a < rowLength; a++) controlRow[a] += weight * controlsMm[first + a];
        }
      }
      for (let i = 0; i < row.length; i++) {
        const at = across.first[i];
        const w = 4 * i;
        row[i] =
          across.weights[w] * controlRow[at] +
          across.weights[w + 1] * controlRow[at + 1] +
          across.weights[w + 2] * controlRow[at + 2] +
          across.weights[w + 3] * controlRow[at + 3];
      }
    });
    return rows;
  };
}

/** For every index along an axis, the first of its four control points, and their weights. */
interface SplineAxis {
  readonly controls: number;
  readonly first: Int32Array;
  readonly weights: Float64Array;
}

function splineAxis(count: number, spacingMm: number): SplineAxis {
  const first = new Int32Array(count);
  const weights = new Float64Array(4 * count);
  for (let index = 0; index < count; index++) {
    const place = (index * spacingMm) / CONTROL_SPACING_MM;
    first[index] = Math.floor(place);
    weights.set(cubicWeights(place - first[index]), 4 * index);
  }
  return { controls: first[count - 1] + 4, first, weights };
}

/** The four weights of the uniform cubic B-spline at position `u` (0 to 1) between two control points. */
function cubicWeights(u: number): readonly number[] {
  return [
    (1 - u) ** 3 / 6,
    (3 * u ** 3 - 6 * u ** 2 + 4) / 6,
    (-3 * u ** 3 + 3 * u ** 2 + 3 * u + 1) / 6,
    u ** 3 / 6,
  ];
}
