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
 * those deepest inside first. Slices that lie on the grid's own planes come back as they are.
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

/** Fills a plane by shares of its voxels; gives on what is owed of a voxel, so that the sum over planes is right. */
function fillShares(covering: readonly Share[], plane: Uint8Array, width: number, owed: number): number {
  const covered = new Float32Array(plane.length);
  for (const { share, drawn } of covering) {
    for (let n = 0; n < covered.length; n++) if (drawn[n] !== 0) covered[n] += share;
  }
  const partly = new Map<number, number[]>();
  for (let n = 0; n < covered.length; n++) {
    const share = Math.round(covered[n] / negligible) * negligible;
    if (share > 1 - 2 * negligible) plane[n] = 1;
    else if (share > 0) {
      const alike = partly.get(share);
      if (alike === undefined) partly.set(share, [n]);
      else alike.push(n);
    }
  }
  if (partly.size === 0) return owed;
  const depth = depths(covered, width);
  for (const [share, pixels] of partly) {
    const wanted = share * pixels.length + owed;
    const count = Math.max(0, Math.min(pixels.length, Math.round(wanted)));
    owed = wanted - count;
    pixels.sort((a, b) => depth[b] - depth[a]);
    for (let n = 0; n < count; n++) plane[pixels[n]] = 1;
  }
  return owed;
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
