// Predicts a scan with networks of nnU-Net as nnU-Net v2 does: logits, not probabilities, are averaged and resampled.
// Source: nnU-Net v2, inference/ (Isensee et al., Nature Methods 18, 2021).
import { classProbabilities, labelSchemeOf, logitChannels } from "../transforms/label-scheme.js";
import {
  coarseAxis,
  halfToEven,
  type NnunetImage,
  type NnunetUse,
  resizedLikeNnunet,
} from "../transforms/nnunet-preparation.js";
import type { PatchSize } from "../transforms/patch.js";
import { type Vector3, voxelCount } from "../volume/volume.js";
import {
  addWeighted,
  divided,
  forEachRow,
  type Member,
  type Prediction,
  requireFinite,
  type SlidingWindowOptions,
} from "./sliding-window.js";

export interface NnunetPredictionOptions
  extends Pick<
    SlidingWindowOptions,
    "patchSize" | "labels" | "foreground" | "overlap" | "onPatch" | "signal"
  > {
  readonly nnunet: NnunetUse;
  /** Of the network's grid. */
  readonly spacingMm: Vector3;
}

/**
 * The probability of each class on the scan's own voxels, in the part that is not all 0. The logits of all members, of all
 * mirrored patches and of overlapping patches are averaged, resampled, and only then made probabilities. nnU-Net adds them
 * up in numbers of two bytes, this in four; there is no disagreement of members, since their probabilities are never made.
 *
 * Memory beside the image: 4 bytes for each channel of the logits and voxel of the network's grid, then of the scan.
 *
 * @param members networks whose logits are averaged; at least one
 * @throws InputError where a network answers with NaN or infinite numbers; the signal's reason where it was stopped
 */
export async function predictAsNnunet(
  image: NnunetImage,
  members: readonly Member[],
  options: NnunetPredictionOptions,
): Promise<readonly Prediction[]> {
  const { nnunet, spacingMm } = options;
  const { size, part } = image;
  const scheme = labelSchemeOf(options);
  const logits = await logitsOnGrid(image, members, logitChannels(scheme), options);
  const coarse = coarseAxis(spacingMm, part.spacingMm, nnunet.logitResampling.separate);
  const voxels = voxelCount(part);
  const restored = new Float32Array(logits.length * voxels);
  for (const [channel, values] of logits.entries())
    restored.set(
      resizedLikeNnunet(values, size, part.size, nnunet.logitResampling.order, coarse),
      channel * voxels,
    );
  const probabilities = classProbabilities(restored, scheme);
  return scheme.classes.map((_, at) => ({
    probability: { ...part, data: probabilities.subarray(at * voxels, (at + 1) * voxels) },
    disagreement: null,
    ofMembers: [],
  }));
}

/** Mean logits of each channel on the network's grid. */
async function logitsOnGrid(
  { size, channels }: NnunetImage,
  members: readonly Member[],
  answers: number,
  { patchSize, overlap, nnunet, onPatch, signal }: NnunetPredictionOptions,
): Promise<readonly Float32Array[]> {
  const [depth, height, width] = patchSize;
  const voxels = depth * height * width;
  const weights = nnunetWeights(patchSize);
  const sums = Array.from({ length: answers }, () => new Float32Array(voxelCount({ size })));
  const total = new Float32Array(voxelCount({ size }));
  const flips = subsetsOf(nnunet.mirroredAxes);
  const starts = nnunetPlaces(size, [width, height, depth], overlap);
  for (const [index, start] of starts.entries()) {
    const image = new Float32Array(channels.length * voxels);
    forEachRow(patchSize, size, start, (from, to, length) => {
      for (const [channel, values] of channels.entries())
        image.set(values.subarray(to, to + length), channel * voxels + from);
    });
    const answer = new Float32Array(answers * voxels);
    for (const axes of flips) {
      const data = flipped(image, patchSize, axes);
      for (const member of members) {
        signal?.throwIfAborted();
        const { logits } = await member.run({ image: { shape: [1, channels.length, ...patchSize], data } });
        requireFinite(logits.data);
        const straight = flipped(logits.data, patchSize, axes);
        for (let n = 0; n < answer.length; n++) answer[n] += straight[n];
      }
    }
    const runs = flips.length * members.length;
    for (let n = 0; n < answer.length; n++) answer[n] /= runs;
    forEachRow(patchSize, size, start, (from, to, length) => {
      for (let n = 0; n < length; n++) total[to + n] += weights[from + n];
      for (const [channel, sum] of sums.entries())
        addWeighted(sum, answer, { weights, from, to, length, offset: channel * voxels });
    });
    onPatch?.(index + 1, starts.length);
  }
  return sums.map((sum) => divided(sum, total));
}

/** All choices of some or none of the axes. */
function subsetsOf(axes: readonly number[]): readonly (readonly number[])[] {
  return Array.from({ length: 2 ** axes.length }, (_, choice) => axes.filter((_, at) => choice & (1 << at)));
}

/** Values [channels, D, H, W] mirrored along some of the axes; 0 is depth. */
function flipped(
  values: Float32Array,
  [depth, height, width]: PatchSize,
  axes: readonly number[],
): Float32Array {
  if (axes.length === 0) return values;
  const mirrored = new Float32Array(values.length);
  const voxels = depth * height * width;
  for (let first = 0; first < values.length; first += voxels)
    for (let z = 0; z < depth; z++)
      for (let y = 0; y < height; y++) {
        const from = first + width * (y + height * z);
        const toZ = axes.includes(0) ? depth - 1 - z : z;
        const toY = axes.includes(1) ? height - 1 - y : y;
        const row = mirrored.subarray(first + width * (toY + height * toZ));
        row.set(values.subarray(from, from + width));
        if (axes.includes(2)) row.subarray(0, width).reverse();
      }
  return mirrored;
}

/**
 * First voxels (i, j, k) of the patches. A grid that is smaller than a patch lies in its middle, the odd voxel of padding
 * behind it.
 */
function nnunetPlaces(size: Vector3, patch: Vector3, overlap: number): Vector3[] {
  const along = (axis: 0 | 1 | 2): number[] => {
    const room = size[axis] - patch[axis];
    if (room <= 0) return [0 - Math.floor(-room / 2)];
    const steps = Math.ceil(room / (patch[axis] * (1 - overlap)));
    const step = room / steps;
    return Array.from({ length: steps + 1 }, (_, n) => halfToEven(step * n));
  };
  const [first, second, third] = [along(0), along(1), along(2)];
  return third.flatMap((k) => second.flatMap((j) => first.map((i): Vector3 => [i, j, k])));
}

/**
 * A Gaussian of an eighth of the edge around the voxel at half of it, 10 in the middle, in the steps of float16; what these
 * make 0 becomes the least weight that they leave. nnU-Net has them so, and it shows at the scan's edges.
 */
function nnunetWeights(patchSize: PatchSize): Float32Array {
  const [depth, height, width] = patchSize;
  const [z, y, x] = patchSize.map((length) =>
    Array.from({ length }, (_, index) =>
      Math.exp(-(((index - Math.floor(length / 2)) / (length / 8)) ** 2) / 2),
    ),
  );
  const weights = Float32Array.from({ length: depth * height * width }, (_, index) =>
    inFloat16(
      10 * z[Math.floor(index / (width * height))] * y[Math.floor(index / width) % height] * x[index % width],
    ),
  );
  const least = weights.reduce((lowest, weight) => (weight > 0 && weight < lowest ? weight : lowest), 10);
  return weights.map((weight) => weight || least);
}

/** A number in 0 … 65504, rounded to float16. */
function inFloat16(value: number): number {
  const step = 2 ** (Math.max(Math.floor(Math.log2(value)), -14) - 10);
  return halfToEven(value / step) * step;
}
