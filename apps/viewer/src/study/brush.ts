// The voxels that a brush covers, by distances in mm in the patient, on grids of any spacing and direction.
import {
  addScaled,
  dot,
  type Geometry,
  indexOfPoint,
  unit,
  type Vector3,
  type Volume,
} from "@lnsnet/core/volume";
import { stepsAlong } from "./plane.js";
import { type BoxedMask, boxBetween, vector } from "./voxel-box.js";

/** HU that a brush takes. */
interface HuLimits {
  /** Both ends belong to it. */
  readonly lowHu: number;
  readonly highHu: number;
  /** Whether only HU outside of the limits are taken. */
  readonly invert: boolean;
}

export interface Brush {
  readonly radiusMm: number;
  /** null for a sphere; for a circle the normal of the plane in which it is drawn, LPS, of any length. */
  readonly planeNormal: Vector3 | null;
  /** null where any HU are taken. */
  readonly limits: HuLimits | null;
}

/**
 * The voxels whose centres a brush covers on its way along a straight line, and those nearest to the line's ends, so that
 * a brush smaller than a voxel paints too. A circle is as thick as the voxels that its plane cuts. Then the limits of HU.
 *
 * @param scan HU
 * @param fromMm LPS; for a circle the plane goes through it
 * @param toMm LPS; the same as `fromMm` for a single touch
 * @returns null where the brush lies outside the scan
 */
export function brushMask(scan: Volume, brush: Brush, fromMm: Vector3, toMm: Vector3): BoxedMask | null {
  const { spacingMm } = scan;
  const [from, to] = [indexOfPoint(scan, fromMm), indexOfPoint(scan, toMm)];
  const normal = brush.planeNormal === null ? null : unitAlongAxes(scan, brush.planeNormal);
  const halfThicknessMm =
    normal === null ? 0 : normal.reduce((sum, part, axis) => sum + Math.abs(part) * spacingMm[axis], 0) / 2;
  const reach = vector((axis) => {
    const across = normal === null ? 0 : Math.abs(normal[axis]);
    return (
      (brush.radiusMm * Math.sqrt(1 - Math.min(1, across ** 2)) + halfThicknessMm * across) / spacingMm[axis]
    );
  });
  const box = boxBetween(
    vector((axis) => Math.floor(Math.min(from[axis], to[axis]) - reach[axis])),
    vector((axis) => Math.ceil(Math.max(from[axis], to[axis]) + reach[axis])),
    scan.size,
  );
  if (box === null) return null;
  const { start, size } = box;
  const data = new Uint8Array(size[0] * size[1] * size[2]);

  // Everything is reckoned in mm along the index axes, which are at right angles: distances are those in the patient.
  const way = vector((axis) => (to[axis] - from[axis]) * spacingMm[axis]);
  const flatWay = normal === null ? way : withoutPart(way, normal);
  const wayMm2 = dot(flatWay, flatWay);
  const limitMm2 = brush.radiusMm ** 2 * (1 + 1e-9);
  const tie = 1e-6 * halfThicknessMm;
  const isCovered = (i: number, y: number, z: number): boolean => {
    const x = (start[0] + i - from[0]) * spacingMm[0];
    let offMm2 = 0;
    if (normal !== null) {
      const off = x * normal[0] + y * normal[1] + z * normal[2];
      // A plane midway between two slices cuts one of them.
      if (off <= tie - halfThicknessMm || off > halfThicknessMm + tie) return false;
      offMm2 = off * off;
    }
    const alongMm2 = x * flatWay[0] + y * flatWay[1] + z * flatWay[2];
    const share = wayMm2 === 0 ? 0 : Math.max(0, Math.min(1, alongMm2 / wayMm2));
    const distanceMm2 = x * x + y * y + z * z - offMm2 - 2 * share * alongMm2 + share * share * wayMm2;
    return distanceMm2 <= limitMm2;
  };
  // What a brush covers is convex: of a row one run, which begins and ends near to where that of the row before does.
  let [first, last] = [0, 0];
  for (let k = 0; k < size[2]; k++) {
    const z = (start[2] + k - from[2]) * spacingMm[2];
    for (let j = 0; j < size[1]; j++) {
      const y = (start[1] + j - from[1]) * spacingMm[1];
      let at = first;
      while (at < size[0] && !isCovered(at, y, z)) at++;
      if (at === size[0]) {
        at = first - 1;
        while (at >= 0 && !isCovered(at, y, z)) at--;
        if (at < 0) continue;
        last = at;
      }
      while (at > 0 && isCovered(at - 1, y, z)) at--;
      first = at;
      last = Math.max(first, last);
      while (last > first && !isCovered(last, y, z)) last--;
      while (last + 1 < size[0] && isCovered(last + 1, y, z)) last++;
      const row = size[0] * (j + size[1] * k);
      data.fill(1, row + first, row + last + 1);
    }
  }
  for (const end of [from, to]) {
    const [i, j, k] = vector((axis) => Math.round(end[axis]) - start[axis]);
    if (i >= 0 && j >= 0 && k >= 0 && i < size[0] && j < size[1] && k < size[2])
      data[i + size[0] * (j + size[1] * k)] = 1;
  }
  const mask = { ...box, data };
  if (brush.limits !== null) keepWithin(mask, scan, brush.limits);
  return mask;
}

/** Takes the voxels of other HU out of a mask, in place. */
function keepWithin(
  { start, size, data }: BoxedMask,
  scan: Volume,
  { lowHu, highHu, invert }: HuLimits,
): void {
  for (let k = 0, at = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      const row = start[0] + scan.size[0] * (start[1] + j + scan.size[1] * (start[2] + k));
      for (let i = 0; i < size[0]; i++, at++) {
        if (data[at] === 0) continue;
        const hu = scan.data[row + i];
        if ((hu >= lowHu && hu <= highHu) === invert) data[at] = 0;
      }
    }
  }
}

/** A direction (LPS) as a vector of length 1 along the index axes (i, j, k). */
function unitAlongAxes(grid: Geometry, towards: Vector3): Vector3 {
  const steps = stepsAlong(grid, towards);
  const along = vector((axis) => steps[axis] / grid.spacingMm[axis]);
  return unit(along);
}

function withoutPart(a: Vector3, direction: Vector3): Vector3 {
  return addScaled(a, direction, -dot(a, direction));
}
