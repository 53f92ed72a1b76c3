// Draws the grid of a phantom's scan: size, spacing, origin and direction.

import type { Geometry, Matrix3, Vector3 } from "../volume/volume.js";
import type { PhantomOptions } from "./options.js";
import { randomStream } from "./random.js";

/** A scan's grid, and the position of the anatomy's origin. */
export interface ScanGrid {
  readonly geometry: Geometry;
  /** LPS mm of the point (0, 0, 0) of the anatomy: patients never lie at the scanner's zero. */
  readonly anatomyOriginMm: Vector3;
}

/** Draws spacing, obliqueness, reversed axes and position. */
export function drawGrid(seed: number, index: number, options: PhantomOptions): ScanGrid {
  const random = randomStream(seed, index, "scanner");
  const oblique = random.chance(options.obliqueShare);
  const angle = (): number => (oblique ? (random.uniform(-10, 10) * Math.PI) / 180 : 0);
  const rotation = rotationMatrix(angle() * 0.7, angle() * 0.5, angle());
  const signs = reversedAxes(random.chance(options.reversedShare) ? 1 + random.weighted([1, 1, 1, 1]) : 0);
  const direction = rotation.map((value, n) => value * signs[n % 3]) as unknown as Matrix3;
  const anatomyOriginMm: Vector3 = [
    random.uniform(-40, 40),
    random.uniform(-60, 60),
    random.uniform(-300, 100),
  ];

  const drawn = random.uniform(...options.inPlaneSpacingMm);
  const drawnSlice = random.uniform(...options.sliceSpacingMm);
  // If there are too many voxels, slices get thicker first, then pixels wider, as in scan protocols.
  const [fx, fy, fz] = options.fieldMm;
  const leastVoxelMm3 = (fx * fy * fz) / options.maximumVoxels;
  const slice = Math.max(drawnSlice, Math.min(options.sliceSpacingMm[1], leastVoxelMm3 / drawn ** 2));
  const spacing = Math.max(drawn, Math.sqrt(leastVoxelMm3 / slice));
  const spacingMm: Vector3 = [spacing, spacing, slice];
  const size = spacingMm.map((step, axis) => Math.round(options.fieldMm[axis] / step)) as unknown as Vector3;

  // The field's middle lies a little before and below the larynx-centred origin, so that both chin and thyroid are covered.
  const middle: Vector3 = [
    anatomyOriginMm[0] + random.uniform(-2, 2),
    anatomyOriginMm[1] - 3 + random.uniform(-2, 2),
    anatomyOriginMm[2] + random.uniform(-3, 3),
  ];
  const half = size.map((n, axis) => ((n - 1) / 2) * spacingMm[axis]);
  const originMm = middle.map(
    (value, row) =>
      value -
      direction[row * 3] * half[0] -
      direction[row * 3 + 1] * half[1] -
      direction[row * 3 + 2] * half[2],
  ) as unknown as Vector3;
  return { geometry: { size, spacingMm, originMm, direction }, anatomyOriginMm };
}

// 0: none (LPS order); 1: LAS; 2: RPS; 3: RAS; 4: feet-wards slices.
function reversedAxes(kind: number): Vector3 {
  const kinds: readonly Vector3[] = [
    [1, 1, 1],
    [1, -1, 1],
    [-1, 1, 1],
    [-1, -1, 1],
    [1, 1, -1],
  ];
  return kinds[kind] as Vector3;
}

function rotationMatrix(aboutX: number, aboutY: number, aboutZ: number): Matrix3 {
  const [cx, sx, cy, sy, cz, sz] = [
    Math.cos(aboutX),
    Math.sin(aboutX),
    Math.cos(aboutY),
    Math.sin(aboutY),
    Math.cos(aboutZ),
    Math.sin(aboutZ),
  ];
  return [
    cz * cy,
    cz * sy * sx - sz * cx,
    cz * sy * cx + sz * sx,
    sz * cy,
    sz * sy * sx + cz * cx,
    sz * sy * cx - cz * sx,
    -sy,
    cy * sx,
    cy * cx,
  ];
}
