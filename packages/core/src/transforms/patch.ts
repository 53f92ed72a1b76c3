// Cuts training patches out of a prepared scan, with augmentation and normalisation.

import { indexedStream } from "../random.js";
import type { Vector3 } from "../volume/volume.js";
import { shiftHu, varyAppearance } from "./appearance.js";
import { noVariation, type PatchVariation } from "./augmentation.js";
import { type DisplacementRows, randomDisplacement } from "./elastic.js";
import {
  type ChannelPlan,
  isWindow,
  normaliseInPlace,
  outsideOf,
  type Scaling,
  scalingsOf,
} from "./intensity.js";
import { IGNORED, type LabelPlan, labelSchemeOf, type TargetTable, targetTable } from "./label-scheme.js";

/** Depth, height, width of a patch in voxels: k, j, i of the grid. */
export type PatchSize = readonly [number, number, number];

/** What a patch is cut from: a grid whose i axis runs left–right. `hu[i + size[0] * (j + size[1] * k)]`. */
export interface PatchSource {
  readonly size: Vector3;
  readonly spacingMm: Vector3;
  /** The first channel: HU, or thousandths of z-scores. */
  readonly hu: Int16Array;
  /** Further channels, on the same grid. */
  readonly further?: readonly Int16Array[];
}

/**
 * A patch as the network takes it: the image [C, D, H, W], before noise in [−1, 1] where a channel has a window; the
 * label [K, D, H, W] of a channel for each of the logits, 0 or 1, and −1 where it is to be ignored.
 */
export interface Patch {
  readonly image: Float32Array;
  readonly label: Float32Array;
}

/** What of a plan decides how patches are made. */
export interface PatchPlan extends ChannelPlan, LabelPlan {
  readonly patchSize: PatchSize;
}

/** {@link PatchPlan}, ready for many patches. */
export interface PatchForm {
  readonly patchSize: PatchSize;
  readonly scalings: readonly Scaling[];
  readonly targets: TargetTable;
}

export const patchForm = (plan: PatchPlan): PatchForm => ({
  patchSize: plan.patchSize,
  scalings: scalingsOf(plan),
  targets: targetTable(labelSchemeOf(plan)),
});

/**
 * Cuts the patch whose voxel (⌊D/2⌋, ⌊H/2⌋, ⌊W/2⌋) is the grid's voxel `centre`, varied and normalised. Outside the
 * grid lies air, and the mean of channels that are no CT. Places are varied for all channels alike, the look of each
 * by itself.
 *
 * @param source the prepared grid
 * @param label of the same grid: target numbers, of which 0 is background and {@link IGNORED} counts nowhere; null gives
 *   a patch label of zeros
 * @param centre voxel (i, j, k); it may lie outside the grid
 * @param into arrays to write to, such as a part of a batch; new ones by default
 */
export function cutPatch(
  source: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  form: PatchForm,
  variation: PatchVariation = noVariation,
  into: Patch = emptyPatch(form),
): Patch {
  const { patchSize, scalings, targets } = form;
  const { flip, rotationDegrees, scaling, elasticMm } = variation;
  const moved = scaling !== 1 || elasticMm > 0 || rotationDegrees.some((degrees) => degrees !== 0);
  const raw: RawPatch = {
    channels: channelsOfImage(into.image, scalings.length),
    // What is written here first is read again as the channels before it are filled.
    numbers: into.label.subarray(into.label.length - into.label.length / channelCount(targets)),
    outside: scalings.map(outsideOf),
    classes: targets.classesOf.length - 1,
  };
  if (moved) resampleInto(source, label, centre, patchSize, variation, raw);
  else copyInto(source, label, centre, patchSize, flip, raw);
  if (label === null) into.label.fill(0);
  else if (channelCount(targets) > 1) spreadTargets(raw.numbers, targets, into.label);
  for (const [at, image] of raw.channels.entries()) {
    const scaling = scalings[at];
    const intensityVariation = at === 0 ? variation : (variation.further?.[at - 1] ?? noVariation);
    if (isWindow(scaling) && intensityVariation.shiftHu !== 0)
      shiftHu(image, scaling, intensityVariation.shiftHu);
    normaliseInPlace(image, scaling);
    varyAppearance(image, gridSize(patchSize), source.spacingMm, intensityVariation, isWindow(scaling));
  }
  return into;
}

const gridSize = ([depth, height, width]: PatchSize): Vector3 => [width, height, depth];

const channelCount = ({ channelsOf }: TargetTable): number => channelsOf[0].length;

function emptyPatch({ patchSize: [depth, height, width], scalings, targets }: PatchForm): Patch {
  const count = depth * height * width;
  return {
    image: new Float32Array(scalings.length * count),
    label: new Float32Array(channelCount(targets) * count),
  };
}

function channelsOfImage(image: Float32Array, count: number): Float32Array[] {
  const voxels = image.length / count;
  return Array.from({ length: count }, (_, at) => image.subarray(at * voxels, (at + 1) * voxels));
}

/** A patch before it is normalised. */
interface RawPatch {
  /** Stored values of each channel. */
  readonly channels: readonly Float32Array[];
  /** Target numbers, −1 where ignored; 1 for every foreground where there is one class. */
  readonly numbers: Float32Array;
  /** What lies beyond the grid, for each channel. */
  readonly outside: readonly number[];
  /** Target numbers beside 0. */
  readonly classes: number;
}

/** Target numbers to the channels of a network's target. */
function spreadTargets(numbers: Float32Array, { channelsOf }: TargetTable, label: Float32Array): void {
  const voxels = numbers.length;
  for (let channel = 0; channel < channelsOf[0].length; channel++) {
    const values = channelsOf.map((row) => row[channel]);
    const offset = channel * voxels;
    for (let n = 0; n < voxels; n++) label[offset + n] = numbers[n] < 0 ? -1 : values[numbers[n]];
  }
}

const channelsOfSource = ({ hu, further = [] }: PatchSource): readonly Int16Array[] => [hu, ...further];

/** Stored values and target numbers voxel by voxel, mirrored or not. */
function copyInto(
  source: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  [depth, height, width]: PatchSize,
  flip: boolean,
  { channels, numbers, outside, classes }: RawPatch,
): void {
  const [nx, ny, nz] = source.size;
  const stored = channelsOfSource(source);
  for (const [at, image] of channels.entries()) image.fill(outside[at]);
  numbers.fill(0);
  const startI = centre[0] - Math.floor(width / 2);
  const startJ = centre[1] - Math.floor(height / 2);
  const startK = centre[2] - Math.floor(depth / 2);
  const fromI = Math.max(0, -startI);
  const untilI = Math.min(width, nx - startI);
  for (let z = Math.max(0, -startK); z < Math.min(depth, nz - startK); z++) {
    for (let y = Math.max(0, -startJ); y < Math.min(height, ny - startJ); y++) {
      const sourceRow = startI + nx * (startJ + y + ny * (startK + z));
      const row = width * (y + height * z);
      for (let x = fromI; x < untilI; x++) {
        const to = row + (flip ? width - 1 - x : x);
        for (let at = 0; at < channels.length; at++) channels[at][to] = stored[at][sourceRow + x];
        if (label !== null && label[sourceRow + x] !== 0)
          numbers[to] = label[sourceRow + x] === IGNORED ? -1 : classes > 1 ? label[sourceRow + x] : 1;
      }
    }
  }
}

/**
 * Stored values and target numbers at turned, scaled and displaced places, in one resampling: trilinear; a voxel is
 * foreground from a weight of one half, of the target number that has most of it, and ignored where foreground and
 * ignored voxels together reach that.
 */
function resampleInto(
  source: PatchSource,
  label: Uint8Array | null,
  centre: Vector3,
  patchSize: PatchSize,
  variation: PatchVariation,
  raw: RawPatch,
): void {
  const { spacingMm } = source;
  const { channels, numbers } = raw;
  const [nx, ny, nz] = source.size;
  const strideJ = nx;
  const strideK = nx * ny;
  const stored = channelsOfSource(source);
  const mixCorners = cornerMixer(source, label, raw);
  const [depth, height, width] = patchSize;
  const m = indexMatrix(variation, spacingMm);
  const displacement = displacementOf(variation, patchSize, spacingMm);
  const [perMmI, perMmJ, perMmK] = spacingMm.map((spacing) => 1 / spacing);
  const middle = [(width - 1) / 2, (height - 1) / 2, (depth - 1) / 2] as const;
  const middleI = centre[0] - Math.floor(width / 2) + middle[0];
  const middleJ = centre[1] - Math.floor(height / 2) + middle[1];
  const middleK = centre[2] - Math.floor(depth / 2) + middle[2];
  let to = 0;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const b = y - middle[1];
      const c = z - middle[2];
      const rowI = middleI + m[1] * b + m[2] * c;
      const rowJ = middleJ + m[4] * b + m[5] * c;
      const rowK = middleK + m[7] * b + m[8] * c;
      const [shiftI, shiftJ, shiftK] = displacement(y, z);
      for (let x = 0; x < width; x++, to++) {
        const a = x - middle[0];
        const i = rowI + m[0] * a + perMmI * shiftI[x];
        const j = rowJ + m[3] * a + perMmJ * shiftJ[x];
        const k = rowK + m[6] * a + perMmK * shiftK[x];
        const i0 = Math.floor(i);
        const j0 = Math.floor(j);
        const k0 = Math.floor(k);
        const u = i - i0;
        const v = j - j0;
        const w = k - k0;
        if (i0 >= 0 && j0 >= 0 && k0 >= 0 && i0 < nx - 1 && j0 < ny - 1 && k0 < nz - 1) {
          const p = i0 + strideJ * j0 + strideK * k0;
          const q = p + strideK;
          for (let at = 0; at < channels.length; at++) {
            const near = mixSquare(stored[at], p, strideJ, u, v);
            channels[at][to] = near + w * (mixSquare(stored[at], q, strideJ, u, v) - near);
          }
          if (label === null) {
            numbers[to] = 0;
            continue;
          }
          // Most places are all background: eight reads decide it without arithmetic.
          if ((anyOfSquare(label, p, strideJ) | anyOfSquare(label, q, strideJ)) === 0) {
            numbers[to] = 0;
            continue;
          }
        }
        mixCorners(i0, j0, k0, u, v, w, to);
      }
    }
  }
}

/** Mixes the eight voxels around a place one by one, as is needed at the grid's border and where there is foreground. */
function cornerMixer(
  source: PatchSource,
  label: Uint8Array | null,
  { channels, numbers, outside, classes }: RawPatch,
): (i0: number, j0: number, k0: number, u: number, v: number, w: number, to: number) => void {
  const [nx, ny, nz] = source.size;
  const stored = channelsOfSource(source);
  const sums = new Float64Array(channels.length);
  const weightOf = new Float64Array(classes + 1);
  return (i0: number, j0: number, k0: number, u: number, v: number, w: number, to: number) => {
    sums.fill(0);
    weightOf.fill(0);
    let labelWeight = 0;
    let ignoredWeight = 0;
    for (let corner = 0; corner < 8; corner++) {
      const ci = i0 + (corner & 1);
      const cj = j0 + ((corner >> 1) & 1);
      const ck = k0 + (corner >> 2);
      const weight = (corner & 1 ? u : 1 - u) * (corner & 2 ? v : 1 - v) * (corner & 4 ? w : 1 - w);
      const inside = ci >= 0 && cj >= 0 && ck >= 0 && ci < nx && cj < ny && ck < nz;
      const from = ci + nx * (cj + ny * ck);
      for (let at = 0; at < sums.length; at++) sums[at] += weight * (inside ? stored[at][from] : outside[at]);
      if (!inside || label === null || label[from] === 0) continue;
      if (label[from] === IGNORED) ignoredWeight += weight;
      else {
        labelWeight += weight;
        if (classes > 1) weightOf[label[from]] += weight;
      }
    }
    for (let at = 0; at < sums.length; at++) channels[at][to] = sums[at];
    const foreground = classes > 1 ? indexOfGreatest(weightOf) : 1;
    numbers[to] = labelWeight >= 0.5 ? foreground : labelWeight + ignoredWeight >= 0.5 ? -1 : 0;
  };
}

const anyOfSquare = (label: Uint8Array, at: number, strideJ: number): number =>
  label[at] | label[at + 1] | label[at + strideJ] | label[at + strideJ + 1];

function displacementOf(
  { elasticMm, elasticSeed }: PatchVariation,
  patchSize: PatchSize,
  spacingMm: Vector3,
): DisplacementRows {
  if (elasticMm > 0)
    return randomDisplacement(gridSize(patchSize), spacingMm, elasticMm, indexedStream(elasticSeed, 0));
  const still = new Float32Array(patchSize[2]);
  return () => [still, still, still];
}

/** The first of the greatest. */
function indexOfGreatest(values: Float64Array): number {
  let greatest = 0;
  for (let n = 1; n < values.length; n++) if (values[n] > values[greatest]) greatest = n;
  return greatest;
}

function mixSquare(hu: Int16Array, at: number, strideJ: number, u: number, v: number): number {
  const a = hu[at];
  const b = hu[at + strideJ];
  const low = a + u * (hu[at + 1] - a);
  const high = b + u * (hu[at + strideJ + 1] - b);
  return low + v * (high - low);
}

/**
 * The matrix that takes an offset from the patch's middle (in voxels) to the offset in the grid where the value is
 * read. Turning happens in millimetres, since voxels need not be cubes.
 */
function indexMatrix(variation: PatchVariation, spacingMm: Vector3): readonly number[] {
  const [ax, ay, az] = variation.rotationDegrees.map((degrees) => (degrees * Math.PI) / 180) as [
    number,
    number,
    number,
  ];
  const [cx, sx, cy, sy, cz, sz] = [
    Math.cos(ax),
    Math.sin(ax),
    Math.cos(ay),
    Math.sin(ay),
    Math.cos(az),
    Math.sin(az),
  ];
  const rotation = [
    [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
    [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
    [-sy, cy * sx, cy * cx],
  ] as const;
  return rotation.flatMap((row, to) =>
    row.map((value, from) => {
      const mirrored = from === 0 && variation.flip ? -1 : 1;
      return (mirrored * value * spacingMm[from]) / (spacingMm[to] * variation.scaling);
    }),
  );
}
