// V-Net (Milletari 2016), as MONAI builds it and names its parameters.
import { z } from "zod";
import { type Value, within } from "../graph/graph.js";
import { add, elu, multiply } from "../graph/operations/elementwise.js";
import { concat } from "../graph/operations/layout.js";
import { convolutionLayer, pointwiseLayer, transposedConvolutionLayer } from "./blocks/layers.js";
import { batchNormLayer } from "./blocks/normalization.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** Channels at full resolution; the image is repeated to as many and added to what the first block makes of it. */
const CHANNELS = 16;

const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the image, a divisor of 16; 1 for CT. */
    inputs: fields.inputs
      .refine((inputs) => CHANNELS % inputs === 0, `is no divisor of ${CHANNELS}`)
      .default(1),
    /** Rate at which whole channels are dropped, in the two deepest stages of each side and in all skips. */
    dropout: fields.dropRate.default(0.5),
  })
  .readonly();

export type VnetConfiguration = z.infer<typeof schema>;

export const vnetDefaults = schema.parse({});

export const vnetNetwork = {
  title: "V-Net",
  schema,
  presets: { vnet: vnetDefaults },
  build: (image, configuration, builder) => ({ logits: vnet(image, configuration, builder) }),
  divisor: () => cube(16),
  head: ["out_tr"],
} satisfies Network<VnetConfiguration>;

const initialization = pytorchDefault;

function vnet(image: Value, { inputs, classes, dropout }: VnetConfiguration, builder: NetworkBuilder): Value {
  const down = (name: string, x: Value, convolutions: number, rate: number): Value =>
    within(name, () => vnetDown(x, convolutions, rate, builder));
  const up = (name: string, x: Value, skip: Value, channels: number, convolutions: number, rate: number) =>
    within(name, () =>
      vnetUp(x, skip, { channels, convolutions, dropout: rate, skipDropout: dropout }, builder),
    );

  const repeated = concat(new Array<Value>(CHANNELS / inputs).fill(image), 1);
  const full = elu(
    add(
      within("in_tr", () => normalizedConvolution(image, CHANNELS, builder)),
      repeated,
    ),
  );
  const half = down("down_tr32", full, 1, 0);
  const quarter = down("down_tr64", half, 2, 0);
  const eighth = down("down_tr128", quarter, 3, dropout);
  let x = down("down_tr256", eighth, 2, dropout);
  x = up("up_tr256", x, eighth, 256, 2, dropout);
  x = up("up_tr128", x, quarter, 128, 2, dropout);
  x = up("up_tr64", x, half, 64, 1, 0);
  x = up("up_tr32", x, full, 32, 1, 0);
  return within("out_tr", () => {
    const features = elu(normalizedConvolution(x, classes, builder));
    return within("conv2", () => pointwiseLayer(features, classes, builder, { initialization }));
  });
}

/** 5×5×5 convolution and batch norm. */
const normalizedConvolution = (x: Value, channels: number, builder: NetworkBuilder): Value =>
  within("conv_block", () => {
    const y = within("conv", () =>
      convolutionLayer(x, channels, builder, { kernel: 5, bias: false, initialization }),
    );
    return within("adn.N", () => batchNormLayer(y, builder));
  });

const convolutionsOf = (x: Value, count: number, builder: NetworkBuilder): Value =>
  Array.from({ length: count }).reduce<Value>(
    (y, _, index) => elu(within(`ops.${index}`, () => normalizedConvolution(y, y.shape[1], builder))),
    x,
  );

/** x without some of its channels, each sample's drawn by itself. */
function dropChannels(x: Value, name: string, rate: number, builder: NetworkBuilder): Value {
  const mask = builder.mask(name, [x.shape[0], x.shape[1], 1, 1, 1], rate);
  return mask ? multiply(x, mask) : x;
}

/** Half the resolution, twice the channels: ELU(convolutions(y) + y) of the halved y. */
export function vnetDown(x: Value, convolutions: number, dropout: number, builder: NetworkBuilder): Value {
  const halved = within("down_conv", () =>
    convolutionLayer(x, 2 * x.shape[1], builder, { kernel: 2, stride: 2, bias: false, initialization }),
  );
  const y = elu(within("bn1", () => batchNormLayer(halved, builder)));
  return elu(add(convolutionsOf(dropChannels(y, "dropout", dropout, builder), convolutions, builder), y));
}

/** Twice the resolution, beside the skip: ELU(convolutions(y) + y) of the two together. */
export function vnetUp(
  x: Value,
  skip: Value,
  {
    channels,
    convolutions,
    dropout,
    skipDropout,
  }: Record<"channels" | "convolutions" | "dropout" | "skipDropout", number>,
  builder: NetworkBuilder,
): Value {
  const dropped = dropChannels(x, "dropout", dropout, builder);
  const doubled = within("up_conv", () =>
    transposedConvolutionLayer(dropped, channels / 2, builder, { initialization }),
  );
  const upsampled = elu(within("bn1", () => batchNormLayer(doubled, builder)));
  const y = concat([upsampled, dropChannels(skip, "dropout2", skipDropout, builder)], 1);
  return elu(add(convolutionsOf(y, convolutions, builder), y));
}
