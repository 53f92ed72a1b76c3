// The same nodes at two dates, and how they changed.
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";
import { matchNodes, overlapsOfNodes } from "./node-matching.js";

/** A node at one date. */
export type DatedNode = Pick<
  NodeMeasurement,
  "id" | "shortAxisMm" | "longAxisMm" | "volumeMl" | "centroidLpsMm"
>;

/** A node at both dates, or at one: what is gone has no second, what is new no first. */
export interface FollowedNode {
  readonly first: DatedNode | null;
  readonly second: DatedNode | null;
  /** Second less first, mm; null where there is only one. */
  readonly shortAxisChangeMm: number | null;
  /** Second less first, mL. */
  readonly volumeChangeMl: number | null;
}

export interface FollowUp {
  /** By the first date's numbers, then those of new nodes. */
  readonly nodes: readonly FollowedNode[];
  readonly sumOfShortAxesMm: { readonly first: number; readonly second: number };
  readonly sumOfVolumesMl: { readonly first: number; readonly second: number };
}

/** Nodes whose voxels do not meet may be the same up to this distance: necks bend, and an alignment is rigid. */
const mostDistanceMm = 10;

/**
 * Matches the nodes of two dates: by their overlap ({@link matchNodes}), then those that overlap less, then the nearest
 * within 10 mm, each to no more than one.
 *
 * @param first numbers of the nodes in each voxel
 * @param second those of the second date on the same grid, aligned
 * @param firstNodes measured; `secondNodes` with centroids in the first date's space
 */
export function followUp(
  first: Volume<IntegerVoxelArray>,
  second: Volume<IntegerVoxelArray>,
  firstNodes: readonly DatedNode[],
  secondNodes: readonly DatedNode[],
): FollowUp {
  const { overlaps } = overlapsOfNodes(first, second);
  const partnerOf = new Map<number, number>();
  const taken = new Set<number>();
  const pair = (truthId: number, predictionId: number) => {
    if (partnerOf.has(truthId) || taken.has(predictionId)) return;
    partnerOf.set(truthId, predictionId);
    taken.add(predictionId);
  };
  for (const { truthId, predictionId } of matchNodes(overlaps)) pair(truthId, predictionId);
  const byOverlap = [...overlaps].sort((p, q) => q.iou - p.iou);
  for (const { truthId, predictionId } of byOverlap) pair(truthId, predictionId);
  const distances = firstNodes
    .flatMap((a) => secondNodes.map((b) => ({ a: a.id, b: b.id, distance: distanceMm(a, b) })))
    .filter(({ distance }) => distance <= mostDistanceMm)
    .sort((p, q) => p.distance - q.distance);
  for (const { a, b } of distances) pair(a, b);
  const byId = new Map(secondNodes.map((node) => [node.id, node]));
  const followed = firstNodes.map((node) =>
    row(node, byId.get(partnerOf.get(node.id) ?? Number.NaN) ?? null),
  );
  const fresh = secondNodes.filter(({ id }) => !taken.has(id)).map((node) => row(null, node));
  const sums = (of: (node: DatedNode) => number) => ({
    first: firstNodes.reduce((sum, node) => sum + of(node), 0),
    second: secondNodes.reduce((sum, node) => sum + of(node), 0),
  });
  return {
    nodes: [...followed, ...fresh],
    sumOfShortAxesMm: sums(({ shortAxisMm }) => shortAxisMm),
    sumOfVolumesMl: sums(({ volumeMl }) => volumeMl),
  };
}

function row(first: DatedNode | null, second: DatedNode | null): FollowedNode {
  const change = (of: (node: DatedNode) => number) =>
    first === null || second === null ? null : of(second) - of(first);
  return {
    first,
    second,
    shortAxisChangeMm: change(({ shortAxisMm }) => shortAxisMm),
    volumeChangeMl: change(({ volumeMl }) => volumeMl),
  };
}

const distanceMm = (a: DatedNode, b: DatedNode): number =>
  Math.hypot(...a.centroidLpsMm.map((value, axis) => value - b.centroidLpsMm[axis]));
