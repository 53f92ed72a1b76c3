// What nnU-Net's plan says of a U-Net, for its plain and its residual encoder.
import { z } from "zod";
import * as fields from "./fields.js";
import { cube, type Size3 } from "./network.js";

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
  /** Edges of the kernels along depth, height and width in each stage; 3 everywhere by default. */
  kernels: z.array(fields.oddKernels).readonly().optional(),
  /** Convolutions of each decoder stage, from the deepest up; what the network's figure shows by default. */
  decoderConvolutions: z.array(fields.repeats.min(1)).readonly().optional(),
  /** Whether training compares coarser logits with the label too: those of every decoder stage but the deepest. */
  deepSupervision: z.boolean().default(true),
};

interface Stages {
  readonly stages: readonly unknown[];
  readonly strides: readonly unknown[];
  readonly kernels?: readonly unknown[] | undefined;
  readonly decoderConvolutions?: readonly unknown[] | undefined;
}

/** Refuses lists of other lengths than there are stages, or steps between them. */
export function requireEachStage(
  { stages, strides, kernels, decoderConvolutions }: Stages,
  refuse: (issue: { code: "custom"; path: string[]; message: string }) => void,
): void {
  const steps = stages.length - 1;
  const lists = {
    strides: [strides, steps],
    kernels: [kernels, stages.length],
    decoderConvolutions: [decoderConvolutions, steps],
  } as const;
  for (const [name, [list, length]] of Object.entries(lists))
    if (list !== undefined && list.length !== length)
      refuse({
        code: "custom",
        path: [name],
        message: `there must be one for each stage${length === steps ? " but the first" : ""}`,
      });
}

/** The kernel of a stage. */
export const kernelOf = (kernels: readonly Size3[] | undefined, stage: number): Size3 =>
  kernels?.[stage] ?? cube(3);
