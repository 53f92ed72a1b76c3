// Prepares a scan as nnU-Net v2 does for its networks: axes, cropping to what is not 0, normalisation, resampling.
// Source: nnU-Net v2, preprocessing/ (Isensee et al., Nature Methods 18, 2021), as it computes and not as it is described.
import { InputError } from "../errors.js";
import { crop, cropGeometry, paste } from "../volume/crop.js";
import { permuteAxes, reorientToRas } from "../volume/orientation.js";
import { resample } from "../volume/resample.js";
import { type Geometry, type Vector3, type Volume, voxelCount } from "../volume/volume.js";
import { fillHoles } from "../voxels/fill-holes.js";
import { foregroundBox } from "../voxels/morphology.js";

/** How nnU-Net makes a channel's values the network's input. */
export type NnunetNormalization =
  | {
      /** (clipped value − mean) / standard deviation, all by the foreground of the training's scans. */
      readonly scheme: "ct";
      readonly lowest: number;
      readonly highest: number;
      readonly mean: number;
      readonly deviation: number;
    }
  | {
      /** (value − mean) / standard deviation of the scan. */
      readonly scheme: "z-score";
      /** Whether only voxels that some channel is not 0 in, and what they enclose, count and change. */
      readonly withinMask: boolean;
    };

export interface NnunetResampling {
  /** 1 is linear, 3 a cubic spline. */
  readonly order: 1 | 3;
  /** Whether planes are resampled one by one; null to decide by spacing: where one axis is more than three times as coarse as another. */
  readonly separate: boolean | null;
}

/** What a plan says of a model that was imported from nnU-Net. */
export interface NnunetUse {
  /** Whether scans are turned to the axes right, anterior, superior first; else they keep their own. */
  readonly turnedToRas: boolean;
  /** Which axis of the scan is depth, height and width for the network: 0 is k, 1 is j, 2 is i. */
  readonly axes: Vector3;
  /** Of each channel. */
  readonly normalizations: readonly NnunetNormalization[];
  /** Axes of the patch along which mirrored patches are averaged too; 0 is depth. */
  readonly mirroredAxes: readonly number[];
  readonly imageResampling: NnunetResampling;
  readonly logitResampling: NnunetResampling;
}

/** A scan as a network of nnU-Net takes it. */
export interface NnunetImage {
  /** Voxels of the network's grid: width, height and depth. */
  readonly size: Vector3;
  /** Normalised values, width fastest. */
  readonly channels: readonly Float32Array[];
  /** The part of the scan that the grid covers, its axes in the network's order. */
  readonly part: Geometry;
}

/**
 * @param channels all on one grid
 * @param spacingMm of the network's grid along width, height and depth
 * @throws InputError where every voxel is 0
 */
export function prepareForNnunet(
  channels: readonly Volume[],
  use: NnunetUse,
  spacingMm: Vector3,
): NnunetImage {
  const order = vector((axis) => 2 - use.axes[2 - axis]);
  const turned = channels.map((channel) =>
    permuteAxes(use.turnedToRas ? reorientToRas(channel) : channel, order),
  );
  const [{ size: whole }] = turned;
  const isNonzero = new Uint8Array(voxelCount(turned[0]));
  for (const { data } of turned) for (let n = 0; n < data.length; n++) if (data[n] !== 0) isNonzero[n] = 1;
  const box = foregroundBox(isNonzero, whole);
  if (box === null)
    throw new InputError("every voxel of the scan is 0, and an image is expected; choose another scan.");
  const mask = crop({ ...turned[0], data: isNonzero }, box.start, box.size).data;
  fillHoles(mask, box.size, Number.POSITIVE_INFINITY);
  const part = cropGeometry(turned[0], box.start, box.size);
  const size = vector((axis) => halfToEven((part.spacingMm[axis] / spacingMm[axis]) * part.size[axis]));
  const coarse = coarseAxis(part.spacingMm, spacingMm, use.imageResampling.separate);
  return {
    size,
    channels: turned.map((channel, at) => {
      const { data } = crop(channel, box.start, box.size);
      const values = normalized(data, mask, use.normalizations[at]);
      return resizedLikeNnunet(values, part.size, size, use.imageResampling.order, coarse);
    }),
    part,
  };
}

/** Python's rounding, which takes the even neighbour of a half. */
export function halfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}

function normalized(
  data: ArrayLike<number>,
  mask: Uint8Array,
  normalization: NnunetNormalization,
): Float32Array {
  const values = Float32Array.from(data);
  if (normalization.scheme === "ct") {
    const { lowest, highest, mean, deviation } = normalization;
    const divisor = Math.max(deviation, LEAST_DEVIATION);
    for (let n = 0; n < values.length; n++)
      values[n] = (Math.min(Math.max(values[n], lowest), highest) - mean) / divisor;
    return values;
  }
  const counts = (n: number): boolean => !normalization.withinMask || mask[n] === 1;
  let [count, sum, squares] = [0, 0, 0];
  for (let n = 0; n < values.length; n++)
    if (counts(n)) {
      count++;
      sum += values[n];
    }
  const mean = sum / count;
  for (let n = 0; n < values.length; n++) if (counts(n)) squares += (values[n] - mean) ** 2;
  const divisor = Math.max(Math.sqrt(squares / count), LEAST_DEVIATION);
  for (let n = 0; n < values.length; n++) if (counts(n)) values[n] = (values[n] - mean) / divisor;
  return values;
}

/** What nnU-Net divides by where all values are the same. */
const LEAST_DEVIATION = 1e-8;

/** An axis this many times as coarse as another is not interpolated along. */
const ANISOTROPY = 3;

/**
 * The axis along which planes are not mixed; null where all axes are interpolated along. The spacing before counts first,
 * then that after.
 */
export function coarseAxis(before: Vector3, after: Vector3, separate: boolean | null): 0 | 1 | 2 | null {
  if (separate === false) return null;
  const decisive = [before, after].find(
    (spacing) => separate || Math.max(...spacing) / Math.min(...spacing) > ANISOTROPY,
  );
  if (decisive === undefined) return null;
  const axes = ([0, 1, 2] as const).filter((axis) => decisive[axis] === Math.max(...decisive));
  return axes.length === 1 ? axes[0] : null;
}

/**
 * Values on a grid of the same extent and another size. Beyond the outermost voxels values are those of the edge, and no
 * result leaves the range of the values. With a coarse axis each plane across it is resized by itself, and along it the
 * nearest plane is taken.
 */
export function resizedLikeNnunet(
  data: Float32Array,
  before: Vector3,
  after: Vector3,
  order: 1 | 3,
  coarse: 0 | 1 | 2 | null,
): Float32Array {
  if (before.every((length, axis) => length === after[axis])) return data;
  const volume = { ...unitGrid(before), data };
  if (coarse === null) return scaled(volume, after, order);
  const planeBefore = vector((axis) => (axis === coarse ? 1 : before[axis]));
  const planeAfter = vector((axis) => (axis === coarse ? 1 : after[axis]));
  const startOf = (index: number) => vector((axis) => (axis === coarse ? index : 0));
  const planes = Array.from({ length: before[coarse] }, (_, index) =>
    scaled(
      { ...unitGrid(planeBefore), data: crop(volume, startOf(index), planeBefore).data },
      planeAfter,
      order,
    ),
  );
  const result = { ...unitGrid(after), data: new Float32Array(after[0] * after[1] * after[2]) };
  for (let index = 0; index < after[coarse]; index++) {
    const place = (index + 0.5) * (before[coarse] / after[coarse]) - 0.5;
    const nearest = Math.min(Math.max(Math.floor(place + 0.5), 0), planes.length - 1);
    paste({ size: planeAfter, data: planes[nearest] }, startOf(index), result);
  }
  return result.data;
}

/** A spline through edge-extended values, evaluated at the centres of the new voxels (as scipy.ndimage.zoom with grid_mode). */
function scaled(volume: Volume<Float32Array>, after: Vector3, order: 1 | 3): Float32Array {
  const before = volume.size;
  if (before.every((length, axis) => length === after[axis])) return volume.data;
  const spacingMm = vector((axis) => before[axis] / after[axis]);
  const target = {
    ...unitGrid(after),
    spacingMm,
    originMm: vector((axis) => spacingMm[axis] / 2 - 0.5),
  };
  if (order === 1) return resample(volume, target, "linear", 0).data;
  const { data } = resample(withEdges(volume), target, "cubic", 0);
  let [lowest, highest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of volume.data) {
    if (value < lowest) lowest = value;
    if (value > highest) highest = value;
  }
  for (let n = 0; n < data.length; n++) data[n] = Math.min(Math.max(data[n], lowest), highest);
  return data;
}

/** Voxels by which an axis is extended at both ends: the spline forgets what lies further away (the pole to the power of 12 is 1e-7). */
const EDGE = 12;

/** The volume with its outermost voxels repeated; an axis of a single voxel needs none. */
function withEdges(volume: Volume<Float32Array>): Volume<Float32Array> {
  const { size, data } = volume;
  const edge = vector((axis) => (size[axis] > 1 ? EDGE : 0));
  const wide = vector((axis) => size[axis] + 2 * edge[axis]);
  const extended = new Float32Array(wide[0] * wide[1] * wide[2]);
  const inside = (index: number, axis: 0 | 1 | 2) =>
    Math.min(Math.max(index - edge[axis], 0), size[axis] - 1);
  for (let k = 0; k < wide[2]; k++)
    for (let j = 0; j < wide[1]; j++) {
      const from = size[0] * (inside(j, 1) + size[1] * inside(k, 2));
      const to = wide[0] * (j + wide[1] * k);
      const row = extended.subarray(to, to + wide[0]);
      row.set(data.subarray(from, from + size[0]), edge[0]);
      row.fill(data[from], 0, edge[0]);
      row.fill(data[from + size[0] - 1], edge[0] + size[0]);
    }
  return {
    ...unitGrid(wide),
    originMm: vector((axis) => -edge[axis]),
    data: extended,
  };
}

const unitGrid = (size: Vector3): Geometry => ({
  size,
  spacingMm: [1, 1, 1],
  originMm: [0, 0, 0],
  direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
});

const vector = (along: (axis: 0 | 1 | 2) => number): Vector3 => [along(0), along(1), along(2)];
