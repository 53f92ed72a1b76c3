// Segments scans with a trained model: prepares, predicts, and brings the mask back to the scan's own grid.
import { fileURLToPath } from "node:url";
import {
  inferenceModel,
  measureNodes,
  type NodeMeasurement,
  predictProbability,
  prepareImage,
  removeSmallComponents,
  restoreMask,
  type Volume,
  voxelVolumeMm3,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import type { Model } from "./model.js";

/** The model that ships with the package, trained on the phantom. */
export const shippedModelPath = fileURLToPath(new URL("../models/phantom.safetensors", import.meta.url));

export interface SegmentationOptions {
  readonly threads: number;
  /** Share of a patch that its neighbour covers again. */
  readonly overlap: number;
  /** Bodies below this volume are left out. */
  readonly minimumVolumeMl: number;
  readonly signal?: AbortSignal;
}

export interface Segmentation {
  /** 0 or 1, on the scan's own grid. */
  readonly mask: Volume<Uint8Array>;
  /** Connected bodies, the largest first. */
  readonly nodes: readonly NodeMeasurement[];
}

/** A model ready to segment scans. Release it when done. */
export interface Segmenter {
  segment(scan: Volume, onPatch?: (done: number, total: number) => void): Promise<Segmentation>;
  release(): Promise<void>;
}

const THRESHOLD = 0.5;

export async function createSegmenter(
  { plan, weights }: Model,
  options: SegmentationOptions,
): Promise<Segmenter> {
  const model = inferenceModel(
    plan.network,
    [1, plan.network.configuration.inputs, ...plan.patchSize],
    weights,
  );
  const session = await nodeRuntime.createSession(model, { threads: options.threads });
  return {
    async segment(scan, onPatch) {
      const probability = await predictProbability(prepareImage(scan, plan.spacingMm, plan.window), session, {
        ...plan,
        overlap: options.overlap,
        ...(onPatch ? { onPatch } : {}),
        ...(options.signal ? { signal: options.signal } : {}),
      });
      const whole = restoreMask(probability, scan, THRESHOLD);
      const minimumVoxels = Math.ceil((options.minimumVolumeMl * 1000) / voxelVolumeMm3(scan));
      const mask =
        minimumVoxels > 1
          ? { ...whole, data: removeSmallComponents(whole.data, whole.size, minimumVoxels, 26) }
          : whole;
      return { mask, nodes: measureNodes(mask, scan) };
    },
    release: () => session.release(),
  };
}
