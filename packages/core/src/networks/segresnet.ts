// SegResNet (Myronenko 2018), without its autoencoder, as MONAI builds it and names its parameters.
import { z } from "zod";
import { upsampleLinear } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add, relu } from "../graph/operations/elementwise.js";
import { convolutionLayer, pointwiseLayer } from "./blocks/layers.js";
import { groupNormLayer } from "./blocks/normalization.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** The defaults are MONAI's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels at full resolution, which the groups divide; each stage has twice as many. */
    features: fields.channels.default(8),
    /** Groups of the group norms. */
    groups: fields.multiple.default(8),
    /** Residual blocks of each encoder stage. */
    down: z.array(fields.repeats).min(1).max(8).readonly().default([1, 2, 2, 4]),
    /** Residual blocks of each decoder stage, from the deepest up. */
    up: z.array(fields.repeats).readonly().default([1, 1, 1]),
  })
  .refine(({ features, groups }) => features % groups === 0, {
    path: ["features"],
    message: "the groups do not divide them",
  })
  .refine(({ down, up }) => up.length === down.length - 1, {
    path: ["up"],
    message: "there must be one decoder stage fewer than encoder stages",
  })
  .readonly();

export type SegresnetConfiguration = z.infer<typeof schema>;

export const segresnetDefaults = schema.parse({});

export const segresnetNetwork = {
  title: "SegResNet",
  schema,
  presets: { segresnet: segresnetDefaults, "segresnet-16": { ...segresnetDefaults, features: 16 } },
  build: (image, configuration, builder) => ({ logits: segresnet(image, configuration, builder) }),
  divisor: ({ down }) => cube(2 ** (down.length - 1)),
  head: ["conv_final"],
} satisfies Network<SegresnetConfiguration>;

const plain = { bias: false, initialization: pytorchDefault };

function segresnet(
  image: Value,
  { features, groups, classes, down, up }: SegresnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const blocks = (x: Value, count: number, first: number): Value =>
    Array.from({ length: count }).reduce<Value>(
      (y, _, index) => within(`${first + index}`, () => segresnetBlock(y, groups, builder)),
      x,
    );

  let x = within("convInit.conv", () => convolutionLayer(image, features, builder, plain));
  const skips: Value[] = [];
  down.forEach((count, stage) => {
    x = within(`down_layers.${stage}`, () => {
      const channels = features * 2 ** stage;
      const entered =
        stage === 0
          ? x
          : within("0.conv", () => convolutionLayer(x, channels, builder, { ...plain, stride: 2 }));
      return blocks(entered, count, 1);
    });
    skips.unshift(x);
  });
  up.forEach((count, stage) => {
    const skip = skips[stage + 1];
    const narrowed = within(`up_samples.${stage}.0.conv`, () =>
      pointwiseLayer(x, skip.shape[1], builder, plain),
    );
    const joined = add(upsampleLinear(narrowed, [2, 2, 2]), skip);
    x = within(`up_layers.${stage}`, () => blocks(joined, count, 0));
  });
  return within("conv_final", () => {
    const normalized = within("0", () => groupNormLayer(groups)(x, builder));
    return within("2.conv", () =>
      pointwiseLayer(relu(normalized), classes, builder, { initialization: pytorchDefault }),
    );
  });
}

/** x + convolution(ReLU(norm(convolution(ReLU(norm(x)))))) */
export function segresnetBlock(x: Value, groups: number, builder: NetworkBuilder): Value {
  const half = (y: Value, index: number): Value => {
    const normalized = within(`norm${index}`, () => groupNormLayer(groups)(y, builder));
    return within(`conv${index}.conv`, () => convolutionLayer(relu(normalized), y.shape[1], builder, plain));
  };
  return add(half(half(x, 1), 2), x);
}
