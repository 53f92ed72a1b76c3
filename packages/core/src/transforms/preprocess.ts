// Preprocessing: resamples a scan to the working grid of the networks and clips its HU; and resamples probabilities back to the scan.
import { outerCorners, voxelsAround } from "../volume/bounds.js";
import { cropGeometry, paste } from "../volume/crop.js";
import { reorientToLps, uprightGeometry } from "../volume/orientation.js";
import { gridWithSpacing, resample, resampleLabels } from "../volume/resample.js";
import { type Geometry, type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import type { IndexBox } from "../voxels/morphology.js";
import { type IntensityWindow, isWindow, type Scaling, STORED_STEPS, zScores } from "./intensity.js";
import { decidedClasses, type LabelScheme, logitChannels } from "./label-scheme.js";

/** A scan on the working grid: axes along LPS, the working spacing. */
export interface Prepared extends Geometry {
  /** The first channel: HU clipped to the window and rounded, or thousandths of z-scores. */
  readonly hu: Int16Array;
  /** Further channels. */
  readonly further?: readonly Int16Array[];
}

/** The working grid of a scan: axes along LPS, the working spacing, the scan's extent and centre. */
export function workingGrid(scan: Geometry, spacingMm: Vector3): Geometry {
  return gridWithSpacing(uprightGeometry(scan), spacingMm);
}

/**
 * Resamples a scan to the working grid. HU stay integers of two bytes, so that a cohort fits in memory; they are
 * normalised when patches are cut.
 *
 * @throws RangeError where the window is empty or beyond what 16 bits hold
 */
export function prepareImage(volume: Volume, spacingMm: Vector3, window: IntensityWindow): Prepared {
  return prepareOnGrid(volume, workingGrid(volume, spacingMm), window);
}

/**
 * Resamples a scan to a part of its working grid, or to any other grid along LPS. Outside the scan is air.
 *
 * @throws RangeError as {@link prepareImage}
 */
export function prepareOnGrid(volume: Volume, grid: Geometry, { lowHu, highHu }: IntensityWindow): Prepared {
  if (!(lowHu < highHu) || lowHu < -32768 || highHu > 32767) {
    throw new RangeError(
      `The window from ${lowHu} to ${highHu} HU must have its lower end first and fit in 16 bits.`,
    );
  }
  const [width, height, depth] = grid.size;
  const hu = new Int16Array(width * height * depth);
  for (const slab of slabsOf(grid)) {
    const { data } = resample(volume, cropGeometry(grid, slab.start, slab.size), "linear", lowHu);
    let at = width * height * slab.start[2];
    for (const value of data) hu[at++] = Math.round(value < lowHu ? lowHu : Math.min(value, highHu));
  }
  return { ...geometryOf(grid), hu };
}

/**
 * Resamples the channels of a scan to a grid of the working spacing along LPS, each scaled as its plan says. Outside the
 * scan CT is air, and any other channel is its mean.
 *
 * @param channels all on the same grid, as many as there are scalings
 * @throws RangeError as {@link prepareImage}
 */
export function prepareChannels(
  channels: readonly Volume[],
  grid: Geometry,
  scalings: readonly Scaling[],
): Prepared {
  const [hu, ...further] = channels.map((volume, at) => {
    const scaling = scalings[at];
    if (isWindow(scaling)) return prepareOnGrid(volume, grid, scaling).hu;
    const scores = resample(zScores(volume), grid, "linear", 0).data;
    return Int16Array.from(scores, (score) =>
      Math.round(Math.max(-32768, Math.min(32767, score * STORED_STEPS))),
    );
  });
  return { ...geometryOf(grid), hu, ...(further.length > 0 ? { further } : {}) };
}

/** Resamples a label to the grid of its prepared image. Values are kept. */
export function prepareLabel(label: Volume, grid: Geometry): Uint8Array {
  const { data } = resampleLabels(reorientToLps(label), geometryOf(grid));
  return data instanceof Uint8Array ? data : Uint8Array.from(data);
}

/**
 * A mask on the scan's own grid from probabilities on the working grid or a part of it: linear resampling first,
 * then threshold, so that the boundary is more precise than either grid. Works slab by slab, so that no second array of
 * the scan's size is needed beside the mask.
 *
 * @param probability foreground probability on the prepared grid; 0 outside it
 * @param original geometry of the scan, in any orientation
 * @param threshold a voxel is 1 where its probability reaches this
 */
export function restoreMask(
  probability: Volume<Float32Array>,
  original: Geometry,
  threshold: number,
): Volume<Uint8Array> {
  const mask = { ...geometryOf(original), data: new Uint8Array(voxelCount(original)) };
  const covered = voxelsAround(original, outerCorners(probability));
  if (covered === null) return mask;
  const [nx, ny] = original.size;
  for (const slab of slabsOf(original, covered)) {
    const [width, height, depth] = slab.size;
    const { data } = resample(probability, cropGeometry(original, slab.start, slab.size), "linear", 0);
    for (let k = 0; k < depth; k++)
      for (let j = 0; j < height; j++) {
        const from = width * (j + height * k);
        const to = slab.start[0] + nx * (slab.start[1] + j + ny * (slab.start[2] + k));
        for (let i = 0; i < width; i++) if (data[from + i] >= threshold) mask.data[to + i] = 1;
      }
  }
  return mask;
}

/**
 * The class of each voxel on the scan's own grid, from 1 and 0 for none, by {@link decidedClasses} of the probabilities
 * resampled to it. For one class this is {@link restoreMask}.
 *
 * @param probabilities of each class, on one prepared grid; beyond it there is no class
 */
export function restoreClasses(
  probabilities: readonly Volume<Float32Array>[],
  original: Geometry,
  scheme: LabelScheme,
  threshold: number,
): Volume<Uint8Array> {
  if (probabilities.length === 1) return restoreMask(probabilities[0], original, threshold);
  const labels = { ...geometryOf(original), data: new Uint8Array(voxelCount(original)) };
  const covered = voxelsAround(original, outerCorners(probabilities[0]));
  if (covered === null) return labels;
  for (const slab of slabsOf(original, covered)) {
    const part = cropGeometry(original, slab.start, slab.size);
    const resampled = probabilities.map((probability) => resample(probability, part, "linear", 0).data);
    const data = decidedClasses(resampled as Float32Array[], scheme, threshold);
    paste({ ...part, data }, slab.start, labels);
  }
  return labels;
}

/**
 * 1 where a voxel of the scan's own grid belongs to a class: overlapping classes each by their own probability, exclusive
 * ones as in {@link restoreClasses}.
 *
 * @param probabilities of each class, on one prepared grid
 * @param position of the class
 */
export function restoreClass(
  probabilities: readonly Volume<Float32Array>[],
  position: number,
  original: Geometry,
  scheme: LabelScheme,
  threshold: number,
): Volume<Uint8Array> {
  if (logitChannels(scheme) === scheme.classes.length)
    return restoreMask(probabilities[position], original, threshold);
  const { data, ...place } = restoreClasses(probabilities, original, scheme, threshold);
  return { ...place, data: maskWhere(data, (number) => number === position + 1) };
}

/** Divides a box of a grid (by default all of it) into boxes of a few slices each. */
function slabsOf(grid: Geometry, box: IndexBox = { start: [0, 0, 0], size: grid.size }): IndexBox[] {
  const [i, j, first] = box.start;
  const [width, height, depth] = box.size;
  return Array.from({ length: Math.ceil(depth / SLAB_SLICES) }, (_, slab) => ({
    start: [i, j, first + slab * SLAB_SLICES],
    size: [width, height, Math.min(SLAB_SLICES, depth - slab * SLAB_SLICES)],
  }));
}

/** Large enough that the overhead of a slab does not matter, small enough that it needs little memory. */
const SLAB_SLICES = 16;

/** Only the geometry of a volume, without its voxels. */
function geometryOf({ size, spacingMm, originMm, direction }: Geometry): Geometry {
  return { size, spacingMm, originMm, direction };
}
