// Whether a scan can be segmented in the memory that is left, asked before anything is computed.
import os from "node:os";
import { InputError, type Volume, voxelVolumeMm3 } from "@lnsnet/core";
import type { StoredModel } from "../model.js";

/** Bytes a voxel of the working grid: HU, sum and weight; the sum of squares too for an ensemble. */
const workingBytes = (members: number): number => (members > 1 ? 14 : 10);
/** What one network holds while it runs, in multiples of its largest tensors: measured as 0.9 GB for LNSNet. */
const runtimeBytes = 0.9e9;

/**
 * @param path named in the error
 * @throws InputError where the memory that is left is less than what will be needed
 */
export function requireMemory(path: string, scan: Volume, models: readonly StoredModel[]): void {
  const needed = neededBytes(scan, models);
  const left = Math.min(os.freemem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
  if (needed <= left) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new InputError(
    `${path} has ${scan.size.join("×")} voxels and needs about ${gigabytes(needed)} GB beside itself, and ${gigabytes(left)} GB are left; close other programs, crop the scan, or use a machine with more memory.`,
  );
}

/** Masks of the scan's grid (the mask, its copy, the numbers), the working grid, and the networks. */
function neededBytes(scan: Volume, models: readonly StoredModel[]): number {
  const { plan } = models[0];
  const workingVoxelMm3 = plan.spacingMm[0] * plan.spacingMm[1] * plan.spacingMm[2];
  const workingVoxels = (scan.data.length * voxelVolumeMm3(scan)) / workingVoxelMm3;
  return 3 * scan.data.length + workingBytes(models.length) * workingVoxels + models.length * runtimeBytes;
}
