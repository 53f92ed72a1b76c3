// Clicks as a person would place them: deep in a structure, then where an answer is wrong.
import { type RandomGenerator, uniform, uniformWhole } from "../random.js";
import type { Vector3 } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelComponents } from "./components.js";
import { squaredDistanceMm } from "./distance.js";
import { cropMask, foregroundBox, type IndexBox } from "./morphology.js";

/** A click on a grid, at the centre of a voxel. */
export interface SimulatedClick {
  readonly index: Vector3;
  /** Whether it says "this belongs to it"; if not, "this does not". */
  readonly isPositive: boolean;
}

/** How imprecisely a simulated person clicks. */
export interface Imprecision {
  readonly random: RandomGenerator;
  /** Clicks lie at least at this share of the greatest depth; drawn between here and 1 for each click. */
  readonly leastDepth: number;
}

/**
 * A click into a mask, at the voxel that lies deepest in it, the first of equals; with imprecision, at a random voxel that
 * lies deep enough. Beyond the grid a mask is taken to go on.
 *
 * @param mask foreground where nonzero, i fastest
 * @param size voxels along (i, j, k)
 * @param spacingMm along (i, j, k)
 * @returns null for an empty mask
 */
export function clickInto(
  mask: Uint8Array,
  size: Vector3,
  spacingMm: Vector3,
  imprecision: Imprecision | null = null,
): Vector3 | null {
  const tight = foregroundBox(mask, size);
  if (tight === null) return null;
  const box = withMargin(tight, size);
  const outside = maskWhere(cropMask(mask, size, box), (value) => value === 0);
  const depths = squaredDistanceMm(outside, box.size, spacingMm);
  let greatest = 0;
  // Infinity in a mask that fills the grid.
  for (const depth of depths) if (depth > greatest) greatest = depth;
  const share = imprecision === null ? 1 : uniform(imprecision.random, imprecision.leastDepth, 1);
  const enough = greatest * share ** 2;
  const deep: number[] = [];
  for (let at = 0; at < depths.length; at++) if (outside[at] === 0 && depths[at] >= enough) deep.push(at);
  const chosen = deep[imprecision === null ? 0 : uniformWhole(imprecision.random, deep.length)];
  const [width, height] = box.size;
  return [
    box.start[0] + (chosen % width),
    box.start[1] + (Math.floor(chosen / width) % height),
    box.start[2] + Math.floor(chosen / (width * height)),
  ];
}

/**
 * The click that corrects an answer: into the largest connected component (6 neighbours) of what it lacks and of what it
 * has too much, positive in the former and negative in the latter, as in RITM (Sofiiuk et al., arXiv
 * 2102.06583).
 *
 * @param truth foreground where nonzero, i fastest
 * @param answer on the same grid
 * @returns null where nothing is wrong
 */
export function correctingClick(
  truth: Uint8Array,
  answer: Uint8Array,
  size: Vector3,
  spacingMm: Vector3,
  imprecision: Imprecision | null = null,
): SimulatedClick | null {
  const missed = largestPart(truth, answer, size);
  const excess = largestPart(answer, truth, size);
  const isPositive = missed.voxels >= excess.voxels;
  const index = clickInto((isPositive ? missed : excess).mask, size, spacingMm, imprecision);
  return index && { index, isPositive };
}

/** The largest component of a mask without the voxels of another. */
function largestPart(mask: Uint8Array, without: Uint8Array, size: Vector3) {
  const rest = mask.map((value, at) => (value !== 0 && without[at] === 0 ? 1 : 0));
  const { labels, sizes } = labelComponents(rest, size, 6);
  const voxels = Math.max(0, ...sizes);
  const number = sizes.indexOf(voxels) + 1;
  return { voxels, mask: number === 0 ? rest : maskWhere(labels, (label) => label === number) };
}

/** One voxel more on each side, as far as the grid reaches. */
function withMargin({ start, size: boxSize }: IndexBox, size: Vector3): IndexBox {
  const along = (axis: 0 | 1 | 2) => {
    const first = Math.max(0, start[axis] - 1);
    return [first, Math.min(size[axis], start[axis] + boxSize[axis] + 1) - first] as const;
  };
  const [i, j, k] = [along(0), along(1), along(2)];
  return { start: [i[0], j[0], k[0]], size: [i[1], j[1], k[1]] };
}
