// MONAI's BasicUNet: a U-Net after Falk (Nature Methods 2019) with instance norm and Leaky ReLU.
import { z } from "zod";
import { type Value, within } from "../graph/graph.js";
import { leakyRelu } from "../graph/operations/elementwise.js";
import { instanceNormLayer } from "./blocks/normalization.js";
import { UNET_HEAD, type UnetLayers, unet } from "./blocks/unet.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault } from "./initialization.js";
import { cube, type Network } from "./network.js";

const even = fields.channels.multipleOf(2);

/** The defaults are MONAI's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the encoder's stages, from full resolution down. */
    stages: z
      .tuple([fields.channels, fields.channels, even, even, even])
      .readonly()
      .default([32, 32, 64, 128, 256]),
    /** Channels of the last decoder stage, which the head reads. */
    last: fields.channels.default(32),
  })
  .readonly();

export type BasicUnetConfiguration = z.infer<typeof schema>;

export const basicUnetDefaults = schema.parse({});

export const basicUnetNetwork = {
  title: "BasicUNet (MONAI)",
  schema,
  presets: { "basic-unet": basicUnetDefaults },
  build: (image, configuration, builder) => ({ logits: basicUnet(image, configuration, builder) }),
  divisor: ({ stages }) => cube(2 ** (stages.length - 1)),
  head: [UNET_HEAD],
} satisfies Network<BasicUnetConfiguration>;

const SLOPE = 0.1;

const layers: UnetLayers = {
  kernel: [3, 3, 3],
  step: [2, 2, 2],
  upsamplingBias: true,
  activation: (x, builder) =>
    leakyRelu(
      within("adn.N", () => instanceNormLayer(x, builder)),
      SLOPE,
    ),
  initialization: pytorchDefault,
};

/** A transposed convolution halves the channels, but the last one keeps them. */
function basicUnet(
  image: Value,
  { classes, stages: [full, half, quarter, eighth, sixteenth], last }: BasicUnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const encoder = [full, half, quarter, eighth, sixteenth].map((channels) => [channels, channels] as const);
  const decoder = [
    { upsampled: half, channels: last },
    { upsampled: quarter / 2, channels: half },
    { upsampled: eighth / 2, channels: quarter },
    { upsampled: sixteenth / 2, channels: eighth },
  ];
  return unet(image, classes, { encoder, decoder }, layers, builder);
}
