// Reorders and flips a volume's index axes to follow the patient's axes; voxels keep their values and positions.
import type { Geometry, Matrix3, Vector3, Volume, VoxelArray } from "./volume.js";
import { pointOfIndex, voxelCount } from "./volume.js";
import { emptyLike } from "./voxel-array.js";

/**
 * Permutes and flips the index axes so that i, j, k run as nearly as possible along +x (left), +y (posterior),
 * +z (superior). Nothing is resampled: every voxel keeps its value and its point in LPS. The result has a new array.
 */
export function reorientToLps<T extends VoxelArray>(volume: Volume<T>): Volume<T> {
  return alongAxes(volume, axesNearestToLps(volume));
}

/** As {@link reorientToLps}, with i and j the other way: along right, anterior, superior. */
export function reorientToRas<T extends VoxelArray>(volume: Volume<T>): Volume<T> {
  const [x, y, z] = axesNearestToLps(volume);
  return alongAxes(volume, [{ ...x, flipped: !x.flipped }, { ...y, flipped: !y.flipped }, z]);
}

/** The same voxels with other index axes: the new i, j and k are the old axes of these numbers. */
export function permuteAxes<T extends VoxelArray>(volume: Volume<T>, order: Vector3): Volume<T> {
  if (order.every((index, axis) => index === axis)) return volume;
  const [i, j, k] = order.map((index): MatchedAxis => ({ index: index as 0 | 1 | 2, flipped: false }));
  return alongAxes(volume, [i, j, k]);
}

function alongAxes<T extends VoxelArray>(volume: Volume<T>, axes: MatchedAxes): Volume<T> {
  const [nx, ny] = volume.size;
  const sourceStride = [1, nx, nx * ny];
  const upright = geometryAlong(axes, volume);
  const { size } = upright;
  const step = vectorOf(axes, (axis) => (axis.flipped ? -1 : 1) * sourceStride[axis.index]);
  const firstVoxel = firstVoxelAlong(axes, volume);

  const data = emptyLike(volume.data, voxelCount(volume));
  let written = 0;
  const start = firstVoxel[0] + nx * (firstVoxel[1] + ny * firstVoxel[2]);
  for (let k = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      let read = start + k * step[2] + j * step[1];
      for (let i = 0; i < size[0]; i++, read += step[0]) data[written++] = volume.data[read];
    }
  }
  return { ...upright, data };
}

/** The grid that {@link reorientToLps} gives, without the voxels. */
export function uprightGeometry(geometry: Geometry): Geometry {
  return geometryAlong(axesNearestToLps(geometry), geometry);
}

/**
 * Three letters for the directions of growing i, j, k: L(eft) or R(ight), P(osterior) or A(nterior), S(uperior) or I(nferior).
 * An oblique axis is named after the nearest patient axis.
 */
export function orientationCode(geometry: Geometry): string {
  const letters = ["", "", ""];
  axesNearestToLps(geometry).forEach((axis, patientAxis) => {
    letters[axis.index] = (axis.flipped ? "RAI" : "LPS")[patientAxis];
  });
  return letters.join("");
}

interface MatchedAxis {
  readonly index: 0 | 1 | 2;
  readonly flipped: boolean;
}

/** The index axis nearest to each of x, y and z: of the six assignments, that with the largest sum of |cosine|. */
function axesNearestToLps(geometry: Geometry): MatchedAxes {
  const cosine = (patientAxis: number, index: number) => geometry.direction[3 * patientAxis + index];
  const alignment = (order: readonly number[]) =>
    order.reduce((sum, index, patientAxis) => sum + Math.abs(cosine(patientAxis, index)), 0);
  let best = assignments[0];
  for (const order of assignments) if (alignment(order) > alignment(best) + 1e-9) best = order;
  return [
    { index: best[0], flipped: cosine(0, best[0]) < 0 },
    { index: best[1], flipped: cosine(1, best[1]) < 0 },
    { index: best[2], flipped: cosine(2, best[2]) < 0 },
  ];
}

const assignments: readonly (readonly [0 | 1 | 2, 0 | 1 | 2, 0 | 1 | 2])[] = [
  [0, 1, 2],
  [1, 0, 2],
  [0, 2, 1],
  [2, 1, 0],
  [1, 2, 0],
  [2, 0, 1],
];

type MatchedAxes = readonly [MatchedAxis, MatchedAxis, MatchedAxis];

function geometryAlong(axes: MatchedAxes, geometry: Geometry): Geometry {
  return {
    size: vectorOf(axes, (axis) => geometry.size[axis.index]),
    spacingMm: vectorOf(axes, (axis) => geometry.spacingMm[axis.index]),
    originMm: pointOfIndex(geometry, firstVoxelAlong(axes, geometry)),
    direction: directionOf(geometry.direction, axes),
  };
}

/** The index, in the old order of axes, of the voxel that becomes (0, 0, 0). */
function firstVoxelAlong(axes: MatchedAxes, { size }: Geometry): Vector3 {
  const first: [number, number, number] = [0, 0, 0];
  for (const axis of axes) if (axis.flipped) first[axis.index] = size[axis.index] - 1;
  return first;
}

function vectorOf(axes: readonly MatchedAxis[], value: (axis: MatchedAxis) => number): Vector3 {
  return [value(axes[0]), value(axes[1]), value(axes[2])];
}

function directionOf(old: Matrix3, axes: readonly MatchedAxis[]): Matrix3 {
  // Zero minus a value: negating 0 would give −0, which a deep comparison does not count as equal to 0.
  const entry = (row: number, axis: MatchedAxis) =>
    axis.flipped ? 0 - old[3 * row + axis.index] : old[3 * row + axis.index];
  const row = (r: number) => vectorOf(axes, (axis) => entry(r, axis));
  return [...row(0), ...row(1), ...row(2)];
}
