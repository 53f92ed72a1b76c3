// Small scans and masks for the tests of a study.
import type { Matrix3, Vector3, Volume } from "@lnsnet/core/volume";
import type { Study } from "./study.js";
import { type BoxedMask, vector } from "./voxel-box.js";

/** A scan of soft tissue (50 HU) everywhere. */
export function evenScan(
  size: Vector3,
  {
    spacingMm = [1, 1, 1],
    direction = [1, 0, 0, 0, 1, 0, 0, 0, 1],
  }: { spacingMm?: Vector3; direction?: Matrix3 } = {},
): Volume<Int16Array> {
  return {
    size,
    spacingMm,
    originMm: [0, 0, 0],
    direction,
    data: new Int16Array(size[0] * size[1] * size[2]).fill(50),
  };
}

/** A solid block of voxels, from the first index to the last. */
export function block(first: Vector3, last: Vector3): BoxedMask {
  const size = vector((axis) => last[axis] - first[axis] + 1);
  return { start: first, size, data: new Uint8Array(size[0] * size[1] * size[2]).fill(1) };
}

/** All voxels of a node as "i,j,k". */
export function voxelsOf({ labels }: Study, number: number): string[] {
  const voxels: string[] = [];
  const [width, height] = labels.size;
  labels.data.forEach((value, at) => {
    if (value === number)
      voxels.push([at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))].join());
  });
  return voxels;
}

/** The matrix of the spike's oblique scan: turned by 20° about x, then by 10° about z. */
export const oblique: Matrix3 = (() => {
  const [a, b] = [(20 * Math.PI) / 180, (10 * Math.PI) / 180];
  const [cosA, sinA, cosB, sinB] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b)];
  return [cosB, -sinB * cosA, sinB * sinA, sinB, cosB * cosA, -cosB * sinA, 0, sinA, cosA];
})();
