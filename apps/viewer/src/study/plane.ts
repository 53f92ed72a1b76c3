// Cuts a mask by a plane in the patient.
import { type Geometry, indexOfPoint, type Vector3 } from "@lnsnet/core/volume";
import { type BoxedMask, vector } from "./voxel-box.js";

/**
 * The voxels of a mask whose centres lie beyond a plane, on the side that its normal points to.
 *
 * @param pointMm on the plane, LPS
 * @param normal LPS; need not have length 1
 */
export function voxelsBeyondPlane(
  grid: Geometry,
  mask: BoxedMask,
  pointMm: Vector3,
  normal: Vector3,
): BoxedMask {
  const origin = indexOfPoint(grid, pointMm);
  const along = stepsAlong(grid, normal);
  const data = mask.data.slice();
  for (let k = 0, at = 0; k < mask.size[2]; k++) {
    for (let j = 0; j < mask.size[1]; j++) {
      for (let i = 0; i < mask.size[0]; i++, at++) {
        const beyond =
          (mask.start[0] + i - origin[0]) * along[0] +
          (mask.start[1] + j - origin[1]) * along[1] +
          (mask.start[2] + k - origin[2]) * along[2];
        if (beyond <= 0) data[at] = 0;
      }
    }
  }
  return { ...mask, data };
}

/** How far one step along each index axis (i, j, k) goes in a direction (LPS), times the direction's length. */
export function stepsAlong({ direction: m, spacingMm }: Geometry, towards: Vector3): Vector3 {
  return vector(
    (axis) => spacingMm[axis] * (m[axis] * towards[0] + m[3 + axis] * towards[1] + m[6 + axis] * towards[2]),
  );
}
