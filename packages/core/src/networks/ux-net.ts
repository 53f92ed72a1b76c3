// 3D UX-Net (Lee 2023): blocks of large depthwise kernels as encoder, UNETR's decoder; parameters have its authors' names.
import { z } from "zod";
import { gelu, perChannel } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add, multiply } from "../graph/operations/elementwise.js";
import { convolutionLayer, pointwiseLayer } from "./blocks/layers.js";
import { channelLayerNormLayer } from "./blocks/normalization.js";
import { down, type Resampling } from "./blocks/resampling.js";
import { stochasticDepth } from "./blocks/stochastic-depth.js";
import { residualBlock, upBlock } from "./blocks/unetr.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault } from "./initialization.js";
import { cube, type Network } from "./network.js";

/** The defaults are the authors'. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of the four stages, from half the resolution down. */
    stages: z
      .tuple([fields.channels, fields.channels, fields.channels, fields.channels])
      .readonly()
      .default([48, 96, 192, 384]),
    /** Blocks of each stage. */
    depths: z
      .tuple([fields.repeats, fields.repeats, fields.repeats, fields.repeats])
      .readonly()
      .default([2, 2, 2, 2]),
    /** Channels between the deepest stage and the decoder. */
    hidden: fields.channels.default(768),
    /** Greatest rate of stochastic depth, reached at the last block. */
    dropPath: fields.dropRate.default(0),
  })
  .readonly();

export type UxNetConfiguration = z.infer<typeof schema>;

export const uxNetDefaults = schema.parse({});

export const uxNetNetwork = {
  title: "3D UX-Net",
  schema,
  presets: { "ux-net": uxNetDefaults },
  build: (image, configuration, builder) => ({ logits: uxNet(image, configuration, builder) }),
  divisor: () => cube(16),
  head: ["out"],
} satisfies Network<UxNetConfiguration>;

/** Channels between the two point-wise convolutions of a block, as a multiple. */
const EXPANSION = 4;
/** What a block's branch is scaled by at first (layer scale). */
const FIRST_SCALE = 1e-6;

const initialization = pytorchDefault;
const norm = channelLayerNormLayer(1e-6);
const resampling: Resampling = { norm, names: { norm: "0", convolution: "1" }, initialization };

function uxNet(
  image: Value,
  { stages, classes, hidden, ...encoder }: UxNetConfiguration,
  builder: NetworkBuilder,
): Value {
  const [half, quarter, eighth, sixteenth] = within("uxnet_3d", () =>
    uxNetEncoder(image, { stages, ...encoder }, builder),
  );
  const residual = (name: string, x: Value, channels: number): Value =>
    within(`${name}.layer`, () => residualBlock(x, channels, builder));
  const up = (name: string, x: Value, skip: Value): Value =>
    within(name, () => upBlock(x, skip, skip.shape[1], builder));

  const skips = [
    residual("encoder1", image, stages[0]),
    residual("encoder2", half, stages[1]),
    residual("encoder3", quarter, stages[2]),
    residual("encoder4", eighth, stages[3]),
  ];
  let x = residual("encoder5", sixteenth, hidden);
  for (let step = skips.length; step > 0; step--) x = up(`decoder${step + 1}`, x, skips[step - 1]);
  const features = residual("decoder1", x, stages[0]);
  return within("out.conv.conv", () => pointwiseLayer(features, classes, builder, { initialization }));
}

/** Normalised features of the four stages, at 1/2, 1/4, 1/8 and 1/16 of the resolution. */
function uxNetEncoder(
  image: Value,
  { stages, depths, dropPath }: Pick<UxNetConfiguration, "stages" | "depths" | "dropPath">,
  builder: NetworkBuilder,
): Value[] {
  const blocks = depths.reduce((a, b) => a + b, 0);
  let block = 0;
  let x = image;
  return stages.map((channels, stage) => {
    x = within(`downsample_layers.${stage}`, () =>
      stage === 0 ? stem(x, channels, builder) : down(x, channels, builder, resampling),
    );
    for (let index = 0; index < depths[stage]; index++) {
      const rate = (dropPath * block++) / Math.max(1, blocks - 1);
      x = within(`stages.${stage}.${index}`, () => uxNetBlock(x, rate, builder));
    }
    return within(`norm${stage}`, () => norm(x, builder));
  });
}

/** A 7×7×7 convolution of stride 2, and layer norm. */
function stem(image: Value, channels: number, builder: NetworkBuilder): Value {
  const convolved = within("0", () =>
    convolutionLayer(image, channels, builder, { kernel: 7, stride: 2, initialization }),
  );
  return within("1", () => norm(convolved, builder));
}

/** x + γ·PW₂(GELU(PW₁(LayerNorm(DW 7×7×7(x))))), the point-wise convolutions of each channel alone. */
export function uxNetBlock(x: Value, dropRate: number, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const gamma = builder.parameter("gamma", [channels], { kind: "constant", value: FIRST_SCALE });
  const own = { groups: channels, initialization };
  const filtered = within("dwconv", () => convolutionLayer(x, channels, builder, { ...own, kernel: 7 }));
  const normalized = within("norm", () => norm(filtered, builder));
  const expanded = within("pwconv1", () => pointwiseLayer(normalized, EXPANSION * channels, builder, own));
  const branch = within("pwconv2", () => pointwiseLayer(gelu(expanded), channels, builder, own));
  return add(stochasticDepth(multiply(branch, perChannel(gamma, x.shape.length)), dropRate, builder), x);
}
