// The batches of a training run by their number, so that a run resumes anywhere.
import { drawSample, type PreparedCase, type SamplerOptions } from "./sampler.js";
import type { TrainingBatch } from "./trainer.js";

/** All that a run's batches depend on. */
export interface BatchPlan {
  readonly cases: readonly PreparedCase[];
  readonly seed: number;
  /** Samples a batch. Batch k holds samples k·batchSize … (k + 1)·batchSize − 1. */
  readonly batchSize: number;
  readonly sampler: SamplerOptions;
}

/** Where a training takes its batches from. */
export interface BatchSource {
  /** Batch number `index` of the run, counted from 0: the same whenever it is asked for. They are asked for in order. */
  next(index: number): Promise<TrainingBatch>;
}

/** Batch number `index`: tensors [N, 1, D, H, W]; the image normalised, the label 0 or 1. */
export function drawBatch({ cases, seed, batchSize, sampler }: BatchPlan, index: number): TrainingBatch {
  const [depth, height, width] = sampler.patchSize;
  const voxels = depth * height * width;
  const batch = { image: new Float32Array(batchSize * voxels), label: new Float32Array(batchSize * voxels) };
  for (let n = 0; n < batchSize; n++) {
    const range = [n * voxels, (n + 1) * voxels] as const;
    const into = { image: batch.image.subarray(...range), label: batch.label.subarray(...range) };
    drawSample(seed, index * batchSize + n, cases, sampler, into);
  }
  return batch;
}
