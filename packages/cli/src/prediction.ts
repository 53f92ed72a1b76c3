// Segments scans with a trained model: prepares, predicts, and brings the mask back to the scan's own grid.
import { fileURLToPath } from "node:url";
import {
  type Geometry,
  inferenceModel,
  measureNodes,
  type NodeMeasurement,
  type Prepared,
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

export interface PredictionOptions {
  readonly threads: number;
  /** Share of a patch that its neighbour covers again. */
  readonly overlap: number;
  readonly signal?: AbortSignal;
}

export interface SegmentationOptions extends PredictionOptions {
  /** Bodies below this volume are left out. */
  readonly minimumVolumeMl: number;
}

export interface Segmentation {
  /** 0 or 1, on the scan's own grid. */
  readonly mask: Volume<Uint8Array>;
  /** Connected bodies, the largest first. */
  readonly nodes: readonly NodeMeasurement[];
}

export type OnPatch = (done: number, total: number) => void;

/** A model ready to segment scans. Release it when done. */
export interface Segmenter {
  segment(scan: Volume, onPatch?: OnPatch): Promise<Segmentation>;
  release(): Promise<void>;
}

/** A model ready to predict on scans that are prepared as its plan says. Release it when done. */
export interface Predictor {
  /** Foreground probability on the prepared grid. */
  probability(prepared: Prepared, onPatch?: OnPatch): Promise<Volume<Float32Array>>;
  release(): Promise<void>;
}

/** From this probability on a voxel is foreground. */
export const FOREGROUND_THRESHOLD = 0.5;

export async function createSegmenter(model: Model, options: SegmentationOptions): Promise<Segmenter> {
  const predictor = await createPredictor(model, options);
  const { spacingMm, window } = model.plan;
  return {
    async segment(scan, onPatch) {
      const probability = await predictor.probability(prepareImage(scan, spacingMm, window), onPatch);
      const mask = predictedMask(probability, scan, options.minimumVolumeMl);
      return { mask, nodes: measureNodes(mask, scan) };
    },
    release: () => predictor.release(),
  };
}

export async function createPredictor(
  { plan, weights }: Model,
  { threads, overlap, signal }: PredictionOptions,
): Promise<Predictor> {
  const model = inferenceModel(
    plan.network,
    [1, plan.network.configuration.inputs, ...plan.patchSize],
    weights,
  );
  const session = await nodeRuntime.createSession(model, { threads });
  return {
    probability: (prepared, onPatch) =>
      predictProbability(prepared, session, {
        ...plan,
        overlap,
        ...(onPatch ? { onPatch } : {}),
        ...(signal ? { signal } : {}),
      }),
    release: () => session.release(),
  };
}

/** The mask of a probability on the scan's own grid, without bodies below the least volume. */
export function predictedMask(
  probability: Volume<Float32Array>,
  scan: Geometry,
  minimumVolumeMl: number,
  threshold = FOREGROUND_THRESHOLD,
): Volume<Uint8Array> {
  const whole = restoreMask(probability, scan, threshold);
  const minimumVoxels = Math.ceil((minimumVolumeMl * 1000) / voxelVolumeMm3(scan));
  return minimumVoxels > 1
    ? { ...whole, data: removeSmallComponents(whole.data, whole.size, minimumVoxels, 26) }
    : whole;
}
