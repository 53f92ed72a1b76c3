// nnU-Net's U-Net with a residual encoder (Isensee 2024); parameters have the names of its dynamic-network-architectures.
import { z } from "zod";
import { instanceNorm } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add, leakyRelu } from "../graph/operations/elementwise.js";
import { concat } from "../graph/operations/layout.js";
import { averagePool } from "../graph/operations/pooling.js";
import type { Shape } from "../graph/shape.js";
import {
  type ConvolutionLayer,
  convolutionLayer,
  pointwiseLayer,
  transposedConvolutionLayer,
} from "./blocks/layers.js";
import { instanceNormLayer, type NormLayer } from "./blocks/normalization.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { kaimingNormal } from "./initialization.js";
import { cube, type Network, type NetworkOutputs, productOf } from "./network.js";
import { kernelOf, nnunetPlan, requireEachStage } from "./nnunet-plan.js";

/** The defaults are nnU-Net's plan of a patch of 64³ voxels with equal spacing: five stages. */
const schema = z
  .strictObject({
    ...nnunetPlan,
    /** Residual blocks of each encoder stage. */
    blocks: z.array(fields.repeats.min(1)).readonly().default([1, 3, 4, 6, 6]),
  })
  .refine(({ stages, blocks }) => blocks.length === stages.length, {
    path: ["blocks"],
    message: "there must be one number for each stage",
  })
  .superRefine((configuration, context) =>
    requireEachStage(configuration, (issue) => context.addIssue(issue)),
  )
  .readonly();

export type NnunetResencConfiguration = z.infer<typeof schema>;

export const nnunetResencDefaults = schema.parse({});

export const nnunetResencNetwork = {
  title: "nnU-Net (residual encoder)",
  schema,
  presets: { "nnunet-resenc-m": nnunetResencDefaults },
  build: nnunetResenc,
  divisor: ({ strides }) => productOf(strides),
  head: ["decoder.seg_layers"],
} satisfies Network<NnunetResencConfiguration>;

/** He's rule for the slope of Leaky ReLU, as nnU-Net's. */
const initialization = kaimingNormal(0.01);

function nnunetResenc(
  image: Value,
  {
    stages,
    blocks,
    strides,
    kernels,
    decoderConvolutions,
    classes,
    deepSupervision,
  }: NnunetResencConfiguration,
  builder: NetworkBuilder,
): NetworkOutputs {
  let x = within("encoder.stem.convs.0", () =>
    leakyRelu(normalizedConvolution(image, stages[0], builder, { kernel: kernelOf(kernels, 0) })),
  );
  const skips = stages.map((channels, stage) => {
    for (let block = 0; block < blocks[stage]; block++) {
      const stride = stage > 0 && block === 0 ? strides[stage - 1] : UNSTRIDED;
      x = within(`encoder.stages.${stage}.blocks.${block}`, () =>
        nnunetResencBlock(x, channels, stride, builder, kernelOf(kernels, stage)),
      );
    }
    return x;
  });

  const steps = strides.length;
  const isSupervised = (step: number): boolean => deepSupervision || step === steps - 1;
  /** Logits of the decoder's stages, from full resolution down. */
  const logits: Value[] = [];
  for (let step = 0; step < steps; step++) {
    const stage = steps - 1 - step;
    const upsampled = within(`decoder.transpconvs.${step}`, () =>
      transposedConvolutionLayer(x, stages[stage], builder, {
        kernel: strides[stage],
        stride: strides[stage],
        initialization,
      }),
    );
    x = concat([upsampled, skips[stage]], 1);
    for (let index = 0; index < (decoderConvolutions?.[step] ?? 1); index++)
      x = within(`decoder.stages.${step}.convs.${index}`, () =>
        leakyRelu(normalizedConvolution(x, stages[stage], builder, { kernel: kernelOf(kernels, stage) })),
      );
    if (isSupervised(step))
      logits.unshift(
        within(`decoder.seg_layers.${step}`, () => pointwiseLayer(x, classes, builder, { initialization })),
      );
  }
  // As in nnU-Net, the deepest stage has a head whose logits have no weight in the loss.
  return { logits: logits[0], coarserLogits: logits.slice(1, -1) };
}

const UNSTRIDED = [1, 1, 1] as const;

/** A convolution and its instance norm. */
function normalizedConvolution(
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  { norm = instanceNormLayer, ...options }: ConvolutionLayer & { readonly norm?: NormLayer } = {},
): Value {
  const convolved = within("conv", () =>
    convolutionLayer(x, channels, builder, { ...options, initialization }),
  );
  return within("norm", () => norm(convolved, builder));
}

/** Zero at first: a block begins as its shortcut. */
const silentInstanceNorm: NormLayer = (x, builder) => {
  const zeros = (name: string): Value =>
    builder.parameter(name, [x.shape[1]], { kind: "constant", value: 0 });
  return instanceNorm(x, { weight: zeros("weight"), bias: zeros("bias") });
};

/** LeakyReLU(shortcut + norm(convolution(LeakyReLU(norm(convolution(x)))))); the shortcut takes means, and widens by a point-wise convolution (ResNet-D, He 2019). */
export function nnunetResencBlock(
  x: Value,
  channels: number,
  stride: Shape,
  builder: NetworkBuilder,
  kernel: Shape = cube(3),
): Value {
  const first = leakyRelu(
    within("conv1", () => normalizedConvolution(x, channels, builder, { kernel, stride })),
  );
  const second = within("conv2", () =>
    normalizedConvolution(first, channels, builder, { kernel, norm: silentInstanceNorm }),
  );
  return leakyRelu(add(shortcutOf(x, channels, stride, builder), second));
}

function shortcutOf(x: Value, channels: number, stride: Shape, builder: NetworkBuilder): Value {
  const isStrided = stride.some((step) => step > 1);
  const pooled = isStrided ? averagePool(x, stride) : x;
  if (x.shape[1] === channels) return pooled;
  return within(`skip.${isStrided ? 1 : 0}`, () =>
    normalizedConvolution(pooled, channels, builder, { kernel: 1, bias: false }),
  );
}
