// LHU-Net (Sadegheih, MICCAI 2025): convolutions where the resolution is high, attention in space and then among channels
// where it is low; parameters have its authors' names.
import { z } from "zod";
import { gelu, prelu, unitLength } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add, multiply } from "../graph/operations/elementwise.js";
import { concat, reshape, split, transpose } from "../graph/operations/layout.js";
import { linear, matmul } from "../graph/operations/matmul.js";
import { maxPool } from "../graph/operations/pooling.js";
import { softmax } from "../graph/operations/reduction.js";
import { sizeOf } from "../graph/shape.js";
import { featuresOf } from "./blocks/attention.js";
import {
  convolutionLayer,
  deformableConvolutionLayer,
  linearLayer,
  pointwiseLayer,
  transposedConvolutionLayer,
} from "./blocks/layers.js";
import { batchNormLayer, layerNormLayer } from "./blocks/normalization.js";
import { type ResidualBlock, residualBlock } from "./blocks/unetr.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault, truncatedNormal } from "./initialization.js";
import { type Network, productOf, type Size3 } from "./network.js";

/** Channels of features that attention works on: the authors state kernels up to this many. */
const attended = fields.channels.max(128);

/** The defaults are the authors'. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the two convolutional stages. */
    convolutional: z.tuple([fields.channels, attended]).readonly().default([12, 16]),
    /** Channels of the three stages with attention. */
    hybrid: z.tuple([attended, attended, attended]).readonly().default([32, 64, 128]),
    /** What each of the five stages divides depth, height and width by. */
    strides: z
      .tuple([fields.stride, fields.stride, fields.stride, fields.stride, fields.stride])
      .readonly()
      .default([
        [2, 2, 2],
        [2, 2, 2],
        [2, 2, 2],
        [2, 2, 2],
        [2, 2, 2],
      ]),
    /** Heads of attention of the three hybrid stages; they divide the channels. */
    heads: z.tuple([fields.channels, fields.channels, fields.channels]).readonly().default([4, 4, 8]),
    /** Rows that keys and values are projected to, in the two stages of attention in space. */
    rows: z.tuple([fields.channels, fields.channels]).readonly().default([64, 32]),
  })
  .refine(
    ({ convolutional, hybrid, heads }) =>
      hybrid.every((channels, stage) => channels % heads[stage] === 0) &&
      [convolutional[1], hybrid[0], hybrid[1]].every((channels, stage) => channels % heads[stage] === 0),
    { path: ["heads"], message: "they do not divide the channels" },
  )
  .readonly();

export type LhuNetConfiguration = z.infer<typeof schema>;

export const lhuNetDefaults = schema.parse({});

export const lhuNetNetwork = {
  title: "LHU-Net",
  schema,
  presets: { "lhu-net": lhuNetDefaults },
  build: (image, configuration, builder) => ({ logits: lhuNet(image, configuration, builder) }),
  divisor: ({ strides }) => productOf(strides),
  head: ["out"],
} satisfies Network<LhuNetConfiguration>;

const initialization = truncatedNormal(0.02);
const batchNormed: ResidualBlock = { norm: batchNormLayer, initialization };
/** Edges of the kernels of the transposed convolutions, from the deepest stage up. */
const UPWARD_KERNELS = [5, 5, 5, 5, 7];

function lhuNet(image: Value, configuration: LhuNetConfiguration, builder: NetworkBuilder): Value {
  const { convolutional, hybrid, strides, heads, rows, classes } = configuration;
  const attentionOf = [
    { heads: heads[0], rows: rows[0] },
    { heads: heads[1], rows: rows[1] },
    { heads: heads[2], rows: null },
  ];
  const first = within("init", () => stem(image, Math.floor(convolutional[0] / 2), builder));
  const skips = [first];
  let x = first;
  convolutional.forEach((channels, stage) => {
    x = within(`cnn_encoder.encoder_blocks.${stage}`, () => down(x, channels, strides[stage], builder));
    skips.push(x);
  });
  hybrid.forEach((channels, stage) => {
    const entered = within(`hyb_encoder.downs.${stage}`, () =>
      down(x, channels, strides[2 + stage], builder),
    );
    const mixed = within(`hyb_encoder.attns.${stage}.0`, () =>
      hybridAttention(entered, attentionOf[stage], builder),
    );
    x = within(`hyb_encoder.convs.${stage}`, () =>
      residualBlock(add(entered, mixed), channels, builder, batchNormed),
    );
    skips.push(x);
  });

  for (let step = 0; step < strides.length; step++) {
    const isHybrid = step < hybrid.length;
    const [part, index] = isHybrid ? ["hyb_decoder", step] : ["cnn_decoder", step - hybrid.length];
    const skip = skips[strides.length - 1 - step];
    const joined = within(`${part}.ups.${index}.conv`, () =>
      concat(
        [up(x, skip.shape[1], strides[strides.length - 1 - step], UPWARD_KERNELS[step], builder), skip],
        1,
      ),
    );
    x = within(isHybrid ? `${part}.convs_o.${index}` : `${part}.convs.${index}`, () =>
      residualBlock(joined, skip.shape[1], builder, batchNormed),
    );
    if (isHybrid)
      x = add(
        x,
        within(`${part}.attns.${index}.0`, () =>
          hybridAttention(x, attentionOf[hybrid.length - 1 - step], builder),
        ),
      );
  }
  const fine = within("out_skip", () =>
    residualBlock(image, x.shape[1], builder, { ...batchNormed, kernel: 5 }),
  );
  return within("out.0.conv.conv", () =>
    pointwiseLayer(concat([x, fine], 1), classes, builder, { initialization }),
  );
}

/** A point-wise convolution, a rectifier whose slope is learned, and batch norm. */
function stem(image: Value, channels: number, builder: NetworkBuilder): Value {
  const convolved = within("0", () =>
    pointwiseLayer(image, channels, builder, { initialization: pytorchDefault }),
  );
  const active = within("1", () =>
    prelu(convolved, builder.parameter("weight", [1], { kind: "constant", value: 0.25 })),
  );
  return within("2", () => batchNormLayer(active, builder));
}

/** A residual block, and its maxima over windows of the stride. */
const down = (x: Value, channels: number, stride: Size3, builder: NetworkBuilder): Value =>
  maxPool(
    within("0", () => residualBlock(x, channels, builder, batchNormed)),
    stride,
  );

/** A transposed convolution that multiplies the size by the stride. */
const up = (x: Value, channels: number, stride: Size3, kernel: number, builder: NetworkBuilder): Value =>
  transposedConvolutionLayer(x, channels, builder, {
    kernel,
    stride,
    outputPadding: stride.map((steps) => steps - 1),
    bias: false,
    initialization: pytorchDefault,
  });

export interface HybridAttention {
  readonly heads: number;
  /** Rows that keys and values are projected to for attention in space; null for attention among channels. */
  readonly rows: number | null;
}

/** BatchNorm(y + mix(y)) of y = x + δ·LKA(x) + γ·x·ViT(x), where LKA and ViT are attention by large kernels and by a transformer. */
export function hybridAttention(x: Value, attention: HybridAttention, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const scale = (name: string): Value =>
    builder.parameter(name, [channels, 1, 1, 1], { kind: "constant", value: 1 });
  const byKernels = within("cnn_attn", () => largeKernelAttention(x, builder));
  const byTokens = multiply(x, tokenAttention(x, attention, builder));
  const y = add(add(x, multiply(scale("delta"), byKernels)), multiply(scale("gamma"), byTokens));
  const mixed = within("cmixer.1", () => residualBlock(y, channels, builder, batchNormed));
  const more = within("cmixer.2", () => pointwiseLayer(mixed, channels, builder, { initialization }));
  return within("bnorm", () => batchNormLayer(add(y, more), builder));
}

/** Edges of the two depthwise kernels, and the second one's dilation: smaller where there are more channels. */
function largeKernels(channels: number) {
  if (channels <= 32) return { near: 5, far: 7, dilation: 3 };
  return channels <= 64 ? { near: 5, far: 5, dilation: 3 } : { near: 3, far: 3, dilation: 2 };
}

/** y·PW(Deformable(DW dilated(DW(y)))) of y = GELU(PW(x)). */
function largeKernelAttention(x: Value, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const { near, far, dilation } = largeKernels(channels);
  const own = { groups: channels, initialization };
  const y = gelu(within("proj_1", () => pointwiseLayer(x, channels, builder, { initialization })));
  const gate = within("spatial_gating_unit", () => {
    const closely = within("dwconv", () => convolutionLayer(y, channels, builder, { ...own, kernel: near }));
    const widely = within("spatial_conv", () =>
      convolutionLayer(closely, channels, builder, { ...own, kernel: far, dilation }),
    );
    const bent = within("deform_conv", () =>
      deformableConvolutionLayer(widely, channels, builder, {
        offsets: initialization,
        convolution: pytorchDefault,
      }),
    );
    return within("cmixer", () => pointwiseLayer(bent, channels, builder, { initialization }));
  });
  return multiply(y, gate);
}

/** Attention over the tokens of x [N, C, D, H, W], which know their place in the patch; of the same shape. */
function tokenAttention(x: Value, { heads, rows }: HybridAttention, builder: NetworkBuilder): Value {
  const [batch, channels, ...space] = x.shape;
  const count = sizeOf(space);
  const depth = channels / heads;
  const embedding = builder.parameter("pos_embed", [1, count, channels], { kind: "constant", value: 1e-6 });
  const tokens = add(transpose(reshape(x, [batch, channels, count]), [0, 2, 1]), embedding);
  const normalized = within("norm", () => layerNormLayer(tokens, builder));
  return within("vit", () => {
    const projected = within("qkv", () =>
      linearLayer(normalized, 3 * channels, builder, { bias: false, initialization }),
    );
    // Each [N, heads, depth, tokens].
    const columns = transpose(reshape(projected, [batch, count, 3, heads, depth]), [2, 0, 3, 4, 1]);
    const [q, k, v] = split(columns, 0, [1, 1, 1]).map((part) => reshape(part, [batch, heads, depth, count]));
    const temperature = builder.parameter("temperature", [heads, 1, 1], { kind: "constant", value: 1 });
    const weights = (scores: Value): Value => softmax(multiply(scores, temperature), 3);
    const attended =
      rows === null
        ? transpose(
            matmul(weights(matmul(unitLength(q, 3), unitLength(k, 3), { transposeB: true })), v),
            [0, 3, 1, 2],
          )
        : attendInSpace(q, k, v, rows, weights, builder);
    const mixed = within("norm", () => layerNormLayer(reshape(attended, [batch, count, channels]), builder));
    return featuresOf(
      within("out", () => linearLayer(mixed, channels, builder, { initialization })),
      space,
    );
  });
}

/** Attention of each token to `rows` mixtures of all tokens, the same for keys and values: [N, depth, heads, tokens], as in the reference. */
function attendInSpace(
  q: Value,
  k: Value,
  v: Value,
  rows: number,
  weights: (scores: Value) => Value,
  builder: NetworkBuilder,
): Value {
  const shape = [rows, q.shape[3]];
  const [mixtures, offsets] = within("E", () => [
    builder.weight("weight", shape, initialization.weight(shape[1], shape)),
    builder.bias("bias", rows, initialization.bias(shape)),
  ]);
  const [keys, values] = [k, v].map((part) => add(linear(part, mixtures), offsets));
  const scores = matmul(unitLength(q, 3), keys, { transposeA: true });
  return transpose(matmul(weights(scores), values, { transposeB: true }), [0, 3, 1, 2]);
}
