// Validation of a promptable network during training: structures of held-out scans, clicked as a person would click them.
import { countOverlap, dice } from "../metrics/overlap.js";
import type { Clicks } from "../transforms/click-maps.js";
import { outsideOf, scalingsOf } from "../transforms/intensity.js";
import { IGNORED } from "../transforms/label-scheme.js";
import type { PatchPlan } from "../transforms/patch.js";
import type { Prepared } from "../transforms/preprocess.js";
import { crop, nodeCropStart } from "../volume/crop.js";
import type { Vector3, VoxelArray } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { clickInto, correctingClick } from "../voxels/simulated-click.js";
import { FOREGROUND_THRESHOLD } from "./segmented-nodes.js";
import { type Member, predictProbability, type SlidingWindowOptions } from "./sliding-window.js";
import type { LabelledScan } from "./validation.js";

/** A structure in a patch around its first click. */
export interface ClickTarget {
  /** The patch. */
  readonly prepared: Prepared;
  /** 1 in the structure, on the patch's grid. */
  readonly truth: Uint8Array;
  /** The first click, in voxels of the patch. */
  readonly first: Vector3;
}

/** Structures of fewer voxels are no measure of an outline. */
const leastVoxels = 8;

/**
 * Some structures of scans, each in a patch around the voxel that lies deepest in it.
 *
 * @param scans whose labels number the structures
 * @param perScan at most so many of each, evenly spread over the numbers
 */
export function clickTargets(
  scans: readonly LabelledScan[],
  plan: PatchPlan,
  perScan: number,
): ClickTarget[] {
  return scans.flatMap((scan) => {
    const numbers = structuresOf(scan.label);
    const count = Math.min(perScan, numbers.length);
    const chosen = Array.from({ length: count }, (_, n) => numbers[Math.floor((n * numbers.length) / count)]);
    return chosen.map((number) => targetOf(scan, number, plan));
  });
}

/**
 * The mean DSC of structures after one click, two, …, each further one where the answer before it is most wrong.
 *
 * @param targets at least one
 * @param options of a promptable plan; their `constants` are the weights, where the network takes them as inputs
 * @param clicks how many at most
 */
export async function meanClickDsc(
  targets: readonly ClickTarget[],
  network: Member,
  options: SlidingWindowOptions,
  clicks: number,
): Promise<number[]> {
  const sums = new Array<number>(clicks).fill(0);
  for (const { prepared, truth, first } of targets) {
    let given: Clicks = { positive: [first], negative: [] };
    for (let count = 0; count < clicks; count++) {
      const [{ probability }] = await predictProbability(prepared, [network], { ...options, clicks: given });
      const answer = maskWhere(probability.data, (value) => value >= FOREGROUND_THRESHOLD);
      sums[count] += dice(countOverlap(truth, answer));
      given = withClick(given, correctingClick(truth, answer, prepared.size, prepared.spacingMm));
    }
  }
  return sums.map((sum) => sum / targets.length);
}

function withClick(clicks: Clicks, click: ReturnType<typeof correctingClick>): Clicks {
  if (click === null) return clicks;
  const { positive, negative } = clicks;
  return click.isPositive
    ? { positive: [...positive, click.index], negative }
    : { positive, negative: [...negative, click.index] };
}

/** Numbers of structures that are large enough, in rising order. */
function structuresOf(label: Uint8Array): number[] {
  const voxels = new Uint32Array(256);
  for (let at = 0; at < label.length; at++) voxels[label[at]]++;
  return Array.from(voxels.keys()).filter(
    (number) => number !== 0 && number !== IGNORED && voxels[number] >= leastVoxels,
  );
}

function targetOf(scan: LabelledScan, number: number, plan: PatchPlan): ClickTarget {
  const { size, spacingMm, label, hu, further } = scan;
  const mask = maskWhere(label, (value) => value === number);
  const first = clickInto(mask, size, spacingMm);
  if (first === null) throw new RangeError(`no voxel has the number ${number}`);
  const [depth, height, width] = plan.patchSize;
  const patch: Vector3 = [width, height, depth];
  const start = nodeCropStart(first, patch);
  const outside = scalingsOf(plan).map(outsideOf);
  const cut = <T extends VoxelArray>(data: T, fill: number) =>
    crop({ size, spacingMm, ...anywhere, data }, start, patch, fill);
  const channels = further?.map((data, at) => cut(data, outside[at + 1]).data);
  const { data, ...grid } = cut(hu, outside[0]);
  return {
    prepared: { ...grid, hu: data, ...(channels ? { further: channels } : {}) },
    truth: cut(mask, 0).data,
    first: [first[0] - start[0], first[1] - start[1], first[2] - start[2]],
  };
}

/** The position of the grid does not matter. */
const anywhere = { originMm: [0, 0, 0], direction: [1, 0, 0, 0, 1, 0, 0, 0, 1] } as const;
