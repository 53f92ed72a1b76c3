// Finds soft tissue of a host that looks like a lymph node in fat. It is unlabelled, so training must ignore it.
import type { Geometry, Vector3 } from "../../volume/volume.js";

/** The tissues to search, all on the same grid, i fastest. */
export interface HostTissue extends Geometry {
  /** Smoothed HU. */
  readonly hu: Float32Array;
  readonly muscleHu: number;
  /** 1 in fat. */
  readonly fat: Uint8Array;
  /** 1 where to search for nodes. */
  readonly allowed: Uint8Array;
  /** Distance to bone, air, organs and the outside of the body. */
  readonly clearanceMm: Float32Array;
}

/** Half edges of the cubes that are compared: nodes from 3 to 30 mm. */
const HALF_EDGES_MM = [2, 3.2, 5, 8, 12];
/** A node fills its cube and is surrounded by fat. */
const LEAST_FILLED = 0.8;
const LEAST_FAT_AROUND = 0.45;
/** Most of what runs through a cube continues above and below it. */
const RUNS_THROUGH = 0.6;

/**
 * 1 in soft tissue that fills a cube of 4 to 24 mm while at least 45 % of the shell around the cube is fat. What continues
 * both above and below the cube is a vessel or a muscle, most of which run along the neck. A short piece may still be
 * mistaken for a node, but then training only ignores that piece.
 */
export function nodeLikeVoxels(tissue: HostTissue): Uint8Array {
  const { size, spacingMm, hu, muscleHu, fat, allowed, clearanceMm } = tissue;
  const soft = new Uint8Array(hu.length);
  for (let n = 0; n < hu.length; n++) if (hu[n] > muscleHu - 50 && hu[n] < muscleHu + 130) soft[n] = 1;
  const softSums = summedVolume(soft, size);
  const fatSums = summedVolume(fat, size);
  const found = new Uint8Array(hu.length);
  for (const halfMm of HALF_EDGES_MM) {
    const half = spacingMm.map((spacing) => Math.max(1, Math.round(halfMm / spacing)));
    const outer = spacingMm.map((spacing, axis) => half[axis] + Math.max(2, Math.round(3 / spacing)));
    const margin = half.map((length) => length + 1);
    eachVoxel(size, outer, (i, j, k, n) => {
      if (allowed[n] === 0 || soft[n] === 0 || clearanceMm[n] < halfMm) return;
      const centre: Vector3 = [i, j, k];
      const inner = cubeSum(softSums, size, centre, half);
      if (inner < LEAST_FILLED * cubeVoxels(half)) return;
      const around = cubeSum(fatSums, size, centre, outer) - cubeSum(fatSums, size, centre, half);
      if (around < LEAST_FAT_AROUND * (cubeVoxels(outer) - cubeVoxels(half))) return;
      // The slabs above and below, as wide as the cube.
      const [low, high] = [-1, 1].map((side) => {
        const from = side > 0 ? k + half[2] + 1 : k - outer[2];
        const to = side > 0 ? k + outer[2] : k - half[2] - 1;
        const slab = boxSum(softSums, size, [i - half[0], j - half[1], from], [i + half[0], j + half[1], to]);
        return slab / ((2 * half[0] + 1) * (2 * half[1] + 1) * (to - from + 1));
      });
      if (Math.min(low, high) > RUNS_THROUGH) return;
      markSoft(found, soft, size, [i, j, k], margin);
    });
  }
  return found;
}

function markSoft(
  found: Uint8Array,
  soft: Uint8Array,
  [nx, ny]: Vector3,
  [i, j, k]: Vector3,
  half: readonly number[],
): void {
  for (let z = k - half[2]; z <= k + half[2]; z++)
    for (let y = j - half[1]; y <= j + half[1]; y++) {
      const row = nx * (y + ny * z);
      for (let x = i - half[0]; x <= i + half[0]; x++) if (soft[row + x] === 1) found[row + x] = 1;
    }
}

/** Every voxel that lies at least `margin` within the grid. */
function eachVoxel(
  [nx, ny, nz]: Vector3,
  margin: readonly number[],
  visit: (i: number, j: number, k: number, voxel: number) => void,
): void {
  for (let k = margin[2] + 1; k < nz - margin[2]; k++)
    for (let j = margin[1] + 1; j < ny - margin[1]; j++)
      for (let i = margin[0] + 1; i < nx - margin[0]; i++) visit(i, j, k, i + nx * (j + ny * k));
}

/** Sums of all voxels up to and including each (a summed-volume table), so that the sum of any box takes eight reads (Crow 1984, in three dimensions). */
function summedVolume(mask: Uint8Array, [nx, ny, nz]: Vector3): Int32Array {
  const sums = new Int32Array(mask.length);
  const plane = nx * ny;
  for (let k = 0; k < nz; k++)
    for (let j = 0; j < ny; j++) {
      let row = 0;
      for (let i = 0; i < nx; i++) {
        const n = i + nx * j + plane * k;
        row += mask[n];
        const above = j > 0 ? sums[n - nx] : 0;
        const before = k > 0 ? sums[n - plane] : 0;
        const both = j > 0 && k > 0 ? sums[n - plane - nx] : 0;
        sums[n] = row + above + before - both;
      }
    }
  return sums;
}

const cubeVoxels = (half: readonly number[]): number =>
  half.reduce((product, length) => product * (2 * length + 1), 1);

/** The sum over a cube about a voxel. */
const cubeSum = (sums: Int32Array, size: Vector3, [i, j, k]: Vector3, half: readonly number[]): number =>
  boxSum(sums, size, [i - half[0], j - half[1], k - half[2]], [i + half[0], j + half[1], k + half[2]]);

/** The sum over a box, both corners included; it and one voxel before it lie within the grid. */
function boxSum(sums: Int32Array, [nx, ny]: Vector3, low: Vector3, high: Vector3): number {
  const plane = nx * ny;
  const [x0, x1] = [low[0] - 1, high[0]];
  const [y0, y1] = [nx * (low[1] - 1), nx * high[1]];
  const [z0, z1] = [plane * (low[2] - 1), plane * high[2]];
  return (
    sums[x1 + y1 + z1] -
    sums[x0 + y1 + z1] -
    sums[x1 + y0 + z1] -
    sums[x1 + y1 + z0] +
    sums[x0 + y0 + z1] +
    sums[x0 + y1 + z0] +
    sums[x1 + y0 + z0] -
    sums[x0 + y0 + z0]
  );
}
