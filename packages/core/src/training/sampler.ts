// Draws the n-th training patch as a pure function of seed and index, so that a run can be resumed by the index.

import { indexedStream, type RandomGenerator, uniform, uniformWhole } from "../random.js";
import { type Augmentation, drawVariation } from "../transforms/augmentation.js";
import { type ChannelPlan, isWindow, scalingsOf } from "../transforms/intensity.js";
import { IGNORED } from "../transforms/label-scheme.js";
import {
  cutPatch,
  type Patch,
  type PatchPlan,
  type PatchSize,
  type PatchSource,
  patchForm,
} from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import type { Vector3, VoxelArray } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelComponents } from "../voxels/components.js";

/** A scan ready for training. Plain arrays, so that worker threads can share it. */
export interface PreparedCase extends PatchSource {
  readonly id: string;
  /** Target numbers: 0 is background, {@link IGNORED} counts nowhere, all else is foreground; the grid of `hu`. */
  readonly label: Uint8Array;
  /**
   * Offsets into `label` of all voxels that samples are aimed at, one connected component after another: the foreground, and
   * look-alikes, which are background.
   */
  readonly foreground: Int32Array;
  /** Component b is `foreground` from `componentOffsets[b]` up to `componentOffsets[b + 1]`. */
  readonly componentOffsets: Int32Array;
}

export interface SamplerOptions extends PatchPlan {
  /** Share of the samples that are centred on or near a foreground voxel, 0 … 1. */
  readonly foregroundShare: number;
  readonly augmentation: Augmentation;
  /** Whether the classes of a case are drawn as often as each other; so by default. */
  readonly balancesClasses?: boolean;
}

/** A training sample and its origin. */
export interface Sample extends Patch {
  /** Position in the list of cases. */
  readonly caseIndex: number;
  /** The connected component that it was aimed at; null for a random position. */
  readonly component: number | null;
  /** Voxel (i, j, k) at (⌊W/2⌋, ⌊H/2⌋, ⌊D/2⌋) of the patch. */
  readonly centre: Vector3;
}

/**
 * Sample number `sampleIndex` of the run with this seed; it depends on nothing else.
 *
 * A sample aimed at foreground chooses a case, then (if there are several classes) one of the classes that it contains, among
 * which look-alikes count as one,
 * then one of its connected components, then a voxel of that, then a shift of up to a quarter of the patch along each
 * axis: so rare classes and small nodes occur as often as others, and not always in the middle. The other samples of CT are
 * centred in the body, most of them: in the air around it there is nothing to learn.
 *
 * @param cases at least one; cases without foreground give background only
 * @param into arrays to write to, such as part of a batch
 * @throws RangeError where there is no case
 */
export function drawSample(
  seed: number,
  sampleIndex: number,
  cases: readonly PreparedCase[],
  options: SamplerOptions,
  into?: Patch,
): Sample {
  if (cases.length === 0) throw new RangeError("There is no case to draw a sample from.");
  const random = indexedStream(seed, sampleIndex);
  const aimed = uniform(random) < options.foregroundShare;
  const withForeground = cases.filter((scan) => scan.foreground.length > 0);
  const candidates = aimed && withForeground.length > 0 ? withForeground : cases;
  const chosen = candidates[uniformWhole(random, candidates.length)];
  const place =
    aimed && chosen.foreground.length > 0
      ? placeNearComponent(random, chosen, options.patchSize, options.balancesClasses)
      : placeInBody(random, chosen, options);
  const variation = drawVariation(random, options.augmentation, scalingsOf(options).length);
  const patch = cutPatch(chosen, chosen.label, place.centre, patchForm(options), variation, into);
  return { ...patch, ...place, caseIndex: cases.indexOf(chosen) };
}

/**
 * A prepared scan with its target numbers, and its foreground listed by connected component of one number (26 neighbours).
 *
 * @param lookAlikes above 0 where something may be taken for foreground, on the grid of `label`: its connected components
 *   that touch neither foreground nor ignored voxels are listed too, as often as each class, so that a network sees what it
 *   mistook
 */
export function prepareCase(
  id: string,
  prepared: Prepared,
  label: Uint8Array,
  lookAlikes: VoxelArray | null = null,
): PreparedCase {
  const { size, spacingMm, hu, further } = prepared;
  const aims = label.map((value) => (value === IGNORED ? 0 : value));
  if (lookAlikes !== null) addLookAlikes(aims, label, lookAlikes, size);
  const { labels, sizes } = labelComponents(aims, size, 26);
  const componentOffsets = new Int32Array(sizes.length + 1);
  sizes.forEach((voxels, component) => {
    componentOffsets[component + 1] = componentOffsets[component] + voxels;
  });
  const foreground = new Int32Array(componentOffsets[sizes.length]);
  const next = componentOffsets.slice();
  for (let n = 0; n < labels.length; n++) {
    if (labels[n] !== 0) foreground[next[labels[n] - 1]++] = n;
  }
  const image = { size, spacingMm, hu, ...(further ? { further } : {}) };
  return { id, ...image, label, foreground, componentOffsets };
}

/** A number that no target has, since 255 is {@link IGNORED} and there are at most 254 sets of classes. */
const LOOK_ALIKE = IGNORED;

function addLookAlikes(aims: Uint8Array, label: Uint8Array, lookAlikes: VoxelArray, size: Vector3): void {
  const { labels, sizes } = labelComponents(
    maskWhere(lookAlikes, (value) => value > 0),
    size,
    26,
  );
  const isReal = new Uint8Array(sizes.length + 1);
  for (let n = 0; n < labels.length; n++) if (label[n] !== 0) isReal[labels[n]] = 1;
  for (let n = 0; n < labels.length; n++)
    if (labels[n] !== 0 && isReal[labels[n]] === 0) aims[n] = LOOK_ALIKE;
}

/** Where a sample lies. */
export type Place = Pick<Sample, "centre" | "component">;

function placeNearComponent(
  random: RandomGenerator,
  chosen: PreparedCase,
  patchSize: PatchSize,
  balancesClasses = true,
): Place {
  const components = balancesClasses ? componentsOfOneClass(random, chosen) : componentsOf(chosen);
  return placeNear(random, chosen, components[uniformWhole(random, components.length)], patchSize);
}

/** A place around a random voxel of a connected component. */
export function placeNear(
  random: RandomGenerator,
  { size, foreground, componentOffsets }: PreparedCase,
  component: number,
  [depth, height, width]: PatchSize,
): Place & { readonly component: number } {
  const first = componentOffsets[component];
  const voxel = foreground[first + uniformWhole(random, componentOffsets[component + 1] - first)];
  const jitter = (extent: number): number => {
    const reach = Math.floor(extent / 4);
    return uniformWhole(random, 2 * reach + 1) - reach;
  };
  const centre: Vector3 = [
    (voxel % size[0]) + jitter(width),
    (Math.floor(voxel / size[0]) % size[1]) + jitter(height),
    Math.floor(voxel / (size[0] * size[1])) + jitter(depth),
  ];
  return { centre, component };
}

const componentsOf = ({ componentOffsets }: PreparedCase): number[] =>
  Array.from({ length: componentOffsets.length - 1 }, (_, component) => component);

/** The components of a target number that is drawn from those that the case holds; all where there is one number. */
function componentsOfOneClass(random: RandomGenerator, chosen: PreparedCase): number[] {
  const { label, foreground, componentOffsets } = chosen;
  const components = componentsOf(chosen);
  const numberOf = (component: number): number => label[foreground[componentOffsets[component]]];
  const numbers = [...new Set(components.map(numberOf))].sort((a, b) => a - b);
  if (numbers.length === 1) return components;
  const number = numbers[uniformWhole(random, numbers.length)];
  return components.filter((component) => numberOf(component) === number);
}

/** At least half of a planning scan is air. After so many trials a patch may lie in it. */
const bodyTrials = 8;

/** A random position whose middle is denser than air, where the first channel is CT; else any. */
function placeInBody(
  random: RandomGenerator,
  { hu, size }: PreparedCase,
  plan: ChannelPlan & Pick<PatchPlan, "patchSize">,
): Place {
  const [scaling] = scalingsOf(plan);
  let place = placeAnywhere(random, size, plan.patchSize);
  if (!isWindow(scaling)) return place;
  const isAir = ([i, j, k]: Vector3): boolean => hu[i + size[0] * (j + size[1] * k)] <= scaling.lowHu;
  for (let trial = 1; trial < bodyTrials && isAir(place.centre); trial++)
    place = placeAnywhere(random, size, plan.patchSize);
  return place;
}

/** A random position where the patch lies within the scan; centred along an axis that is shorter than the patch. */
function placeAnywhere(random: RandomGenerator, size: Vector3, [depth, height, width]: PatchSize): Place {
  const along = (voxels: number, extent: number): number => {
    const places = Math.max(1, voxels - extent + 1);
    const start = voxels < extent ? Math.floor((voxels - extent) / 2) : 0;
    return start + uniformWhole(random, places) + Math.floor(extent / 2);
  };
  return { centre: [along(size[0], width), along(size[1], height), along(size[2], depth)], component: null };
}
