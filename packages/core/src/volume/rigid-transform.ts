// Rigid motions of the patient between two scans: rotation and translation in LPS mm.

import { add, cross, length, scale, subtract } from "./vector.js";
import type { Geometry, Matrix3, Vector3 } from "./volume.js";

/** Takes a point x (LPS mm) to rotation · x + offset. */
export interface RigidTransform {
  /** Row by row; orthonormal, determinant +1. */
  readonly rotation: Matrix3;
  readonly offsetMm: Vector3;
}

export const identityTransform: RigidTransform = {
  rotation: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  offsetMm: [0, 0, 0],
};

export function transformed({ rotation, offsetMm }: RigidTransform, pointMm: Vector3): Vector3 {
  return add(rotated(rotation, pointMm), offsetMm);
}

/** First `inner`, then `outer`. */
export function composed(outer: RigidTransform, inner: RigidTransform): RigidTransform {
  return {
    rotation: product(outer.rotation, inner.rotation),
    offsetMm: transformed(outer, inner.offsetMm),
  };
}

export function inverted({ rotation, offsetMm }: RigidTransform): RigidTransform {
  const back = transposed(rotation);
  return { rotation: back, offsetMm: scale(rotated(back, offsetMm), -1) };
}

/**
 * A turn about an axis through a point, then a shift.
 *
 * @param turn the axis, its length the angle in radians (Rodrigues)
 */
export function turnAbout(centreMm: Vector3, turn: Vector3, shiftMm: Vector3): RigidTransform {
  const angle = length(turn);
  const column = (axis: Vector3): Vector3 => {
    if (angle < 1e-12) return add(axis, cross(turn, axis));
    const unitTurn = scale(turn, 1 / angle);
    const along = axis[0] * unitTurn[0] + axis[1] * unitTurn[1] + axis[2] * unitTurn[2];
    return add(
      add(scale(axis, Math.cos(angle)), scale(cross(unitTurn, axis), Math.sin(angle))),
      scale(unitTurn, along * (1 - Math.cos(angle))),
    );
  };
  const [a, b, c] = [column([1, 0, 0]), column([0, 1, 0]), column([0, 0, 1])];
  const rotation: Matrix3 = [a[0], b[0], c[0], a[1], b[1], c[1], a[2], b[2], c[2]];
  return { rotation, offsetMm: subtract(add(centreMm, shiftMm), rotated(rotation, centreMm)) };
}

/** Where a grid comes to lie when the patient moves. */
export function movedGeometry<Grid extends Geometry>(grid: Grid, motion: RigidTransform): Grid {
  return {
    ...grid,
    originMm: transformed(motion, grid.originMm),
    direction: product(motion.rotation, grid.direction),
  };
}

/** How far it moves a point, mm. */
export const displacementMm = (transform: RigidTransform, pointMm: Vector3): number =>
  length(subtract(transformed(transform, pointMm), pointMm));

function rotated(m: Matrix3, [x, y, z]: Vector3): Vector3 {
  return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z];
}

const transposed = (m: Matrix3): Matrix3 => [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];

function product(a: Matrix3, b: Matrix3): Matrix3 {
  const entry = (row: number, column: number) =>
    a[3 * row] * b[column] + a[3 * row + 1] * b[3 + column] + a[3 * row + 2] * b[6 + column];
  return [
    ...([entry(0, 0), entry(0, 1), entry(0, 2)] as const),
    ...([entry(1, 0), entry(1, 1), entry(1, 2)] as const),
    ...([entry(2, 0), entry(2, 1), entry(2, 2)] as const),
  ];
}
