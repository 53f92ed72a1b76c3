// Checks, before anything is computed, that there is enough memory to segment a scan.
import os from "node:os";
import { InputError } from "@lnsnet/core/errors";
import type { Model } from "@lnsnet/core/models";
import { channelsOf, labelSchemeOf, logitChannels } from "@lnsnet/core/transforms";
import { type Volume, voxelVolumeMm3 } from "@lnsnet/core/volume";

/** Bytes a voxel of the working grid: two a channel, the weights, and for each class the sum; for an ensemble, of squares too. */
const workingBytes = (channels: number, classes: number, members: number): number =>
  2 * channels + 4 + classes * (members > 1 ? 8 : 4);
/** What one LNSNet holds while it runs, measured; smaller networks hold less. */
const runtimeBytes = 0.9e9;

/** Bytes that a process may still take. */
function bytesLeft(): number {
  return Math.min(os.freemem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);
}

/**
 * @param path named in the error
 * @param left bytes that may be taken
 * @throws InputError where that is less than what will be needed
 */
export function requireMemory(
  path: string,
  scan: Volume,
  models: readonly Model[],
  left = bytesLeft(),
): void {
  const needed = neededBytes(scan, models);
  if (needed <= left) return;
  const gigabytes = (bytes: number) => (bytes / 1e9).toFixed(1);
  throw new InputError(
    `${path} has ${scan.size.join("×")} voxels and needs about ${gigabytes(needed)} GB beside itself, and ${gigabytes(left)} GB are free; close other programs, crop the scan, or use a machine with more memory.`,
  );
}

/** On the scan's grid: the numbers of the nodes (two bytes), the mask, and its file. Then the working grid, and the networks. */
function neededBytes(scan: Volume, models: readonly Model[]): number {
  const { plan } = models[0];
  const workingVoxelMm3 = plan.spacingMm[0] * plan.spacingMm[1] * plan.spacingMm[2];
  const workingVoxels = (scan.data.length * voxelVolumeMm3(scan)) / workingVoxelMm3;
  if (plan.nnunet !== undefined) {
    // The scan's channels as float32, twice while they are resampled; then logits on both grids, and probabilities.
    const [channels, logits] = [channelsOf(plan).length, logitChannels(labelSchemeOf(plan))];
    const working = 4 * (channels + 1 + logits) * workingVoxels;
    return (4 + 8 * channels + 8 * logits) * scan.data.length + working + models.length * runtimeBytes;
  }
  const bytes = workingBytes(channelsOf(plan).length, labelSchemeOf(plan).classes.length, models.length);
  return 4 * scan.data.length + bytes * workingVoxels + models.length * runtimeBytes;
}
