// Worker thread: draws the samples of the steps it is asked for, in order, and hands their arrays over.
import { type MessagePort, workerData } from "node:worker_threads";
import { drawSample, type PreparedCase, type SamplerOptions } from "@lnsnet/core/training";

export interface BatchPlan {
  readonly cases: readonly PreparedCase[];
  readonly seed: number;
  /** Samples a step. Step k holds samples k·batchSize … (k + 1)·batchSize − 1. */
  readonly batchSize: number;
  readonly sampler: SamplerOptions;
}

/** What training takes a step: tensors [N, 1, D, H, W]; the image normalised, the label 0 or 1. */
export interface Batch {
  readonly image: Float32Array;
  readonly label: Float32Array;
}

export interface BatchMessage extends Batch {
  readonly step: number;
}

/** Samples of one step, of one plan: the same in every thread. */
export function drawBatch({ cases, seed, batchSize, sampler }: BatchPlan, step: number): Batch {
  const [depth, height, width] = sampler.patchSize;
  const voxels = depth * height * width;
  const batch = { image: new Float32Array(batchSize * voxels), label: new Float32Array(batchSize * voxels) };
  for (let n = 0; n < batchSize; n++) {
    const range = [n * voxels, (n + 1) * voxels] as const;
    const into = { image: batch.image.subarray(...range), label: batch.label.subarray(...range) };
    drawSample(seed, step * batchSize + n, cases, sampler, into);
  }
  return batch;
}

const given: unknown = workerData;
if (given !== null && typeof given === "object" && "batchPort" in given && "plan" in given) {
  const { batchPort: port, plan } = given as { batchPort: MessagePort; plan: BatchPlan };
  port.on("message", (step: number) => {
    const batch = drawBatch(plan, step);
    const message: BatchMessage = { step, ...batch };
    port.postMessage(message, [batch.image.buffer as ArrayBuffer, batch.label.buffer as ArrayBuffer]);
  });
}
