// One node by clicks into it and beside it, with a promptable model: which node of a scan they mean, and where it comes to lie.
import { crop, paste } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import { indexOfPoint, type Vector3, type Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import type { NodeAtClick, NodeClicks } from "./clicked-node.js";
import { type PlacedNode, placeNode } from "./placed-nodes.js";

/** A click that was given before, and the number of its node. */
export interface EarlierClick {
  readonly pointMm: Vector3;
  readonly isPositive: boolean;
  readonly node: number | null;
}

/** All clicks of one node. */
export interface MeantNode extends NodeClicks {
  /** The node that stands there; null for a new one. */
  readonly number: number | null;
}

/**
 * The node that clicks mean: that of the first of them which lies in a node that was clicked before, with its earlier
 * clicks; else a new one.
 *
 * @param instances number of the node in each voxel
 */
export function meantNode(
  instances: Volume<IntegerVoxelArray>,
  given: NodeClicks,
  earlier: readonly EarlierClick[],
): MeantNode {
  const clicked = new Set(earlier.map(({ node }) => node));
  const numbers = [...given.at, ...given.not].map((point) => numberAt(instances, point));
  const number = numbers.find((at) => at !== 0 && clicked.has(at)) ?? null;
  if (number === null) return { ...given, number };
  const before = earlier.filter(({ node }) => node === number);
  const of = (isPositive: boolean) =>
    before.filter((click) => click.isPositive === isPositive).map(({ pointMm }) => pointMm);
  return {
    number,
    at: withoutRepeated([...of(true), ...given.at]),
    not: withoutRepeated([...of(false), ...given.not]),
  };
}

/**
 * Puts the answer in its place. A node that is meant is replaced by it; a new one is placed as by {@link placeNode}. No
 * voxel of another clicked node changes.
 *
 * @param instances changed in place; its type must hold `next`
 * @param clicked numbers of the nodes that were clicked before
 * @param next the number of a new node
 */
export function placePromptedNode(
  instances: Volume<IntegerVoxelArray>,
  { mask, start }: Pick<NodeAtClick, "mask" | "start">,
  number: number | null,
  clicked: ReadonlySet<number>,
  next: number,
): PlacedNode {
  const held = crop(instances, start, mask.size);
  if (number === null) {
    const free = mask.data.map((value, at) => (clicked.has(held.data[at]) ? 0 : value));
    if (!free.includes(1)) return { number: held.data[mask.data.indexOf(1)], as: "covered" };
    return placeNode(instances, { mask: { ...mask, data: free }, start }, next);
  }
  const isOwn = maskWhere(held.data, (value) => value === 0 || value === number);
  if (!mask.data.some((value, at) => value === 1 && isOwn[at] === 1)) return { number, as: "covered" };
  for (let at = 0; at < instances.data.length; at++)
    if (instances.data[at] === number) instances.data[at] = 0;
  for (let at = 0; at < mask.data.length; at++)
    if (isOwn[at] === 1) held.data[at] = mask.data[at] === 1 ? number : 0;
  paste(held, start, instances);
  return { number, as: "refined" };
}

/** The node in the voxel nearest to a point; 0 for none, and outside. */
function numberAt({ data, size, ...place }: Volume<IntegerVoxelArray>, pointMm: Vector3): number {
  const [i, j, k] = indexOfPoint({ size, ...place }, pointMm).map(Math.round);
  const isInside = i >= 0 && j >= 0 && k >= 0 && i < size[0] && j < size[1] && k < size[2];
  return isInside ? data[i + size[0] * (j + size[1] * k)] : 0;
}

const withoutRepeated = (points: readonly Vector3[]): Vector3[] =>
  points.filter((point, n) => points.findIndex((other) => other.join() === point.join()) === n);
