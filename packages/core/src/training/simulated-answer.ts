// Answers that a network might have given, as a stand-in for its own: clicks that correct them teach it to be corrected.
// They are made of the truth and the image alone, so that a sample stays a function of seed and number.
import { type RandomGenerator, uniform, uniformWhole } from "../random.js";
import type { Clicks } from "../transforms/click-maps.js";
import { blur } from "../volume/gaussian.js";
import type { Vector3 } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelComponents } from "../voxels/components.js";
import { squaredDistanceMm } from "../voxels/distance.js";
import { clickInto, correctingClick } from "../voxels/simulated-click.js";

/** A patch with the structure that is clicked in it, i fastest. */
export interface ClickedPatch {
  /** The first channel, normalised to −1 … 1. */
  readonly image: Float32Array;
  /** 1 in the structure; it holds some. */
  readonly truth: Uint8Array;
  readonly size: Vector3;
  readonly spacingMm: Vector3;
}

/** How often a sample has 1, 2, … clicks, in hundredths. */
const clickCounts = [30, 18, 15, 13, 12, 12];
/** The least depth of a click, as a share of the structure's: people click near the middle, not in it. */
const depths = { first: 0.3, correcting: 0.5 };
/** A corrected answer is right within a ball of this radius. */
const correctedMm = { least: 4, greatest: 14 };

/**
 * Clicks of a person: the first deep in the structure, and each further one where the stand-in answer before it is wrong.
 *
 * @returns voxel coordinates of the patch; at least one positive click
 */
export function simulateClicks(random: RandomGenerator, patch: ClickedPatch): Clicks {
  const { truth, size, spacingMm } = patch;
  const wanted = 1 + weighted(random, clickCounts);
  const first = clickInto(truth, size, spacingMm, { random, leastDepth: depths.first });
  if (first === null) throw new RangeError("the structure to click has no voxel in the patch");
  const positive = [withinVoxel(random, first)];
  const negative: Vector3[] = [];
  if (wanted === 1) return { positive, negative };
  const answer = standInAnswer(random, patch, first);
  while (positive.length + negative.length < wanted) {
    const imprecision = { random, leastDepth: depths.correcting };
    const click = correctingClick(truth, answer, size, spacingMm, imprecision);
    if (click === null) break;
    (click.isPositive ? positive : negative).push(withinVoxel(random, click.index));
    correctAround(random, answer, patch, click.index);
  }
  return { positive, negative };
}

/** Half of them as tissue like that at the click, half as the structure with an outline that wavers. */
export function standInAnswer(random: RandomGenerator, patch: ClickedPatch, click: Vector3): Uint8Array {
  return uniform(random) < 0.5 ? similarTissue(random, patch, click) : waveringOutline(random, patch);
}

/** What is like the click's tissue and connected with it, within a ball: it leaks where borders are weak. */
function similarTissue(
  random: RandomGenerator,
  { image, truth, size, spacingMm }: ClickedPatch,
  click: Vector3,
): Uint8Array {
  const voxelMm3 = spacingMm[0] * spacingMm[1] * spacingMm[2];
  const voxels = truth.reduce((sum, value) => sum + value, 0);
  const radiusMm = Math.cbrt((3 * voxels * voxelMm3) / (4 * Math.PI));
  const reachMm = Math.max(4, radiusMm * uniform(random, 0.8, 2.2));
  // 12 to 80 HU of the usual window of 400.
  const width = uniform(random, 0.06, 0.4);
  const smooth = Float32Array.from(image);
  const deviation = uniform(random, 0.5, 1.2);
  blur(smooth, size, [deviation, deviation, deviation]);
  const at = click[0] + size[0] * (click[1] + size[1] * click[2]);
  const similar = new Uint8Array(image.length);
  similar[at] = 1;
  forEachWithin(click, reachMm, size, spacingMm, (voxel) => {
    if (Math.abs(smooth[voxel] - smooth[at]) <= width) similar[voxel] = 1;
  });
  const { labels } = labelComponents(similar, size, 6);
  return maskWhere(labels, (label) => label === labels[at]);
}

/** The structure grown and shrunk by a smooth random field of mm. */
function waveringOutline(random: RandomGenerator, { truth, size, spacingMm }: ClickedPatch): Uint8Array {
  const inside = squaredDistanceMm(
    maskWhere(truth, (value) => value === 0),
    size,
    spacingMm,
  );
  const outside = squaredDistanceMm(truth, size, spacingMm);
  let depthMm = 0;
  for (const squared of inside) if (Number.isFinite(squared)) depthMm = Math.max(depthMm, Math.sqrt(squared));
  const amplitudeMm = Math.max(2, depthMm) * uniform(random, 0.4, 1.4);
  const shiftMm = uniform(random, -0.4, 0.3) * depthMm;
  const waves = Array.from({ length: 3 }, () => {
    const lengthMm = uniform(random, 12, 60);
    const direction = [0, 1, 2].map(() => uniform(random, -1, 1));
    const norm = Math.max(1e-6, Math.hypot(...direction));
    const along = direction.map((part, axis) => (2 * Math.PI * part * spacingMm[axis]) / (norm * lengthMm));
    return { along, phase: uniform(random, 0, 2 * Math.PI) };
  });
  const [nx, ny] = size;
  const answer = new Uint8Array(truth.length);
  for (let at = 0; at < answer.length; at++) {
    const distanceMm = truth[at] === 0 ? Math.sqrt(outside[at]) : -Math.sqrt(inside[at]);
    if (distanceMm > 1.5 * amplitudeMm + depthMm) continue;
    const [i, j, k] = [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))];
    let level = shiftMm;
    for (const { along, phase } of waves)
      level += (amplitudeMm / 2) * Math.cos(along[0] * i + along[1] * j + along[2] * k + phase);
    if (distanceMm <= level) answer[at] = 1;
  }
  return answer;
}

/** Makes the answer right in a ball around a click. */
function correctAround(
  random: RandomGenerator,
  answer: Uint8Array,
  { truth, size, spacingMm }: ClickedPatch,
  click: Vector3,
): void {
  const radiusMm = uniform(random, correctedMm.least, correctedMm.greatest);
  forEachWithin(click, radiusMm, size, spacingMm, (voxel) => {
    answer[voxel] = truth[voxel];
  });
  const at = click[0] + size[0] * (click[1] + size[1] * click[2]);
  answer[at] = truth[at];
}

function forEachWithin(
  centre: Vector3,
  radiusMm: number,
  size: Vector3,
  spacingMm: Vector3,
  visit: (voxel: number) => void,
): void {
  const range = (axis: 0 | 1 | 2) => {
    const reach = Math.floor(radiusMm / spacingMm[axis]);
    return [Math.max(0, centre[axis] - reach), Math.min(size[axis] - 1, centre[axis] + reach)] as const;
  };
  const [is, js, ks] = [range(0), range(1), range(2)];
  for (let k = ks[0]; k <= ks[1]; k++)
    for (let j = js[0]; j <= js[1]; j++)
      for (let i = is[0]; i <= is[1]; i++) {
        const distanceMm = Math.hypot(
          (i - centre[0]) * spacingMm[0],
          (j - centre[1]) * spacingMm[1],
          (k - centre[2]) * spacingMm[2],
        );
        if (distanceMm <= radiusMm) visit(i + size[0] * (j + size[1] * k));
      }
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
