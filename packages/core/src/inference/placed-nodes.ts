// Adds a node to existing nodes: it refines an existing node, is added, or is already covered.
import { crop, paste } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Vector3, Volume } from "../volume/volume.js";

/** One node on a box of the scan's grid. */
export interface BoxedNode {
  /** 1 in the node. */
  readonly mask: Volume<Uint8Array>;
  /** The box's first voxel in the scan. */
  readonly start: Vector3;
}

/** The result of adding a node to others. */
export interface PlacedNode {
  readonly number: number;
  /**
   * `added` under the given number; `refined`: it replaced an existing node and took its number; or `covered`: all its
   * voxels belong to existing nodes, so that nothing was changed, and `number` is that of the node with most of them.
   */
  readonly as: "added" | "refined" | "covered";
}

/**
 * Adds a node to others without losing any other node.
 *
 * If it covers more than half of existing nodes, the one with the largest overlap counts as the same node: it is
 * replaced, and its number is kept. Otherwise, if more than half of the new node lies in a larger node, it is cut out of
 * that node. All other shared voxels stay with the existing node.
 *
 * @param instances changed in place; its type must hold `number`
 * @param number for a node that is added
 */
export function placeNode(
  instances: Volume<IntegerVoxelArray>,
  { mask, start }: BoxedNode,
  number: number,
): PlacedNode {
  const held = crop(instances, start, mask.size);
  const { voxels, shared } = voxelsShared(mask.data, held.data);
  const sizes = voxelsOf(instances.data, shared);
  const byShare = [...shared.keys()].sort((a, b) => (shared.get(b) ?? 0) - (shared.get(a) ?? 0) || a - b);
  const same = byShare.find((id) => (shared.get(id) ?? 0) > (sizes.get(id) ?? 0) / 2);
  const larger = byShare.find((id) => (shared.get(id) ?? 0) > voxels / 2);
  const given = same ?? larger;
  const own = same ?? number;
  let taken = 0;
  for (let at = 0; at < mask.data.length; at++) {
    const isOwn = mask.data[at] !== 0 && (held.data[at] === 0 || held.data[at] === given);
    if (isOwn) taken++;
    // Voxels of the replaced node that the new node does not cover are cleared.
    if (isOwn || (same !== undefined && held.data[at] === same)) held.data[at] = isOwn ? own : 0;
  }
  if (taken === 0) return { number: byShare[0], as: "covered" };
  if (same !== undefined) clear(instances.data, same);
  paste(held, start, instances);
  return { number: own, as: same === undefined ? "added" : "refined" };
}

/** The number of voxels of a mask, and how many of them each existing node has. */
function voxelsShared(mask: Uint8Array, held: IntegerVoxelArray) {
  const shared = new Map<number, number>();
  let voxels = 0;
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    voxels++;
    if (held[at] !== 0) shared.set(held[at], (shared.get(held[at]) ?? 0) + 1);
  }
  return { voxels, shared };
}

/** The numbers of voxels of some nodes in the whole scan. */
function voxelsOf(data: IntegerVoxelArray, wanted: ReadonlyMap<number, unknown>): Map<number, number> {
  const sizes = new Map<number, number>();
  if (wanted.size === 0) return sizes;
  for (let at = 0; at < data.length; at++)
    if (data[at] !== 0 && wanted.has(data[at])) sizes.set(data[at], (sizes.get(data[at]) ?? 0) + 1);
  return sizes;
}

function clear(data: IntegerVoxelArray, number: number): void {
  for (let at = 0; at < data.length; at++) if (data[at] === number) data[at] = 0;
}
