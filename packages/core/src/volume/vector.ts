// Arithmetic with points and directions in space.
import type { Geometry, Matrix3, Vector3 } from "./volume.js";

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function add(a: Vector3, b: Vector3): Vector3 {
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
}

export function subtract(a: Vector3, b: Vector3): Vector3 {
  return [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
}

/** a + factor · b */
export function addScaled(a: Vector3, b: Vector3, factor: number): Vector3 {
  return [a[0] + factor * b[0], a[1] + factor * b[1], a[2] + factor * b[2]];
}

export function scale(a: Vector3, factor: number): Vector3 {
  return [a[0] * factor, a[1] * factor, a[2] * factor];
}

export function length(a: Vector3): number {
  return Math.hypot(...a);
}

/** The vector of length 1 in the direction of `a`; NaN where `a` has length 0. */
export function unit(a: Vector3): Vector3 {
  return scale(a, 1 / length(a));
}

/** The unit directions (LPS) of the index axes i, j, k: the columns of the direction matrix. */
export function axisDirections(geometry: Pick<Geometry, "direction">): readonly [Vector3, Vector3, Vector3] {
  const { direction: m } = geometry;
  return [
    [m[0], m[3], m[6]],
    [m[1], m[4], m[7]],
    [m[2], m[5], m[8]],
  ];
}

/** The direction matrix whose columns are these three; the inverse of {@link axisDirections}. */
export function directionOf(i: Vector3, j: Vector3, k: Vector3): Matrix3 {
  return [i[0], j[0], k[0], i[1], j[1], k[1], i[2], j[2], k[2]];
}
