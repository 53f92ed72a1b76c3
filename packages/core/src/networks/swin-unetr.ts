// Swin UNETR (Hatamizadeh 2022): a transformer over shifted windows as encoder, UNETR's decoder; named as in MONAI.
import { z } from "zod";
import { channelLayerNorm } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add, multiply, step, subtract } from "../graph/operations/elementwise.js";
import { gather, pad, reshape, transpose } from "../graph/operations/layout.js";
import { constant } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { multilayerPerceptron, selfAttention } from "./blocks/attention.js";
import { convolutionLayer, linearLayer, pointwiseLayer } from "./blocks/layers.js";
import { layerNormLayer } from "./blocks/normalization.js";
import { stochasticDepth } from "./blocks/stochastic-depth.js";
import { residualBlock, upBlock } from "./blocks/unetr.js";
import { flat, positions, relativePositions, windowsOf } from "./blocks/windows.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault, truncatedNormal } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** The defaults are the paper's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels at full resolution and of the first stage, which stands at half; each stage has twice as many. */
    features: fields.channels.default(48),
    /** Transformer blocks of each stage. */
    depths: z
      .tuple([fields.repeats, fields.repeats, fields.repeats, fields.repeats])
      .readonly()
      .default([2, 2, 2, 2]),
    /** Heads of attention of the first stage, which divide its channels; each stage has twice as many. */
    heads: fields.multiple.default(3),
    /** Edge of a window in voxels of its stage. */
    window: fields.oddKernel.default(7),
    /** Greatest rate of stochastic depth, reached at the last block. */
    dropPath: fields.dropRate.default(0),
  })
  .refine(({ features, heads }) => features % heads === 0, {
    path: ["heads"],
    message: "they do not divide the channels",
  })
  .readonly();

export type SwinUnetrConfiguration = z.infer<typeof schema>;

export const swinUnetrDefaults = schema.parse({});

export const swinUnetrNetwork = {
  title: "Swin UNETR",
  schema,
  presets: { "swin-unetr": swinUnetrDefaults, "swin-unetr-24": { ...swinUnetrDefaults, features: 24 } },
  build: (image, configuration, builder) => ({ logits: swinUnetr(image, configuration, builder) }),
  divisor: () => cube(32),
  head: ["out"],
} satisfies Network<SwinUnetrConfiguration>;

const initialization = pytorchDefault;

function swinUnetr(image: Value, configuration: SwinUnetrConfiguration, builder: NetworkBuilder): Value {
  const { features, classes } = configuration;
  const states = within("swinViT", () => swinEncoder(image, configuration, builder));
  const [half, quarter, eighth, sixteenth, deepest] = states.map((state) => channelLayerNorm(state, null));
  const residual = (name: string, x: Value, channels: number): Value =>
    within(`${name}.layer`, () => residualBlock(x, channels, builder));

  const skips = [
    residual("encoder1", image, features),
    residual("encoder2", half, features),
    residual("encoder3", quarter, 2 * features),
    residual("encoder4", eighth, 4 * features),
    sixteenth,
  ];
  let x = residual("encoder10", deepest, 16 * features);
  for (let step = skips.length; step > 0; step--)
    x = within(`decoder${step}`, () => upBlock(x, skips[step - 1], skips[step - 1].shape[1], builder));
  return within("out.conv.conv", () => pointwiseLayer(x, classes, builder, { initialization }));
}

/** Features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the resolution. */
function swinEncoder(
  image: Value,
  { features, depths, heads, window, dropPath }: SwinUnetrConfiguration,
  builder: NetworkBuilder,
): Value[] {
  const blocks = depths.reduce((a, b) => a + b, 0);
  let block = 0;
  const states = [
    within("patch_embed.proj", () =>
      convolutionLayer(image, features, builder, { kernel: 2, stride: 2, initialization }),
    ),
  ];
  depths.forEach((depth, stage) => {
    const entered = states[stage];
    const space = entered.shape.slice(2);
    let x = rowsOf(entered);
    within(`layers${stage + 1}.0`, () => {
      for (let index = 0; index < depth; index++) {
        const attention = {
          heads: heads * 2 ** stage,
          window: cube(window),
          shift: cube(index % 2 === 0 ? 0 : Math.floor(window / 2)),
        };
        const rate = (dropPath * block++) / Math.max(1, blocks - 1);
        x = within(`blocks.${index}`, () => swinBlock(x, space, attention, rate, builder));
      }
      x = within("downsample", () => swinMerging(x, space, NEIGHBOURS, builder));
    });
    states.push(
      volumeOf(
        x,
        space.map((length) => length / 2),
      ),
    );
  });
  return states;
}

/** Rows [tokens, N, C] of a volume [N, C, D, H, W]: constant indices then put tokens into windows and back. */
function rowsOf(x: Value): Value {
  const [batch, channels, ...space] = x.shape;
  return transpose(reshape(x, [batch, channels, sizeOf(space)]), [2, 0, 1]);
}

/** The volume [N, C, D, H, W] of rows [tokens, N, C]. */
function volumeOf(rows: Value, space: Shape): Value {
  const [, batch, channels] = rows.shape;
  return reshape(transpose(rows, [1, 2, 0]), [batch, channels, ...space]);
}

export interface WindowedAttention {
  readonly heads: number;
  readonly window: Shape;
  readonly shift: Shape;
}

/** x + attention within windows of norm(x), then x + MLP(norm(x)); x [tokens, N, C]. */
export function swinBlock(
  x: Value,
  space: Shape,
  { heads, window, shift }: WindowedAttention,
  dropRate: number,
  builder: NetworkBuilder,
): Value {
  const [, batch, channels] = x.shape;
  const { count, length, tokens, places, parts } = windowsOf(space, window, shift);
  const normalized = within("norm1", () => layerNormLayer(x, builder));
  const filled = tokens.includes(sizeOf(space)) ? pad(normalized, [0, 0, 0], [1, 0, 0]) : normalized;
  const windows = reshape(gather(filled, tokens), [count, length, batch, channels]);
  const attended = within("attn", () => {
    const bias = relativePositionBias(window, length, heads, builder);
    return selfAttention(transpose(windows, [2, 0, 1, 3]), builder, {
      heads,
      qkvBias: true,
      projection: "proj",
      bias: parts ? add(bias, betweenParts(parts, count, length)) : bias,
    });
  });
  const rows = reshape(transpose(attended, [1, 2, 0, 3]), [count * length, batch, channels]);
  const mixed = add(x, dropped(gather(rows, places), dropRate, builder, "attention"));
  const again = within("norm2", () => layerNormLayer(mixed, builder));
  const transformed = within("mlp", () => multilayerPerceptron(again, 4 * channels, builder));
  return add(mixed, dropped(transformed, dropRate, builder, "mlp"));
}

/** Stochastic depth of rows [tokens, N, C]. */
function dropped(rows: Value, rate: number, builder: NetworkBuilder, branch: string): Value {
  if (!builder.training || rate === 0) return rows;
  return within(branch, () =>
    transpose(stochasticDepth(transpose(rows, [1, 0, 2]), rate, builder), [1, 0, 2]),
  );
}

/** A learned number for each head and each difference of positions, [heads, length, length]. */
function relativePositionBias(window: Shape, length: number, heads: number, builder: NetworkBuilder): Value {
  const shape = [sizeOf(window.map((edge) => 2 * edge - 1)), heads];
  const table = builder.parameter(
    "relative_position_bias_table",
    shape,
    truncatedNormal(0.02).weight(0, shape),
  );
  const pairs = reshape(gather(table, relativePositions(window, length)), [length, length, heads]);
  return transpose(pairs, [2, 0, 1]);
}

/** −100 between tokens of different parts of the volume, 0 within one: [windows, 1, length, length]. */
function betweenParts(parts: readonly number[], count: number, length: number): Value {
  const difference = subtract(constant([count, 1, 1, length], parts), constant([count, 1, length, 1], parts));
  return multiply(step(multiply(difference, difference)), -100);
}

/** The voxels of a 2×2×2 block in the order in which the reference joins them. */
export const NEIGHBOURS = [
  [0, 0, 0],
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
  [1, 1, 1],
];

/** Half the resolution and twice the channels: eight neighbours joined, normalised and mixed; x [tokens, N, C]. */
export function swinMerging(
  x: Value,
  space: Shape,
  neighbours: readonly Shape[],
  builder: NetworkBuilder,
): Value {
  const [, batch, channels] = x.shape;
  const blocks = positions(space.map((length) => length / 2));
  const indices = blocks.flatMap((block) =>
    neighbours.map((offset) =>
      flat(
        block.map((index, axis) => 2 * index + offset[axis]),
        space,
      ),
    ),
  );
  const eight = reshape(gather(x, indices), [blocks.length, neighbours.length, batch, channels]);
  const joined = reshape(transpose(eight, [0, 2, 1, 3]), [blocks.length, batch, 8 * channels]);
  const normalized = within("norm", () => layerNormLayer(joined, builder));
  return within("reduction", () =>
    linearLayer(normalized, 2 * channels, builder, { bias: false, initialization }),
  );
}
