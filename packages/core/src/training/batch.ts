// The batches of a training run by their number, so that a run can be resumed at any step.
import { inputChannels } from "../transforms/intensity.js";
import { labelSchemeOf, logitChannels } from "../transforms/label-scheme.js";
import { drawClickSample } from "./click-sampler.js";
import { drawSample, type PreparedCase, type SamplerOptions } from "./sampler.js";
import type { TrainingBatch } from "./trainer.js";

/** Everything that a run's batches depend on. */
export interface BatchPlan {
  readonly cases: readonly PreparedCase[];
  readonly seed: number;
  /** Samples in a batch. Batch k holds samples k·batchSize … (k + 1)·batchSize − 1. */
  readonly batchSize: number;
  readonly sampler: SamplerOptions;
}

/** Where a training takes its batches from. */
export interface BatchSource {
  /** Batch number `index` of the run, counted from 0: the same whenever it is requested. They are requested in order. */
  next(index: number): Promise<TrainingBatch>;
}

/**
 * Batch number `index`: images [N, C, D, H, W] and labels [N, K, D, H, W], as {@link drawSample} makes them, or
 * {@link drawClickSample} for a promptable network.
 */
export function drawBatch({ cases, seed, batchSize, sampler }: BatchPlan, index: number): TrainingBatch {
  const [depth, height, width] = sampler.patchSize;
  const voxels = depth * height * width;
  const channels = { image: inputChannels(sampler), label: logitChannels(labelSchemeOf(sampler)) };
  const batch = {
    image: new Float32Array(batchSize * channels.image * voxels),
    label: new Float32Array(batchSize * channels.label * voxels),
  };
  const draw = sampler.clickMaps === undefined ? drawSample : drawClickSample;
  for (let n = 0; n < batchSize; n++) {
    const partOf = (name: "image" | "label") =>
      batch[name].subarray(n * channels[name] * voxels, (n + 1) * channels[name] * voxels);
    const into = { image: partOf("image"), label: partOf("label") };
    draw(seed, index * batchSize + n, cases, sampler, into);
  }
  return batch;
}
