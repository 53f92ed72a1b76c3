// The U-Net (Ronneberger 2015) on each slice by itself, with padded convolutions, so that logits have the image's size.
import { z } from "zod";
import type { Value } from "../graph/graph.js";
import { relu } from "../graph/operations/elementwise.js";
import { UNET_HEAD, type UnetLayers, unet } from "./blocks/unet.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { kaimingNormal } from "./initialization.js";
import type { Network, Size3 } from "./network.js";

/** The defaults are the paper's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the encoder's stages, from full resolution down. */
    stages: z.array(fields.channels).min(2).max(8).readonly().default([64, 128, 256, 512, 1024]),
  })
  .readonly();

export type Unet2dConfiguration = z.infer<typeof schema>;

export const unet2dDefaults = schema.parse({});

export const unet2dNetwork = {
  title: "2D U-Net (slice-wise)",
  schema,
  presets: { unet2d: unet2dDefaults },
  build: (image, configuration, builder) => ({ logits: unet2d(image, configuration, builder) }),
  divisor: ({ stages }): Size3 => {
    const edge = 2 ** (stages.length - 1);
    return [1, edge, edge];
  },
  head: [UNET_HEAD],
} satisfies Network<Unet2dConfiguration>;

/** As in the paper there is no norm; a norm over the whole patch would also let slices see each other. */
const layers: UnetLayers = {
  kernel: [1, 3, 3],
  step: [1, 2, 2],
  upsamplingBias: true,
  activation: relu,
  initialization: kaimingNormal(),
};

/** A transposed convolution gives as many channels as the skip has. */
function unet2d(image: Value, { classes, stages }: Unet2dConfiguration, builder: NetworkBuilder): Value {
  const encoder = stages.map((channels) => [channels, channels] as const);
  const decoder = stages.slice(0, -1).map((channels) => ({ upsampled: channels, channels }));
  return unet(image, classes, { encoder, decoder }, layers, builder);
}
