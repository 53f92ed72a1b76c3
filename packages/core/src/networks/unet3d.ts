// The 3D U-Net (Çiçek 2016), with instance norm where the paper has batch norm: patches come one or two at a time.
import { z } from "zod";
import { instanceNorm } from "../graph/functions.js";
import type { Value } from "../graph/graph.js";
import { relu } from "../graph/operations/elementwise.js";
import { UNET_HEAD, type UnetLayers, unet } from "./blocks/unet.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { kaimingNormal } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** The defaults are the paper's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the encoder's stages, from full resolution down; the first convolution of a stage gives half of them. */
    stages: z.array(fields.channels.multipleOf(2)).min(2).max(8).readonly().default([64, 128, 256, 512]),
  })
  .readonly();

export type Unet3dConfiguration = z.infer<typeof schema>;

export const unet3dDefaults = schema.parse({});

export const unet3dNetwork = {
  title: "3D U-Net",
  schema,
  presets: { unet3d: unet3dDefaults },
  build: (image, configuration, builder) => ({ logits: unet3d(image, configuration, builder) }),
  divisor: ({ stages }) => cube(2 ** (stages.length - 1)),
  head: [UNET_HEAD],
} satisfies Network<Unet3dConfiguration>;

const layers: UnetLayers = {
  kernel: [3, 3, 3],
  step: [2, 2, 2],
  upsamplingBias: false,
  activation: (x) => relu(instanceNorm(x, null)),
  initialization: kaimingNormal(),
};

/** A transposed convolution keeps the channels; the skip has half as many. */
function unet3d(image: Value, { classes, stages }: Unet3dConfiguration, builder: NetworkBuilder): Value {
  const encoder = stages.map((channels) => [channels / 2, channels] as const);
  const decoder = stages.slice(0, -1).map((channels, stage) => ({ upsampled: stages[stage + 1], channels }));
  return unet(image, classes, { encoder, decoder }, layers, builder);
}
