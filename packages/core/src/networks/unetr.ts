// UNETR (Hatamizadeh 2022): a vision transformer as encoder, a convolutional decoder; named as in MONAI.
import { z } from "zod";
import { tokensOf } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add } from "../graph/operations/elementwise.js";
import { featuresOf, transformerBlock } from "./blocks/attention.js";
import { convolutionLayer, pointwiseLayer } from "./blocks/layers.js";
import { layerNormLayer } from "./blocks/normalization.js";
import { projectionUpBlock, residualBlock, upBlock } from "./blocks/unetr.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault, truncatedNormal } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** The defaults are the paper's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the decoder at full resolution; twice as many at each step down. */
    features: fields.channels.default(16),
    /** Numbers of a token. */
    hidden: fields.channels.default(768),
    /** Numbers between the two linear layers of a transformer block. */
    mlp: fields.channels.default(3072),
    /** Heads of attention. */
    heads: fields.multiple.default(12),
  })
  .refine(({ hidden, heads }) => hidden % heads === 0, {
    path: ["heads"],
    message: "they do not divide the numbers of a token",
  })
  .readonly();

export type UnetrConfiguration = z.infer<typeof schema>;

export const unetrDefaults = schema.parse({});

/** Edge of the cube of voxels that becomes a token. */
const TOKEN_EDGE = 16;
/** Blocks of the transformer, and those whose tokens the decoder reads as skips. */
const LAYERS = 12;
const TAPS = [3, 6, 9];

export const unetrNetwork = {
  title: "UNETR",
  schema,
  presets: { unetr: unetrDefaults },
  build: (image, configuration, builder) => ({ logits: unetr(image, configuration, builder) }),
  divisor: () => cube(TOKEN_EDGE),
  head: ["out"],
} satisfies Network<UnetrConfiguration>;

function unetr(
  image: Value,
  { features, classes, ...sizes }: UnetrConfiguration,
  builder: NetworkBuilder,
): Value {
  const space = image.shape.slice(2).map((length) => length / TOKEN_EDGE);
  const { taps, last } = within("vit", () => visionTransformer(image, sizes, builder));
  const [third, sixth, ninth] = taps.map((tokens) => featuresOf(tokens, space));

  const full = within("encoder1.layer", () => residualBlock(image, features, builder));
  const half = within("encoder2", () => projectionUpBlock(third, 2 * features, 2, builder));
  const quarter = within("encoder3", () => projectionUpBlock(sixth, 4 * features, 1, builder));
  const eighth = within("encoder4", () => projectionUpBlock(ninth, 8 * features, 0, builder));
  let x = featuresOf(last, space);
  x = within("decoder5", () => upBlock(x, eighth, 8 * features, builder));
  x = within("decoder4", () => upBlock(x, quarter, 4 * features, builder));
  x = within("decoder3", () => upBlock(x, half, 2 * features, builder));
  x = within("decoder2", () => upBlock(x, full, features, builder));
  return within("out.conv.conv", () =>
    pointwiseLayer(x, classes, builder, { initialization: pytorchDefault }),
  );
}

/** Tokens [N, tokens, hidden] after the blocks of {@link TAPS}, and the normalised ones after the last. */
function visionTransformer(
  image: Value,
  { hidden, mlp, heads }: Pick<UnetrConfiguration, "hidden" | "mlp" | "heads">,
  builder: NetworkBuilder,
): { taps: Value[]; last: Value } {
  let x = within("patch_embedding", () => {
    const embedded = within("patch_embeddings", () =>
      tokensOf(
        convolutionLayer(image, hidden, builder, {
          kernel: TOKEN_EDGE,
          stride: TOKEN_EDGE,
          initialization: pytorchDefault,
        }),
      ),
    );
    const shape = [1, embedded.shape[1], hidden];
    const places = builder.parameter("position_embeddings", shape, truncatedNormal(0.02).weight(0, shape));
    return add(embedded, places);
  });
  const taps: Value[] = [];
  for (let layer = 0; layer < LAYERS; layer++) {
    x = within(`blocks.${layer}`, () => transformerBlock(x, heads, mlp, builder));
    if (TAPS.includes(layer)) taps.push(x);
  }
  return { taps, last: within("norm", () => layerNormLayer(x, builder)) };
}
