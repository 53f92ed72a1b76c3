// Prepares a real CT as a host for implanted nodes: working grid, tissues, possible sites, and tissue that already looks like a node.
import { lpsBounds } from "../../volume/bounds.js";
import { blur } from "../../volume/gaussian.js";
import { reorientToLps } from "../../volume/orientation.js";
import { gridWithSpacing, resample, resampleLabels } from "../../volume/resample.js";
import { type Geometry, type Matrix3, type Vector3, type Volume, voxelCount } from "../../volume/volume.js";
import { bodyMask } from "../../voxels/body-mask.js";
import { squaredDistanceMm } from "../../voxels/distance.js";
import { findNeckRegion } from "../../voxels/neck-region.js";
import { nodeLikeVoxels } from "./own-nodes.js";

/** Drawn structures of a host on the grid of its scan; foreground where nonzero. */
export interface HostStructures {
  /** Planning targets, which hold the nodal levels; null where none were drawn. */
  readonly targets: Volume | null;
  /** Organs that no node may lie in; null where none were drawn. */
  readonly organs: Volume | null;
}

/** What an implant needs to know about a scan. All arrays are on its grid, i fastest. */
export interface Host extends Geometry {
  readonly hu: Float32Array;
  /** Standard deviation of the scan's point spread along i, j, k. */
  readonly pointSpreadMm: Vector3;
  readonly muscleHu: number;
  readonly fatHu: number;
  /** Standard deviation in muscle of structures finer than 2.5 mm. */
  readonly noiseHu: number;
  /** Distance to the nearest bone, air, organ or skin. */
  readonly clearanceMm: Float32Array;
  /** 1 in fat. */
  readonly fat: Uint8Array;
  /** Voxels where the centre of an implant may lie. */
  readonly sites: Int32Array;
  /** 1 where the host's own tissue looks like an unlabelled node. */
  readonly ownNodes: Uint8Array;
}

/** The coarsest working spacing. */
const WORKING_SPACING_MM: Vector3 = [1.5, 1.5, 1.5];
/** Planning targets are dilated by this, because they follow the vessels closely. */
const TARGET_MARGIN_MM = 10;
/** The skin with the blur of its edge. */
const SKIN_MM = 3.5;
/** Structures finer than this count as noise. */
const GRAIN_MM = 2.5;
/** Enough to measure noise in. */
const NOISE_SLICES = 40;

/**
 * Prepares a host: axes along LPS, voxels of at most the coarsest size (by the cubic B-spline, as a viewer would show it).
 * A scan on oblique axes is interpolated onto LPS axes, with −1024 around it.
 *
 * @param scan HU, in any orientation
 * @param coarsestMm along x, y, z; an axis on which the scan is finer keeps its spacing
 * @returns null if no site for an implant is found
 */
export function prepareHost(
  scan: Volume,
  { targets, organs }: HostStructures,
  coarsestMm: Vector3 = WORKING_SPACING_MM,
): Host | null {
  const upright = reorientToLps(scan);
  const spacingMm = upright.spacingMm.map((spacing, axis) =>
    Math.min(spacing, coarsestMm[axis]),
  ) as unknown as Vector3;
  const grid = alignedGrid(upright, spacingMm);
  const volume = resample(upright, grid, "cubic", -1024);
  const hu = volume.data;
  const body = bodyMask(volume);
  // The spline overshoots at steep edges: air must stay air.
  for (let n = 0; n < hu.length; n++) hu[n] = Math.max(-1024, Math.min(3071, hu[n]));

  const smooth = hu.slice();
  const inVoxels = (mm: number) => spacingMm.map((spacing) => mm / spacing) as unknown as Vector3;
  blur(smooth, grid.size, inVoxels(1.2));
  const muscleHu = mostFrequentHu(smooth, body, 20, 110);
  const fatHu = mostFrequentHu(smooth, body, -140, -72);
  const fat = new Uint8Array(hu.length);
  const forbidden = new Uint8Array(hu.length);
  const organ = maskOn(grid, organs);
  const depth = squaredDepth(grid, body);
  for (let n = 0; n < hu.length; n++)
    if (depth[n] < SKIN_MM ** 2 || smooth[n] > 180 || smooth[n] < -300 || organ?.[n] === 1) forbidden[n] = 1;
  const clearance = squaredDistanceMm(forbidden, grid.size, spacingMm);
  const clearanceMm = new Float32Array(hu.length);
  for (let n = 0; n < hu.length; n++) clearanceMm[n] = Math.sqrt(clearance[n]);
  // Voxels between air and mucosa also have the HU of fat.
  for (let n = 0; n < hu.length; n++)
    if (clearanceMm[n] >= 3 && smooth[n] < (fatHu + muscleHu) / 2) fat[n] = 1;
  const target = maskOn(grid, targets);
  const allowed = target === null ? neckPart(volume, depth) : grown(target, grid, TARGET_MARGIN_MM);
  const sites = voxelsWhere(clearanceMm, (clearance, n) => clearance >= 2 && allowed[n] === 1);
  if (sites.length === 0) return null;
  return {
    ...grid,
    hu,
    pointSpreadMm: pointSpread(upright.spacingMm),
    muscleHu,
    fatHu,
    noiseHu: noiseOf({ ...grid, data: hu }, body, muscleHu),
    clearanceMm,
    fat,
    sites,
    ownNodes: nodeLikeVoxels({ ...grid, hu: smooth, muscleHu, fat, allowed: target ?? allowed, clearanceMm }),
  };
}

/** The grid around a scan whose axes are LPS. */
function alignedGrid(upright: Volume, spacingMm: Vector3): Geometry {
  if (upright.direction.every((cosine, n) => Math.abs(cosine - identity[n]) < 1e-4))
    return gridWithSpacing(upright, spacingMm);
  const { lowMm, highMm } = lpsBounds(upright);
  return {
    size: lowMm.map((low, axis) => Math.ceil((highMm[axis] - low) / spacingMm[axis])) as unknown as Vector3,
    spacingMm,
    originMm: lowMm.map((low, axis) => low + spacingMm[axis] / 2) as unknown as Vector3,
    direction: identity,
  };
}

const identity: Matrix3 = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** A scanner's point spread is about as wide as its voxels; what a fine scan shows is never sharper than 0.6 mm. */
const pointSpread = (spacingMm: Vector3): Vector3 =>
  spacingMm.map((spacing) => Math.max(0.6, 0.38 * spacing)) as unknown as Vector3;

/** The middle of the fullest bin of 4 HU between two limits, within the body. */
function mostFrequentHu(hu: Float32Array, body: Uint8Array, lowHu: number, highHu: number): number {
  const counts = new Int32Array(Math.ceil((highHu - lowHu) / 4));
  for (let n = 0; n < hu.length; n++)
    if (body[n] === 1 && hu[n] >= lowHu && hu[n] < highHu) counts[Math.floor((hu[n] - lowHu) / 4)]++;
  return lowHu + 4 * counts.indexOf(Math.max(...counts)) + 2;
}

/** By the median absolute deviation in the middle slices, which edges of tissue do not affect. */
function noiseOf(
  { data, size, spacingMm }: Volume<Float32Array>,
  body: Uint8Array,
  muscleHu: number,
): number {
  const plane = size[0] * size[1];
  const slices = Math.min(size[2], NOISE_SLICES);
  const first = plane * Math.floor((size[2] - slices) / 2);
  const hu = data.subarray(first, first + plane * slices);
  const coarse = hu.slice();
  const deviations = spacingMm.map((spacing) => GRAIN_MM / spacing) as unknown as Vector3;
  blur(coarse, [size[0], size[1], slices], deviations);
  const counts = new Int32Array(200);
  let total = 0;
  for (let n = 0; n < hu.length; n++) {
    if (body[first + n] === 0 || Math.abs(coarse[n] - muscleHu) > 15) continue;
    counts[Math.min(counts.length - 1, Math.floor(Math.abs(hu[n] - coarse[n])))]++;
    total++;
  }
  let below = 0;
  const median = counts.findIndex((count) => {
    below += count;
    return 2 * below >= total;
  });
  return 1.4826 * (Math.max(0, median) + 0.5);
}

/** A drawn structure on the working grid, 0 and 1. */
function maskOn(grid: Geometry, structure: Volume | null): Uint8Array | null {
  if (structure === null) return null;
  const { data } = resampleLabels(reorientToLps(structure), grid);
  const mask = new Uint8Array(data.length);
  for (let n = 0; n < data.length; n++) mask[n] = data[n] === 0 ? 0 : 1;
  return mask;
}

/** Squared distance to the nearest point outside the body, 0 there. */
function squaredDepth({ size, spacingMm }: Geometry, body: Uint8Array) {
  const outside = new Uint8Array(body.length);
  for (let n = 0; n < body.length; n++) outside[n] = 1 - body[n];
  return squaredDistanceMm(outside, size, spacingMm);
}

function grown(mask: Uint8Array, { size, spacingMm }: Geometry, marginMm: number): Uint8Array {
  const squared = squaredDistanceMm(mask, size, spacingMm);
  const result = new Uint8Array(mask.length);
  for (let n = 0; n < mask.length; n++) if (squared[n] <= marginMm ** 2) result[n] = 1;
  return result;
}

/** Without drawn targets: the soft tissue of the neck, from 6 to 45 mm below the skin. */
function neckPart(volume: Volume<Float32Array>, depth: ArrayLike<number>): Uint8Array {
  const region = findNeckRegion(volume);
  const part = new Uint8Array(voxelCount(volume));
  if (region.found === "none") return part;
  const plane = volume.size[0] * volume.size[1];
  for (let n = 0; n < part.length; n++) {
    const zMm = volume.originMm[2] + Math.floor(n / plane) * volume.spacingMm[2];
    if (zMm >= region.lowMm[2] && zMm <= region.highMm[2] && depth[n] >= 36 && depth[n] <= 2025) part[n] = 1;
  }
  return part;
}

function voxelsWhere(values: Float32Array, test: (value: number, voxel: number) => boolean): Int32Array {
  let count = 0;
  for (let n = 0; n < values.length; n++) if (test(values[n], n)) count++;
  const voxels = new Int32Array(count);
  count = 0;
  for (let n = 0; n < values.length; n++) if (test(values[n], n)) voxels[count++] = n;
  return voxels;
}
