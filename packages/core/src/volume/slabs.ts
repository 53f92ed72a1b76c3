// What was drawn on slices at any distances, as voxels of a regular grid: each slice stands for its slab.
import { type Geometry, voxelCount } from "./volume.js";

/** What a slice stands for: from half way to the slice below it to half way to the slice above it, mm. */
export interface Slab {
  readonly lowMm: number;
  readonly highMm: number;
}

/** What was drawn on a slice, along the grid's third axis from the centre of its first plane. */
export interface DrawnSlab extends Slab {
  /** 1 inside, on the pixels of the grid's planes, i fastest. */
  readonly mask: Uint8Array;
}

/**
 * The slab of each slice. The first and the last one reach outwards as far as inwards.
 *
 * @param positionsMm - of the slices, ascending
 * @param onlyMm - the thickness of the slab of a slice that has no neighbour
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
/** No neighbours on a CT are drawn further apart than this: what is further apart has slices between. */
const thickestSliceMm = 10;

/**
 * Where slices lie of which some were drawn on. A gap between two drawn ones is the distance of neighbours where it is
 * the least, is there twice in a row, or is hardly wider than the gap beside it; otherwise slices without a drawing lie
 * in it, at the distances that the slices around it have.
 *
 * @param drawnMm - ascending, all different
 * @param onlyMm - the distance of slices where no gap tells it
 * @returns the slices next to the drawn ones too; in the middle of a wide gap there may be none
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
 * The voxels of what was drawn: as much of a plane of the grid as the slabs cover of it. A voxel that slabs cover whole
 * is in. Of the others, which a border between drawn and not drawn divides, so many are in that the volume is right,
 * the most covered first and of those the deepest. Slices that lie on the grid's own planes come back as they are.
 *
 * @param slabs - each above the other, without overlap
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

/** Of a voxel's height: what is less is rounding. */
const negligible = 1e-3;

interface Share {
  readonly share: number;
  readonly drawn: Uint8Array;
}

/**
 * Fills a plane by shares of its voxels, each connected region of it for itself: those with the greatest share first, of
 * equal ones the deepest, so that what is in is one piece around what is in above and below.
 *
 * @returns what is owed of a voxel, to give on, so that the sum over planes is right
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

/** The pixels of each region of a plane that is covered and connected by edges or corners. */
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

/** How many steps along rows and columns lead from each pixel to the next one that is not covered. */
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
