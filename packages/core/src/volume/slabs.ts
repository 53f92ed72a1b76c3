// Turns masks drawn on slices at any distances into voxels of a regular grid: each slice fills its slab.
import { type Geometry, voxelCount } from "./volume.js";

/** The slab of a slice: from half way to the slice below to half way to the slice above, mm. */
export interface Slab {
  readonly lowMm: number;
  readonly highMm: number;
}

/** A slab with the mask drawn on its slice; positions along the grid's third axis from the centre of its first plane. */
export interface DrawnSlab extends Slab {
  /** 1 inside, on the pixels of the grid's planes, i fastest. */
  readonly mask: Uint8Array;
}

/**
 * The slab of each slice. The first and the last slab extend outwards as far as inwards.
 *
 * @param positionsMm - positions of the slices, ascending
 * @param onlyMm - the thickness of the slab if there is only a single slice
 */
export function slabsOf(positionsMm: readonly number[], onlyMm: number): Slab[] {
  const half = (n: number) => (positionsMm[n + 1] - positionsMm[n]) / 2;
  const last = positionsMm.length - 1;
  return positionsMm.map((position, n) => {
    const below = n > 0 ? half(n - 1) : n < last ? half(n) : onlyMm / 2;
    const above = n < last ? half(n) : n > 0 ? half(n - 1) : onlyMm / 2;
    return { lowMm: position - below, highMm: position + above };
  });
}

/** Gaps that differ by less than this share are equal. */
const equalGaps = 0.05;
/** Neighbouring CT slices are not further apart than this: a wider gap has slices in between. */
const thickestSliceMm = 10;

/**
 * The positions of all slices, estimated from those that were drawn on. A gap between two drawn slices is taken as the
 * distance of neighbours if it is the smallest gap, occurs twice in a row, or is hardly wider than the gap next to it;
 * otherwise it is assumed to hold slices without a drawing, at the distances of the slices around it.
 *
 * @param drawnMm - positions of the drawn slices, ascending, all different
 * @param onlyMm - the distance of slices if no gap tells it
 * @returns the drawn slices and their neighbours; in the middle of a wide gap there may be none
 */
export function slicePositions(drawnMm: readonly number[], onlyMm: number): number[] {
  const gaps = drawnMm.slice(1).map((position, n) => position - drawnMm[n]);
  const least = gaps.reduce((smallest, gap) => Math.min(smallest, gap), Number.POSITIVE_INFINITY);
  const equal = (a: number, b: number | undefined) => b !== undefined && Math.abs(a - b) <= equalGaps * a;
  const isStep = gaps.map(
    (gap, n) =>
      gap <= thickestSliceMm && (equal(gap, least) || equal(gap, gaps[n - 1]) || equal(gap, gaps[n + 1])),
  );
  const stepBeside = (n: number, direction: 1 | -1) => {
    for (let at = n + direction; at >= 0 && at < gaps.length; at += direction)
      if (isStep[at]) return gaps[at];
    return null;
  };
  return drawnMm.flatMap((position, n) => {
    const gap = gaps[n];
    if (gap === undefined || isStep[n]) return [position];
    const below = stepBeside(n, -1) ?? stepBeside(n, 1) ?? onlyMm;
    const above = stepBeside(n, 1) ?? below;
    if (gap <= 1.5 * Math.max(below, above)) return [position];
    return gap < below + above
      ? [position, position + gap / 2]
      : [position, position + below, ...(equal(gap, below + above) ? [] : [position + gap - above])];
  });
}

/**
 * The voxels that the slabs cover. A voxel is inside if it is fully covered. Of the partly covered voxels as many are
 * inside as give the right volume: the most covered first, of equally covered voxels the deepest. Masks on slices that
 * lie on the grid's own planes are returned unchanged.
 *
 * @param slabs - in ascending order, without overlap
 * @returns 1 inside, on the grid, i fastest
 */
export function fillSlabs(slabs: readonly DrawnSlab[], geometry: Geometry): Uint8Array {
  const [nx, ny, nz] = geometry.size;
  const spacing = geometry.spacingMm[2];
  const mask = new Uint8Array(voxelCount(geometry));
  let owed = 0;
  for (let k = 0; k < nz; k++) {
    const covering = slabs.flatMap(({ lowMm, highMm, mask: drawn }) => {
      const low = Math.max(lowMm, (k - 0.5) * spacing);
      const high = Math.min(highMm, (k + 0.5) * spacing);
      const share = (high - low) / spacing;
      return share > negligible ? [{ share, drawn }] : [];
    });
    if (covering.length === 0) continue;
    const plane = mask.subarray(k * nx * ny, (k + 1) * nx * ny);
    const [first] = covering;
    if (covering.length === 1 && first.share > 1 - negligible) plane.set(first.drawn);
    else owed = fillShares(covering, plane, nx, owed);
  }
  return mask;
}

/** Share of a voxel's height; anything smaller is a rounding error. */
const negligible = 1e-3;

interface Share {
  readonly share: number;
  readonly drawn: Uint8Array;
}

/**
 * Fills the voxels of a plane by their covered shares, each connected region separately: the largest shares first, of
 * equal shares the deepest voxels, so that the result is connected to what is filled above and below.
 *
 * @returns the rest of a voxel that is still to be filled, for the next plane, so that the total volume is right
 */
function fillShares(covering: readonly Share[], plane: Uint8Array, width: number, owed: number): number {
  const covered = new Float32Array(plane.length);
  for (const { share, drawn } of covering) {
    for (let n = 0; n < covered.length; n++) if (drawn[n] !== 0) covered[n] += share;
  }
  const shareOf = (n: number) => Math.round(covered[n] / negligible);
  const whole = 1 / negligible - 2;
  const depth = depths(covered, width);
  let rest = owed;
  for (const region of regionsOf(covered, width)) {
    const partly = region.filter((n) => shareOf(n) <= whole);
    for (const n of region) if (shareOf(n) > whole) plane[n] = 1;
    if (partly.length === 0) continue;
    const wanted = partly.reduce((sum, n) => sum + shareOf(n), 0) * negligible + rest;
    const count = Math.max(0, Math.min(partly.length, Math.round(wanted)));
    rest = wanted - count;
    partly.sort((a, b) => shareOf(b) - shareOf(a) || depth[b] - depth[a]);
    for (const n of partly.slice(0, count)) plane[n] = 1;
  }
  return rest;
}

/** The pixels of each covered region of a plane, connected by edges or corners. */
function regionsOf(covered: Float32Array, width: number): number[][] {
  const isFound = new Uint8Array(covered.length);
  const regions: number[][] = [];
  for (let start = 0; start < covered.length; start++) {
    if (covered[start] === 0 || isFound[start] === 1) continue;
    const region = [start];
    isFound[start] = 1;
    for (let at = 0; at < region.length; at++) {
      const column = region[at] % width;
      const first = column === 0 ? 0 : -1;
      const last = column === width - 1 ? 0 : 1;
      for (const row of [-width, 0, width]) {
        for (let step = first; step <= last; step++) {
          const n = region[at] + row + step;
          if (n < 0 || n >= covered.length || covered[n] === 0 || isFound[n] === 1) continue;
          isFound[n] = 1;
          region.push(n);
        }
      }
    }
    regions.push(region);
  }
  return regions;
}

/** Distance of each pixel to the nearest uncovered pixel, in steps along rows and columns. */
function depths(covered: Float32Array, width: number): Int32Array {
  const depth = new Int32Array(covered.length);
  const height = covered.length / width;
  for (let n = 0; n < depth.length; n++) {
    if (covered[n] === 0) continue;
    const left = n % width === 0 ? 0 : depth[n - 1];
    const upper = n < width ? 0 : depth[n - width];
    depth[n] = 1 + Math.min(left, upper);
  }
  for (let n = depth.length - 1; n >= 0; n--) {
    if (covered[n] === 0) continue;
    const right = n % width === width - 1 ? 0 : depth[n + 1];
    const lower = n >= width * (height - 1) ? 0 : depth[n + width];
    depth[n] = Math.min(depth[n], 1 + Math.min(right, lower));
  }
  return depth;
}
