// Clicks of a promptable network in training: the first deep in the structure, and each further one where the network's own
// answer is most wrong, as a person would correct it (iterative training, Sofiiuk et al., arXiv 2102.06583).
import { indexedStream, type RandomGenerator, uniform, uniformWhole } from "../random.js";
import type { RuntimeTensor, Session } from "../runtime/types.js";
import { CLICK_CHANNELS, type Clicks, writeClickMaps } from "../transforms/click-maps.js";
import { inputChannels } from "../transforms/intensity.js";
import { classProbabilities, labelSchemeOf } from "../transforms/label-scheme.js";
import type { PatchPlan } from "../transforms/patch.js";
import type { Vector3 } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { clickInto, correctingClick } from "../voxels/simulated-click.js";
import type { TrainingBatch } from "./trainer.js";

/** How samples of a run are clicked. */
export interface ClickingPlan extends PatchPlan {
  /** Working spacing (x, y, z). */
  readonly spacingMm: Vector3;
  /** Of the run. */
  readonly seed: number;
}

/** A structure in a patch. */
export interface ClickedPatch {
  /** 1 in the structure, i fastest; it holds some. */
  readonly truth: Uint8Array;
  readonly size: Vector3;
  readonly spacingMm: Vector3;
}

/** Samples and weights have streams with other numbers. */
const CLICK_STREAM = 2 ** 49;
/** How often a sample has 1, 2, … clicks, in hundredths. */
const clickCounts = [36, 18, 14, 12, 10, 10];
/** The least depth of a click, as a share of the structure's: people click near the middle, not in it. */
const depths = { first: 0.3, correcting: 0.5 };
/** Probability from which a voxel belongs to an answer. */
const threshold = 0.5;

/**
 * Clicks every sample of a batch, and writes the clicks to the two last channels of its images. What clicks a sample gets
 * depends on seed, number and weights alone.
 *
 * @param batch with one structure a sample as label; the maps of its images are overwritten
 * @param firstSample number of the batch's first sample in the run
 * @param plan of a promptable network
 * @param network a model from `image` [1, C, D, H, W] and `weights` to `logits`
 * @throws RangeError where a sample has no structure, or the plan no maps of clicks
 */
export async function clickBatch(
  batch: TrainingBatch,
  firstSample: number,
  plan: ClickingPlan,
  network: Pick<Session, "run">,
  weights: Readonly<Record<string, RuntimeTensor>>,
): Promise<void> {
  const { clickMaps, patchSize, spacingMm, seed } = plan;
  if (clickMaps === undefined) throw new RangeError("The plan has no maps of clicks.");
  const [depth, height, width] = patchSize;
  const size: Vector3 = [width, height, depth];
  const voxels = width * height * depth;
  const channels = inputChannels(plan);
  const scheme = labelSchemeOf(plan);
  for (let n = 0; n * channels * voxels < batch.image.length; n++) {
    const image = batch.image.subarray(n * channels * voxels, (n + 1) * channels * voxels);
    const maps = image.subarray((channels - CLICK_CHANNELS) * voxels);
    const label = batch.label.subarray(n * voxels, (n + 1) * voxels);
    const truth = maskWhere(label, (value) => value > 0);
    const write = (clicks: Clicks) => writeClickMaps(clicks, [0, 0, 0], size, spacingMm, clickMaps, maps);
    const ask = async (clicks: Clicks): Promise<Uint8Array> => {
      write(clicks);
      const { logits } = await network.run({
        image: { shape: [1, channels, ...patchSize], data: image },
        ...weights,
      });
      return maskWhere(classProbabilities(logits.data, scheme), (value) => value >= threshold);
    };
    const random = indexedStream(seed, CLICK_STREAM + firstSample + n);
    write(await drawClicks(random, { truth, size, spacingMm }, ask));
  }
}

/**
 * Draws how often a structure is clicked, and where.
 *
 * @param ask the answer to clicks, 1 in what it outlines
 * @returns voxel coordinates of the patch; at least one positive click
 */
export async function drawClicks(
  random: RandomGenerator,
  { truth, size, spacingMm }: ClickedPatch,
  ask: (clicks: Clicks) => Promise<Uint8Array>,
): Promise<Clicks> {
  const wanted = 1 + weighted(random, clickCounts);
  const first = clickInto(truth, size, spacingMm, { random, leastDepth: depths.first });
  if (first === null) throw new RangeError("the structure to click has no voxel in the patch");
  const positive = [withinVoxel(random, first)];
  const negative: Vector3[] = [];
  while (positive.length + negative.length < wanted) {
    const answer = await ask({ positive, negative });
    const imprecision = { random, leastDepth: depths.correcting };
    const click = correctingClick(truth, answer, size, spacingMm, imprecision);
    if (click === null) break;
    (click.isPositive ? positive : negative).push(withinVoxel(random, click.index));
  }
  return { positive, negative };
}

/** A place within half a voxel of a voxel's centre. */
const withinVoxel = (random: RandomGenerator, [i, j, k]: Vector3): Vector3 => [
  i + uniform(random, -0.5, 0.5),
  j + uniform(random, -0.5, 0.5),
  k + uniform(random, -0.5, 0.5),
];

/** A position, as often as its weight says; the weights' sum is 100. */
function weighted(random: RandomGenerator, weights: readonly number[]): number {
  let rest = uniformWhole(random, 100);
  return weights.findIndex((weight) => {
    rest -= weight;
    return rest < 0;
  });
}
