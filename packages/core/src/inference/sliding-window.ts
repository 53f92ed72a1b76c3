// Segments a whole scan by patches that overlap, weighted by a Gaussian about each patch's centre.
import type { RuntimeTensor, Session } from "../runtime/types.js";
import { cutPatch, type PatchSize } from "../transforms/patch.js";
import type { IntensityWindow, Prepared } from "../transforms/preprocess.js";
import type { Vector3, Volume } from "../volume/volume.js";

export interface SlidingWindowOptions {
  /** Depth, height, width of the network's input. */
  readonly patchSize: PatchSize;
  readonly window: IntensityWindow;
  /** Share of a patch that the next one covers again along each axis, 0 … below 1. */
  readonly overlap: number;
  /** Further inputs of the model, the same for each patch (such as weights that are not inside). */
  readonly constants?: Readonly<Record<string, RuntimeTensor>>;
  /** Told after each patch. */
  readonly onPatch?: (done: number, total: number) => void;
  /** Asked before each patch; an AbortSignal fits. */
  readonly signal?: { throwIfAborted(): void };
}

/** Standard deviation of the weight as a share of the patch's edge, as nnU-Net has it. */
const GAUSSIAN_SHARE = 1 / 8;
/** Least weight relative to the centre's, so that corners seen once keep their full value. */
const LEAST_WEIGHT = 1e-3;

/**
 * Foreground probability of every voxel of a prepared scan. A patch that holds nothing above the window's lower end is
 * air and is not run: its probability is 0. Patches that reach beyond the scan see air there.
 *
 * @param session a model from `image` [1, 1, D, H, W] to `logits` [1, 1, D, H, W]
 */
export async function predictProbability(
  prepared: Prepared,
  session: Pick<Session, "run">,
  { patchSize, window, overlap, constants = {}, onPatch, signal }: SlidingWindowOptions,
): Promise<Volume<Float32Array>> {
  const [depth, height, width] = patchSize;
  const { size } = prepared;
  const weights = gaussianWeights(patchSize);
  const sum = new Float32Array(prepared.hu.length);
  const total = new Float32Array(prepared.hu.length);
  const starts = placesOf(size, [width, height, depth], overlap);
  const buffers = { image: new Float32Array(weights.length), label: new Float32Array(weights.length) };
  for (let index = 0; index < starts.length; index++) {
    signal?.throwIfAborted();
    const [i0, j0, k0] = starts[index];
    const centre: Vector3 = [
      i0 + Math.floor(width / 2),
      j0 + Math.floor(height / 2),
      k0 + Math.floor(depth / 2),
    ];
    const { image } = cutPatch(prepared, null, centre, patchSize, window, undefined, buffers);
    const isAir = image.every((value) => value <= -1);
    const logits = isAir
      ? null
      : (await session.run({ image: { shape: [1, 1, depth, height, width], data: image }, ...constants }))
          .logits.data;
    for (let k = Math.max(0, -k0); k < depth && k0 + k < size[2]; k++)
      for (let j = Math.max(0, -j0); j < height && j0 + j < size[1]; j++) {
        const row = (k * height + j) * width;
        const target = i0 + size[0] * (j0 + j + size[1] * (k0 + k));
        for (let i = Math.max(0, -i0); i < width && i0 + i < size[0]; i++) {
          const weight = weights[row + i];
          if (logits) sum[target + i] += weight / (1 + Math.exp(-logits[row + i]));
          total[target + i] += weight;
        }
      }
    onPatch?.(index + 1, starts.length);
  }
  for (let voxel = 0; voxel < sum.length; voxel++) sum[voxel] /= total[voxel];
  const { spacingMm, originMm, direction } = prepared;
  return { size, spacingMm, originMm, direction, data: sum };
}

/** First voxels (i, j, k) of the patches: evenly spread, no further apart than the overlap allows; centred where the scan is smaller. */
export function placesOf(size: Vector3, patch: Vector3, overlap: number): Vector3[] {
  const along = (axis: 0 | 1 | 2): number[] => {
    const room = size[axis] - patch[axis];
    if (room <= 0) return [Math.floor(room / 2)];
    const steps = Math.ceil(room / (patch[axis] * (1 - overlap)));
    return Array.from({ length: steps + 1 }, (_, step) => Math.round((room * step) / steps));
  };
  const [first, second, third] = [along(0), along(1), along(2)];
  return third.flatMap((k) => second.flatMap((j) => first.map((i): Vector3 => [i, j, k])));
}

function gaussianWeights([depth, height, width]: PatchSize): Float32Array {
  const along = (length: number): number[] =>
    Array.from({ length }, (_, index) => {
      const distance = (index - (length - 1) / 2) / (length * GAUSSIAN_SHARE);
      return Math.exp(-(distance ** 2) / 2);
    });
  const [z, y, x] = [along(depth), along(height), along(width)];
  return Float32Array.from({ length: depth * height * width }, (_, index) => {
    const weight =
      z[Math.floor(index / (width * height))] * y[Math.floor(index / width) % height] * x[index % width];
    return Math.max(weight, LEAST_WEIGHT);
  });
}
