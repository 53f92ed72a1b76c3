// Nodes put among those that stand there already: what is refined, what is added, and whose the shared voxels are.
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

/** How a node stands among the others. */
export interface PlacedNode {
  readonly number: number;
  /**
   * `added` under the given number; `refined` a standing node, whose number it took; or `covered`, where all its voxels
   * belong to standing nodes, so that nothing was changed and `number` is that of the one which holds most of it.
   */
  readonly as: "added" | "refined" | "covered";
}

/**
 * Puts a node among others, so that no other node is lost.
 *
 * Of the standing nodes of which it covers more than half, the one that it shares most voxels with is the same node: it
 * is replaced, and its number kept. Where there is none and more than half of the new node lies in one that is larger, it
 * is cut out of that one. All other voxels that are held already stay with the node that holds them.
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
    // What the node no longer covers of the one that it replaces goes.
    if (isOwn || (same !== undefined && held.data[at] === same)) held.data[at] = isOwn ? own : 0;
  }
  if (taken === 0) return { number: byShare[0], as: "covered" };
  if (same !== undefined) clear(instances.data, same);
  paste(held, start, instances);
  return { number: own, as: same === undefined ? "added" : "refined" };
}

/** Voxels of a mask, and of these those that each standing node holds. */
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

/** Voxels of some nodes in the whole scan. */
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
