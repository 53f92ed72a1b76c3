// The 3D Partial U-Net (github.com/cii030/3D-Partial-U-Net), a compared network; parameters have its authors' names.
import { z } from "zod";
import { instanceNorm } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add, leakyRelu } from "../graph/operations/elementwise.js";
import {
  convolutionLayer,
  partialConvolutionLayer,
  pointwiseLayer,
  transposedConvolutionLayer,
} from "./blocks/layers.js";
import { batchNormLayer } from "./blocks/normalization.js";
import { down, type Resampling, up } from "./blocks/resampling.js";
import { stochasticDepth } from "./blocks/stochastic-depth.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { cube, type Network } from "./network.js";

/** The defaults are the authors'. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the four stages, from full resolution down; each stage halves D, H, W. */
    stages: z
      .tuple([fields.channels, fields.channels, fields.channels, fields.channels])
      .readonly()
      .default([32, 64, 128, 256]),
    /** Rate of stochastic depth (Huang 2016), the same in every block; per sample. */
    dropPath: fields.dropRate.default(0.2),
  })
  .readonly();

export type PartialUnetConfiguration = z.infer<typeof schema>;

export const partialUnetDefaults = schema.parse({});

export const partialUnetNetwork = {
  title: "3D Partial U-Net",
  schema,
  presets: { "partial-unet": partialUnetDefaults },
  build: (image, configuration, builder) => ({ logits: partialUnet(image, configuration, builder) }),
  divisor: ({ stages }) => cube(2 ** (stages.length - 1)),
  head: ["br"],
} satisfies Network<PartialUnetConfiguration>;

/** Channels between the two point-wise convolutions of a block, as a multiple. */
const EXPANSION = 4;
/** A partial convolution is over one of this many parts of the channels. */
const PARTS = 4;

/**
 * Builds the network on `image` [N, inputs, D, H, W].
 * @returns logits [N, classes, D, H, W].
 */
export function partialUnet(
  image: Value,
  { classes, stages, dropPath }: PartialUnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const pair = (x: Value): Value =>
    ["conv1", "conv2"].reduce((y, name) => within(name, () => partialUnetBlock(y, dropPath, builder)), x);
  const pairs = (x: Value, count: number): Value =>
    Array.from({ length: count }).reduce<Value>((y, _, index) => within(`${index}`, () => pair(y)), x);
  const descend = (name: string, x: Value, channels: number): Value =>
    within(name, () => partialUnetDown(x, channels, builder));
  const ascend = (step: number, x: Value, skip: Value): Value => {
    const upsampled = within(`up${step}`, () => partialUnetUp(x, skip.shape[1], builder));
    return within(`decoder${step}`, () => pair(add(upsampled, skip)));
  };

  const [first, second, third, fourth] = stages;
  const entered = within("stem", () => pointwiseLayer(image, first, builder));
  const skip1 = within("encoder1", () => pair(entered));
  const down1 = descend("down1", skip1, second);
  const skip2 = within("encoder2", () => pairs(down1, 2));
  const down2 = descend("down2", skip2, third);
  const skip3 = within("encoder3", () => pairs(down2, 2));
  const down3 = descend("down3", skip3, fourth);
  const deepest = within("bottleneck", () => pairs(down3, 4));
  const features = ascend(3, ascend(2, ascend(1, deepest, skip3), skip2), skip1);
  return within("br", () => partialUnetHead(features, classes, builder));
}

/** x + DropPath(PW₂(LeakyReLU(PW₁(InstanceNorm(PConv(x)))))), the point-wise convolutions of each channel alone. */
export function partialUnetBlock(x: Value, dropRate: number, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const mixed = within("partialconv", () =>
    within("partial_conv3", () => partialConvolutionLayer(x, Math.floor(channels / PARTS), 3, builder)),
  );
  const expanded = within("pwconv1", () =>
    pointwiseLayer(instanceNorm(mixed, null), EXPANSION * channels, builder, { groups: channels }),
  );
  const branch = within("pwconv2", () =>
    pointwiseLayer(leakyRelu(expanded), channels, builder, { groups: channels }),
  );
  return add(x, stochasticDepth(branch, dropRate, builder));
}

const resampling: Resampling = { norm: batchNormLayer, names: { norm: "0", convolution: "1" } };

/** Batch norm and a 2×2×2 convolution of stride 2. */
export const partialUnetDown = (x: Value, channels: number, builder: NetworkBuilder): Value =>
  within("downsample_layer", () => down(x, channels, builder, resampling));

/** Batch norm and a 2×2×2 transposed convolution of stride 2. */
export const partialUnetUp = (x: Value, channels: number, builder: NetworkBuilder): Value =>
  within("upsample_layer", () => up(x, channels, builder, resampling));

/** Logits by a 3×3×3 transposed convolution of stride 1, and what sharpens them: logits + PW(LeakyReLU(BatchNorm(DW 7×7×7(PW(logits))))), each class alone. */
export function partialUnetHead(x: Value, classes: number, builder: NetworkBuilder): Value {
  const inner = EXPANSION * classes;
  const logits = within("transposeconv1", () =>
    transposedConvolutionLayer(x, classes, builder, { kernel: 3, stride: 1 }),
  );
  const widened = within("pwconv1", () => pointwiseLayer(logits, inner, builder, { groups: classes }));
  const filtered = within("dwconv", () =>
    convolutionLayer(widened, inner, builder, { kernel: 7, groups: inner }),
  );
  const active = leakyRelu(within("norm", () => batchNormLayer(filtered, builder)));
  return add(
    logits,
    within("pwconv2", () => pointwiseLayer(active, classes, builder, { groups: classes })),
  );
}
