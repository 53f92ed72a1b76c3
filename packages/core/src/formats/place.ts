// Spacing, origin and direction of a grid, from what a file's header states: checked, made orthonormal where rounding bent the axes, refused where they do not form a grid.
import { InputError } from "../errors.js";
import { axisDirections, directionOf, dot, scale } from "../volume/vector.js";
import type { Geometry, Matrix3, Vector3 } from "../volume/volume.js";

/** Where a grid lies: a {@link Geometry} without its size. */
export type Place = Pick<Geometry, "spacingMm" | "originMm" | "direction">;

/** Called with a sentence about something unusual in a file that can still be read. */
export type ReportProblem = (problem: string) => void;

/** What a file states: the directions of i, j, k as three vectors of (nearly) unit length in LPS. */
export interface StatedPlace {
  readonly axes: readonly [Vector3, Vector3, Vector3];
  readonly spacingMm: Vector3;
  readonly originMm: Vector3;
}

/**
 * The place of a grid whose axes are stated as unit vectors beside a spacing. Axes that are orthonormal to 1e-12 are
 * kept as they are; a shear up to a cosine of 1e-3 is straightened, and reported from 1e-4 on, which is where the far
 * end of 512 voxels moves by 0.05 voxel.
 *
 * @param name The file, for messages.
 * @throws InputError where a spacing is not plausible for a scan, the origin is farther away than a kilometre, an
 * axis is not of unit length (within 1e-3) or two axes are not perpendicular
 */
export function placeOfAxes(
  { axes, spacingMm, originMm }: StatedPlace,
  name: string,
  report: ReportProblem,
): Place {
  refuseBadSpacing(spacingMm, name);
  // Written so that NaN is refused too.
  if (!originMm.every((coordinate) => Math.abs(coordinate) <= farthestOriginMm)) {
    throw new InputError(
      `${name} places its first voxel at ${originMm.join(", ")} mm, and numbers within a kilometre were expected; correct its header.`,
    );
  }
  const [a, b, c] = axes;
  const lengthError = Math.max(...axes.map((axis) => Math.abs(Math.hypot(...axis) - 1)));
  // Written so that NaN is refused too.
  if (!(lengthError <= 1e-3)) {
    throw new InputError(
      `${name} has the axes (${axes.map((axis) => axis.join(" ")).join("), (")}), and three vectors of length 1 were expected; correct its header.`,
    );
  }
  const shear = Math.max(Math.abs(dot(a, b)), Math.abs(dot(a, c)), Math.abs(dot(b, c)));
  if (shear > 1e-3) {
    throw new InputError(
      `${name} has a sheared grid (cosine ${shear.toPrecision(3)} between two of its axes), and perpendicular axes were expected; resample it onto a straight grid first.`,
    );
  }
  if (shear > 1e-4) {
    report(
      `Two axes of the grid are not quite perpendicular (cosine ${shear.toPrecision(3)}): straightened.`,
    );
  }
  const matrix = directionOf(a, b, c);
  const direction = Math.max(lengthError, shear) > 1e-12 ? orthonormal(matrix) : matrix;
  return { spacingMm, originMm, direction };
}

/**
 * The place of a grid whose axes are stated as steps from voxel to voxel (spacing times direction), in LPS mm;
 * otherwise as {@link placeOfAxes}.
 */
export function placeOfSteps(
  stepsMm: readonly [Vector3, Vector3, Vector3],
  originMm: Vector3,
  name: string,
  report: ReportProblem,
): Place {
  const spacingMm: Vector3 = [
    Math.hypot(...stepsMm[0]),
    Math.hypot(...stepsMm[1]),
    Math.hypot(...stepsMm[2]),
  ];
  refuseBadSpacing(spacingMm, name);
  const unit = (axis: 0 | 1 | 2): Vector3 => {
    const [x, y, z] = stepsMm[axis];
    return [x / spacingMm[axis], y / spacingMm[axis], z / spacingMm[axis]];
  };
  return placeOfAxes({ axes: [unit(0), unit(1), unit(2)], spacingMm, originMm }, name, report);
}

/** The vectors that {@link placeOfSteps} takes: column c of the direction times spacing c. */
export function stepsOf(place: Place): [Vector3, Vector3, Vector3] {
  const [i, j, k] = axisDirections(place);
  const [a, b, c] = place.spacingMm;
  return [scale(i, a), scale(j, b), scale(k, c)];
}

/**
 * Converts a vector from RAS to LPS, or back. Adding zero avoids −0, which a deep comparison does not count as equal
 * to 0.
 */
export function swapRasLps([x, y, z]: Vector3): Vector3 {
  return [0 - x, 0 - y, 0 + z];
}

/** @throws InputError where one of the three is not a positive number, or not plausible for a scan */
export function refuseBadSpacing(spacingMm: Vector3, name: string): void {
  if (isSpacing(spacingMm)) return;
  throw new InputError(
    `${name} has a voxel spacing of ${spacingMm.join(" × ")} mm, and three positive numbers from 0.0001 to 1000 were expected; correct its header.`,
  );
}

/** Whether all three spacings are plausible for a scan: from a tenth of a micrometre to a metre. */
function isSpacing(spacingMm: Vector3): boolean {
  return spacingMm.every((s) => s >= 1e-4 && s <= 1e3);
}

const farthestOriginMm = 1e6;

/** Positive for right-handed axes, negative for left-handed ones. */
export function determinant(m: Matrix3): number {
  const c = cofactors(m);
  return m[0] * c[0] + m[1] * c[1] + m[2] * c[2];
}

/** The orthonormal matrix nearest to a nearly orthonormal one: Newton's iteration for the polar factor (Higham 1986). */
function orthonormal(matrix: Matrix3): Matrix3 {
  let m = matrix;
  for (let step = 0; step < 4; step++) {
    const det = determinant(m);
    const c = cofactors(m);
    const next = (n: number) => (m[n] + c[n] / det) / 2;
    m = [next(0), next(1), next(2), next(3), next(4), next(5), next(6), next(7), next(8)];
  }
  return m;
}

/** Divided by the determinant, this is the transpose of the inverse. */
function cofactors(m: Matrix3): Matrix3 {
  return [
    m[4] * m[8] - m[5] * m[7],
    m[5] * m[6] - m[3] * m[8],
    m[3] * m[7] - m[4] * m[6],
    m[2] * m[7] - m[1] * m[8],
    m[0] * m[8] - m[2] * m[6],
    m[1] * m[6] - m[0] * m[7],
    m[1] * m[5] - m[2] * m[4],
    m[2] * m[3] - m[0] * m[5],
    m[0] * m[4] - m[1] * m[3],
  ];
}
