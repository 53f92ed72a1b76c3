// Sliding-window prediction: the probability of each class from overlapping patches, weighted by a Gaussian.
import { InputError } from "../errors.js";
import type { RuntimeTensor, Session } from "../runtime/types.js";
import { type Clicks, writeClickMaps } from "../transforms/click-maps.js";
import { inputChannels, isWindow } from "../transforms/intensity.js";
import { classProbabilities, labelSchemeOf, logitChannels } from "../transforms/label-scheme.js";
import { cutPatch, type PatchForm, type PatchPlan, type PatchSize, patchForm } from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import type { Geometry, Vector3, Volume } from "../volume/volume.js";
import type { IndexBox } from "../voxels/morphology.js";

/** A network as the sliding window needs it: a model from `image` [1, C, D, H, W] to `logits` [1, K, D, H, W]. */
export type Member = Pick<Session, "run">;

/** Options of the sliding window; the plan states patch size, channels and classes. */
export interface SlidingWindowOptions extends PatchPlan {
  /** Overlap of neighbouring patches along each axis as a fraction of their length, from 0 to below 1. */
  readonly overlap: number;
  /** Whether to average with the prediction of each patch mirrored left to right; takes twice the time. */
  readonly mirrored?: boolean;
  /** Whether to predict a box of voxels of the grid; elsewhere the probability is 0. By default everything is predicted. */
  readonly isWanted?: (box: IndexBox) => boolean;
  /** Clicks in voxels (i, j, k) of the prepared grid, for a promptable network alone, which needs them. */
  readonly clicks?: Clicks;
  /** Further inputs of the model, the same for each patch (such as weights, if the model does not contain them). */
  readonly constants?: Readonly<Record<string, RuntimeTensor>>;
  /** Whether each member's own probabilities are returned too: 4 more bytes a voxel for each class and member. */
  readonly eachMember?: boolean;
  /**
   * Called whenever further planes are done, with the probabilities of each class in all planes (along the third axis)
   * that no later patch reaches; not for the last planes, which the result has.
   */
  readonly onPlanes?: (finished: readonly Volume<Float32Array>[]) => void;
  /** Called after each patch. */
  readonly onPatch?: (done: number, total: number) => void;
  /** Checked before each patch; usually an AbortSignal. */
  readonly signal?: { throwIfAborted(): void };
}

/** The prediction of a network or an ensemble for a class, on a working grid. */
export interface Prediction {
  /** The mean over the members. */
  readonly probability: Volume<Float32Array>;
  /** Standard deviation of the members' probabilities (divided by their number); null for a single one. */
  readonly disagreement: Volume<Float32Array> | null;
  /** The probability of each member, bit-identical to its prediction without the others; empty unless requested. */
  readonly ofMembers: readonly Volume<Float32Array>[];
}

/** The weight of a prediction by its position in the patch: a Gaussian around the centre. */
export const patchWeighting = {
  /** Standard deviation along each axis as a share of the patch's edge, as nnU-Net has it. */
  deviationShare: 1 / 8,
  /** Least weight relative to the centre's, so that corners seen once keep their full value. */
  least: 1e-3,
} as const;

/**
 * The probability of each class in every voxel of a prepared scan, class by class in the order of the plan. A patch that
 * holds nothing above the lower end of any window is air and is not run: its probabilities are 0. Patches that reach
 * beyond the scan see air there. Each patch goes through all members before the next, so that an ensemble needs no more
 * memory than its members' own.
 *
 * Memory beside the prepared scan: 4 bytes a voxel, and 4 more for each class; 8 for each class of an ensemble.
 *
 * @param members networks whose probabilities are averaged; at least one
 * @throws InputError where a network answers with NaN or infinite numbers, or a promptable network is given no positive
 *   click; RangeError where it answers for another number of classes; the signal's reason where it was stopped
 */
export async function predictProbability(
  prepared: Prepared,
  members: readonly Member[],
  options: SlidingWindowOptions,
): Promise<readonly Prediction[]> {
  const { patchSize, overlap, isWanted = () => true, onPatch, signal } = options;
  const [depth, height, width] = patchSize;
  const { size, spacingMm, originMm, direction } = prepared;
  const form = patchForm(options);
  const clicks = requireClicks(options);
  const classes = labelSchemeOf(options).classes.length;
  const voxels = depth * height * width;
  const kept = options.eachMember ? members.length : 0;
  const patch = emptyAnswer(classes * voxels, members.length > 1, kept);
  const sums = Array.from({ length: classes }, () =>
    emptyAnswer(prepared.hu.length, members.length > 1, kept),
  );
  const total = new Float32Array(prepared.hu.length);
  const weights = gaussianWeights(patchSize);
  const input = new Float32Array(inputChannels(options) * voxels);
  const buffers = {
    image: input.subarray(0, form.scalings.length * voxels),
    label: new Float32Array(voxels),
  };
  const maps = input.subarray(buffers.image.length);
  const grid = { size, spacingMm, originMm, direction };
  const starts = placesOf(size, [width, height, depth], overlap).filter((start) =>
    isWanted({ start, size: [width, height, depth] }),
  );
  for (const [index, start] of starts.entries()) {
    signal?.throwIfAborted();
    const [i, j, k] = start;
    const centre: Vector3 = [
      i + Math.floor(width / 2),
      j + Math.floor(height / 2),
      k + Math.floor(depth / 2),
    ];
    const { image } = cutPatch(prepared, null, centre, form, undefined, buffers);
    if (clicks !== null)
      writeClickMaps(clicks.clicks, start, [width, height, depth], spacingMm, clicks.clickMaps, maps);
    const isAir = holdsAirAlone(image, form);
    if (!isAir) await answerPatch(input, members, options, patch);
    forEachRow(patchSize, size, start, (from, to, length) => {
      for (let n = 0; n < length; n++) total[to + n] += weights[from + n];
      if (isAir) return;
      for (const [at, sum] of sums.entries())
        addAnswer(sum, patch, { weights, from, to, length, offset: at * voxels });
    });
    onPatch?.(index + 1, starts.length);
    const next = starts.at(index + 1)?.[2];
    if (options.onPlanes && next !== undefined && next > Math.max(0, k))
      options.onPlanes(sums.map(({ probability }) => planesOf(grid, next, probability, total)));
  }
  return sums.map(({ probability, disagreement, ofMembers }) => ({
    probability: { ...grid, data: divided(probability, total) },
    disagreement: disagreement && { ...grid, data: divided(disagreement, total) },
    ofMembers: ofMembers.map((sum) => ({ ...grid, data: divided(sum, total) })),
  }));
}

/**
 * What a promptable network is told beside the image; null of all others.
 *
 * @throws InputError where it is told nothing
 */
function requireClicks({ clickMaps, clicks }: SlidingWindowOptions) {
  if (clickMaps === undefined) return null;
  if (clicks === undefined || clicks.positive.length === 0) throw new InputError(NEEDS_CLICKS);
  return { clickMaps, clicks };
}

/** Why a promptable model cannot be used otherwise. */
export const NEEDS_CLICKS =
  "The model outlines only what is clicked, and no point is given; give points in nodes (the option at), or choose a model that finds nodes by itself.";

/** Whether there are channels with a window, and all of them lie at its lower end. */
function holdsAirAlone(image: Float32Array, { scalings }: PatchForm): boolean {
  const voxels = image.length / scalings.length;
  const windowed = scalings.flatMap((scaling, at) =>
    isWindow(scaling) ? [image.subarray(at * voxels, (at + 1) * voxels)] : [],
  );
  return windowed.length > 0 && windowed.every((channel) => channel.every((value) => value <= -1));
}

interface Answer {
  readonly probability: Float32Array;
  readonly disagreement: Float32Array | null;
  readonly ofMembers: readonly Float32Array[];
}

const emptyAnswer = (voxels: number, ofSeveral: boolean, keptMembers: number): Answer => ({
  probability: new Float32Array(voxels),
  disagreement: ofSeveral ? new Float32Array(voxels) : null,
  ofMembers: Array.from({ length: keptMembers }, () => new Float32Array(voxels)),
});

/** Mean and standard deviation of the members' probabilities in one patch, class after class, into `answer`. */
async function answerPatch(
  image: Float32Array,
  members: readonly Member[],
  options: SlidingWindowOptions,
  { probability, disagreement, ofMembers }: Answer,
): Promise<void> {
  const { patchSize, mirrored = false, constants = {} } = options;
  const scheme = labelSchemeOf(options);
  const [depth, height, width] = patchSize;
  const voxels = depth * height * width;
  const shape = [1, image.length / voxels, ...patchSize];
  const probabilitiesOf = async (member: Member, data: Float32Array) => {
    const { logits } = await member.run({ image: { shape, data }, ...constants });
    if (logits.data.length !== logitChannels(scheme) * voxels)
      throw new RangeError(
        `the network has ${logits.data.length / voxels} output channels, and its plan needs ${logitChannels(scheme)}`,
      );
    requireFinite(logits.data);
    return classProbabilities(logits.data, scheme);
  };
  const mirror = mirrored ? mirroredRows(image, width) : null;
  probability.fill(0);
  disagreement?.fill(0);
  for (const [index, member] of members.entries()) {
    const straight = await probabilitiesOf(member, image);
    if (mirror !== null) {
      const other = mirroredRows(await probabilitiesOf(member, mirror), width);
      for (let n = 0; n < straight.length; n++) straight[n] = (straight[n] + other[n]) / 2;
    }
    ofMembers[index]?.set(straight);
    for (let n = 0; n < straight.length; n++) probability[n] += straight[n] / members.length;
    if (disagreement !== null)
      for (let n = 0; n < straight.length; n++) disagreement[n] += straight[n] ** 2 / members.length;
  }
  if (disagreement !== null)
    for (let n = 0; n < disagreement.length; n++)
      disagreement[n] = Math.sqrt(Math.max(0, disagreement[n] - probability[n] ** 2));
}

/** NaN is below every threshold, so without this check a diverged network would silently find no nodes. */
export function requireFinite(logits: Float32Array): void {
  let broken = 0;
  for (let n = 0; n < logits.length; n++) if (!Number.isFinite(logits[n])) broken++;
  if (broken > 0)
    throw new InputError(
      `The network gave NaN or infinite numbers in ${broken} of the ${logits.length} voxels of a patch, so its prediction cannot be used; its weights are damaged or its training diverged, so use another model.`,
    );
}

function mirroredRows(values: Float32Array, width: number): Float32Array {
  const mirrored = values.slice();
  for (let row = 0; row < mirrored.length; row += width) mirrored.subarray(row, row + width).reverse();
  return mirrored;
}

/** The rows of a patch that lie in the grid: offsets of their first voxel in the patch and in the grid, and their length. */
export function forEachRow(
  [depth, height, width]: PatchSize,
  [nx, ny, nz]: Vector3,
  [i0, j0, k0]: Vector3,
  visit: (from: number, to: number, length: number) => void,
): void {
  const first = Math.max(0, -i0);
  const length = Math.min(width, nx - i0) - first;
  for (let k = Math.max(0, -k0); k < depth && k0 + k < nz; k++)
    for (let j = Math.max(0, -j0); j < height && j0 + j < ny; j++)
      visit((k * height + j) * width + first, i0 + first + nx * (j0 + j + ny * (k0 + k)), length);
}

/** A row of a patch and its position in the grid; the values of a class begin at `offset`. */
interface RowPlace {
  readonly weights: Float32Array;
  readonly from: number;
  readonly to: number;
  readonly length: number;
  readonly offset: number;
}

function addAnswer(sum: Answer, patch: Answer, place: RowPlace): void {
  addWeighted(sum.probability, patch.probability, place);
  if (sum.disagreement !== null && patch.disagreement !== null)
    addWeighted(sum.disagreement, patch.disagreement, place);
  for (const [member, ofMember] of patch.ofMembers.entries())
    addWeighted(sum.ofMembers[member], ofMember, place);
}

export function addWeighted(sum: Float32Array, values: Float32Array, row: RowPlace): void {
  const { weights, from, to, length, offset } = row;
  for (let n = 0; n < length; n++) sum[to + n] += weights[from + n] * values[offset + from + n];
}

/** Divides by the summed weights; voxels without a patch stay 0. */
export function divided(sum: Float32Array, total: Float32Array): Float32Array {
  for (let voxel = 0; voxel < sum.length; voxel++) if (total[voxel] > 0) sum[voxel] /= total[voxel];
  return sum;
}

/** The first planes of a sum, divided by the weights, as a volume of their own. */
function planesOf(
  { size: [nx, ny], ...place }: Geometry,
  planes: number,
  sum: Float32Array,
  total: Float32Array,
): Volume<Float32Array> {
  return { ...place, size: [nx, ny, planes], data: divided(sum.slice(0, nx * ny * planes), total) };
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
      const distance = (index - (length - 1) / 2) / (length * patchWeighting.deviationShare);
      return Math.exp(-(distance ** 2) / 2);
    });
  const [z, y, x] = [along(depth), along(height), along(width)];
  return Float32Array.from({ length: depth * height * width }, (_, index) => {
    const weight =
      z[Math.floor(index / (width * height))] * y[Math.floor(index / width) % height] * x[index % width];
    return Math.max(weight, patchWeighting.least);
  });
}
