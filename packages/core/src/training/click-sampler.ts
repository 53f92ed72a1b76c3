// Draws the n-th sample of a promptable network: a structure that is clicked, as a pure function of seed and index.

import { indexedStream, type RandomGenerator, uniform, uniformWhole } from "../random.js";
import { drawVariation } from "../transforms/augmentation.js";
import { channelsOf, inputChannels, outsideOf } from "../transforms/intensity.js";
import { cutPatch, type Patch, type PatchForm, type PatchSize, patchForm } from "../transforms/patch.js";
import { crop } from "../volume/crop.js";
import type { Vector3, VoxelArray } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { type PreparedCase, placeNear, type SamplerOptions } from "./sampler.js";
import { type BoxedTarget, drawSyntheticTarget } from "./synthetic-target.js";

/** A sample of a promptable network. */
export interface ClickSample extends Patch {
  /** Position in the list of cases. */
  readonly caseIndex: number;
  /** The drawn structure; null for a synthetic one. */
  readonly component: number | null;
}

/** A drawn structure may lie beyond the patch after it was turned; then another is drawn. */
const trials = 20;

/**
 * Sample number `sampleIndex` of the run with this seed; it depends on nothing else. The target is one structure alone,
 * everything else is background: a drawn one of a case with the probability `foregroundShare`, large ones more often than
 * small ones, and a synthetic one ({@link drawSyntheticTarget}) otherwise, and where a case has none.
 *
 * The input holds the image's channels and two empty maps of clicks, because where it is clicked depends on the network's
 * answers too (`clickBatch`).
 *
 * @param cases at least one; `label` numbers the structures
 * @param options of a promptable plan
 * @param into arrays to write to, such as part of a batch
 * @throws RangeError where there is no case, or no sample of any has a target
 */
export function drawClickSample(
  seed: number,
  sampleIndex: number,
  cases: readonly PreparedCase[],
  options: SamplerOptions,
  into?: Patch,
): ClickSample {
  if (cases.length === 0) throw new RangeError("There is no case to draw a sample from.");
  const { patchSize, foregroundShare, augmentation } = options;
  const random = indexedStream(seed, sampleIndex);
  const form = patchForm({ ...options, labels: undefined });
  const [depth, height, width] = patchSize;
  const voxels = width * height * depth;
  const channels = channelsOf(options).length;
  const input = into ?? {
    image: new Float32Array(inputChannels(options) * voxels),
    label: new Float32Array(voxels),
  };
  const image = input.image.subarray(0, channels * voxels);
  for (let trial = 0; trial < trials; trial++) {
    const isDrawn = uniform(random) < foregroundShare;
    const chosen = cases[uniformWhole(random, cases.length)];
    const target =
      (isDrawn ? drawnTarget(random, chosen, patchSize) : null) ?? syntheticTarget(random, chosen, patchSize);
    if (target === null) continue;
    const variation = drawVariation(random, augmentation, channels);
    cutTarget(chosen, target, form, variation, { image, label: input.label });
    if (!input.label.includes(1)) continue;
    input.image.fill(0, channels * voxels);
    return { ...input, caseIndex: cases.indexOf(chosen), component: target.component };
  }
  throw new RangeError(`No structure to click was found for sample ${sampleIndex} in ${trials} trials.`);
}

/** What is to be outlined, and around which voxel (i, j, k) of the scan the patch lies. */
interface Target {
  readonly centre: Vector3;
  readonly component: number | null;
  /** The target's voxels in a box of the scan, 1 inside; the box may extend beyond the scan. */
  maskIn(start: Vector3, size: Vector3): Uint8Array;
}

function drawnTarget(random: RandomGenerator, chosen: PreparedCase, patchSize: PatchSize): Target | null {
  const { foreground, componentOffsets, label } = chosen;
  if (foreground.length === 0) return null;
  const component = structureBySize(random, componentOffsets);
  const { centre } = placeNear(random, chosen, component, patchSize);
  const number = label[foreground[componentOffsets[component]]];
  const maskIn = (start: Vector3, size: Vector3) =>
    maskWhere(boxOf(chosen, label, start, size, 0), (value) => value === number);
  return { centre, component, maskIn };
}

/** A structure, as often as it is long: a scan holds many small nodes and a few large organs, which are harder to outline. */
function structureBySize(random: RandomGenerator, componentOffsets: Int32Array): number {
  const lengths = Array.from(componentOffsets.subarray(1), (end, at) =>
    Math.cbrt(end - componentOffsets[at]),
  );
  let rest = uniform(random) * lengths.reduce((sum, length) => sum + length, 0);
  const found = lengths.findIndex((length) => {
    rest -= length;
    return rest < 0;
  });
  return found < 0 ? lengths.length - 1 : found;
}

function syntheticTarget(random: RandomGenerator, chosen: PreparedCase, patchSize: PatchSize): Target | null {
  const found = drawSyntheticTarget(random, chosen);
  if (found === null) return null;
  const offsets = found.mask.reduce<number[]>((all, value, at) => {
    if (value === 1) all.push(at);
    return all;
  }, []);
  const at = offsets[uniformWhole(random, offsets.length)];
  const [nx, ny] = found.size;
  const inBox: Vector3 = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
  const centre = inBox.map((index, axis) => {
    const reach = Math.floor(patchSize[2 - axis] / 4);
    return found.start[axis] + index + uniformWhole(random, 2 * reach + 1) - reach;
  });
  const maskIn = (start: Vector3, size: Vector3) => rebased(found, start, size);
  return { centre: [centre[0], centre[1], centre[2]], component: null, maskIn };
}

/** The patch around a target. Only what augmentation can reach of the scan is taken, for a mask of its own. */
function cutTarget(
  chosen: PreparedCase,
  { centre, maskIn }: Target,
  form: PatchForm,
  variation: ReturnType<typeof drawVariation>,
  into: Patch,
): void {
  const { spacingMm, hu, further } = chosen;
  const halfDiagonal = Math.hypot(...form.patchSize.map((length, axis) => length * spacingMm[2 - axis])) / 2;
  const reachMm = halfDiagonal / Math.min(1, variation.scaling) + Math.sqrt(3) * variation.elasticMm;
  const reach = spacingMm.map((spacing) => Math.ceil(reachMm / spacing) + 2);
  const start: Vector3 = [centre[0] - reach[0], centre[1] - reach[1], centre[2] - reach[2]];
  const size: Vector3 = [2 * reach[0] + 1, 2 * reach[1] + 1, 2 * reach[2] + 1];
  const outside = form.scalings.map(outsideOf);
  const source = {
    size,
    spacingMm,
    hu: boxOf(chosen, hu, start, size, outside[0]),
    ...(further
      ? { further: further.map((data, at) => boxOf(chosen, data, start, size, outside[at + 1])) }
      : {}),
  };
  cutPatch(source, maskIn(start, size), [reach[0], reach[1], reach[2]], form, variation, into);
}

function boxOf<T extends VoxelArray>(
  { size: whole, spacingMm }: PreparedCase,
  data: T,
  start: Vector3,
  size: Vector3,
  fill: number,
): T {
  return crop({ size: whole, spacingMm, ...anywhere, data }, start, size, fill).data;
}

/** A target in another box of the same scan. */
function rebased(target: BoxedTarget, start: Vector3, size: Vector3): Uint8Array {
  const from: Vector3 = [start[0] - target.start[0], start[1] - target.start[1], start[2] - target.start[2]];
  const volume = { size: target.size, spacingMm: [1, 1, 1] as const, ...anywhere, data: target.mask };
  return crop(volume, from, size, 0).data;
}

/** The position of the grid does not matter. */
const anywhere = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
