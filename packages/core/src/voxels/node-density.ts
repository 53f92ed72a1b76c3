// The density of a node: its mean HU and its share of bone and air, and which of both a lymph node can have.
import type { VoxelArray } from "../volume/volume.js";
import type { VoxelRuns } from "./components.js";

/**
 * Mean HU from a necrotic or fatty node to a strongly enhancing node. Enhanced vessels, bone, teeth and fatty glands lie
 * outside.
 */
export const nodeHu = { low: -40, high: 160 } as const;

/** Halfway from air (−1000 HU) to soft tissue. */
export const airBelowHu = -500;

/**
 * A voxel of at least this is bone, tooth, metal, calcium or a vessel full of contrast medium. Spongy bone begins here
 * (300 to 400 HU), and it is 140 HU above the densest node: nearly three times the noise (SD 50 HU) of a slice through
 * the shoulders.
 */
export const boneFromHu = 300;

/** A lymph node has at most this share of bone and air together. At its edge, voxels may take in some of either. */
export const mostBoneOrAir = 0.1;

/** The density of a node; null without a scan. */
export interface NodeDensity {
  /** Mean HU of the node's voxels. */
  readonly huMean: number | null;
  /** Standard deviation of the HU of the node's voxels (divided by their number). */
  readonly huSd: number | null;
  /** Share of the node's voxels, 0 … 1, that are bone ({@link boneFromHu}) or air ({@link airBelowHu}). */
  readonly boneOrAirShare: number | null;
}

/**
 * The density of the voxels of some runs, of which there is at least one.
 *
 * @param hu - on the grid that the runs point into
 */
export function densityOf({ starts, ends }: VoxelRuns, hu: VoxelArray): NodeDensity {
  const meanOf = (term: (value: number) => number): number => {
    let [sum, voxels] = [0, 0];
    for (let run = 0; run < starts.length; run++) {
      for (let at = starts[run]; at < ends[run]; at++) sum += term(hu[at]);
      voxels += ends[run] - starts[run];
    }
    return sum / voxels;
  };
  const huMean = meanOf((value) => value);
  return {
    huMean,
    huSd: Math.sqrt(meanOf((value) => (value - huMean) ** 2)),
    boneOrAirShare: meanOf((value) => (value >= boneFromHu || value < airBelowHu ? 1 : 0)),
  };
}

/** Whether a lymph node may have this density; true if it is not known. */
export function isNodeDensity({ huMean, boneOrAirShare }: Omit<NodeDensity, "huSd">): boolean {
  const hasNodeHu = huMean === null || (huMean >= nodeHu.low && huMean <= nodeHu.high);
  return hasNodeHu && (boneOrAirShare === null || boneOrAirShare <= mostBoneOrAir);
}
