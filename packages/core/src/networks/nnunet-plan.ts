// What nnU-Net's plan says of a U-Net, for its plain and its residual encoder.
import { z } from "zod";
import * as fields from "./fields.js";

/** Fields of the configuration. The defaults are a plan of five stages for small patches with equal spacing. */
export const nnunetPlan = {
  ...fields.common,
  /** Channels of each stage. */
  stages: z.array(fields.channels).min(2).max(8).readonly().default([32, 64, 128, 256, 320]),
  /** What each stage but the first divides depth, height and width by. */
  strides: z
    .array(fields.stride)
    .readonly()
    .default([
      [2, 2, 2],
      [2, 2, 2],
      [2, 2, 2],
      [2, 2, 2],
    ]),
  /** Whether training compares coarser logits with the label too: those of every decoder stage but the deepest. */
  deepSupervision: z.boolean().default(true),
};

interface Stages {
  readonly stages: readonly unknown[];
  readonly strides: readonly unknown[];
}

export const hasStrideForEachStage = ({ stages, strides }: Stages): boolean =>
  strides.length === stages.length - 1;

export const strideForEachStage = {
  path: ["strides"],
  message: "there must be one for each stage but the first",
};
