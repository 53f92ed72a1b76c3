// Normalisations with scale and shift of their own, named `weight` and `bias` in the scope where they stand.
import {
  batchNormInference,
  batchNormTraining,
  channelLayerNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
} from "../../graph/functions.js";
import type { Value } from "../../graph/graph.js";
import type { NetworkBuilder } from "../builder.js";

/** A layer that normalises x [N, C, …space]. */
export type NormLayer = (x: Value, builder: NetworkBuilder) => Value;

export const instanceNormLayer: NormLayer = (x, builder) => instanceNorm(x, builder.affine(x.shape[1]));

/** Over the channels of each voxel. */
export const channelLayerNormLayer =
  (epsilon: number): NormLayer =>
  (x, builder) =>
    channelLayerNorm(x, builder.affine(x.shape[1]), epsilon);

export const groupNormLayer =
  (groups: number): NormLayer =>
  (x, builder) =>
    groupNorm(x, groups, builder.affine(x.shape[1]));

/** Over the last axis of tokens [..., C]. */
export const layerNormLayer: NormLayer = (x, builder) =>
  layerNorm(x, builder.affine(x.shape[x.shape.length - 1]));

/** By the batch in training, which moves the running statistics, and by those in inference. */
export const batchNormLayer: NormLayer = (x, builder) => {
  const channels = x.shape[1];
  const affine = builder.affine(channels);
  const mean = builder.buffer("running_mean", [channels], 0);
  const variance = builder.buffer("running_var", [channels], 1);
  const running = { mean: mean.value, variance: variance.value };
  if (!builder.training) return batchNormInference(x, affine, running);
  const { y, runningMean, runningVariance } = batchNormTraining(x, affine, running);
  mean.next = runningMean;
  variance.next = runningVariance;
  return y;
};
