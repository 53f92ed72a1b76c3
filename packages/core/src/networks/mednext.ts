// MedNeXt (Roy 2023): blocks of a depthwise convolution and two point-wise ones, which also halve and double the resolution;
// parameters have its authors' names.
import { z } from "zod";
import { gelu } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { add } from "../graph/operations/elementwise.js";
import { pad } from "../graph/operations/layout.js";
import { convolutionLayer, pointwiseLayer, transposedConvolutionLayer } from "./blocks/layers.js";
import { instanceNormLayer } from "./blocks/normalization.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { pytorchDefault } from "./initialization.js";
import { cube, type Network, type NetworkOutputs } from "./network.js";

/** How often the encoder halves the resolution. */
const STEPS = 4;

/** The defaults are the authors' small network. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels at full resolution; each stage down has twice as many. */
    features: fields.channels.default(32),
    /** Edge of the depthwise convolutions. */
    kernel: fields.oddKernel.default(3),
    /** Channels between the two point-wise convolutions, as a multiple. */
    expansion: fields.multiple.default(2),
    /** Blocks of each stage of encoder and decoder. */
    blocks: fields.repeats.default(2),
    /** Whether training compares coarser logits with the label too: those of each other stage from the bottleneck up. */
    deepSupervision: z.boolean().default(true),
  })
  .readonly();

export type MednextConfiguration = z.infer<typeof schema>;

export const mednextDefaults = schema.parse({});

export const mednextNetwork = {
  title: "MedNeXt",
  schema,
  presets: { "mednext-s": mednextDefaults },
  build: mednext,
  divisor: () => cube(2 ** STEPS),
  head: ["out_0", "out_1", "out_2", "out_3", "out_4"],
} satisfies Network<MednextConfiguration>;

const initialization = pytorchDefault;

function mednext(
  image: Value,
  { features, kernel, expansion, blocks, classes, deepSupervision }: MednextConfiguration,
  builder: NetworkBuilder,
): NetworkOutputs {
  const size = { kernel, expansion };
  const channelsOf = (stage: number): number => features * 2 ** stage;
  const stageOf = (name: string, x: Value): Value =>
    Array.from({ length: blocks }).reduce<Value>(
      (y, _, index) => within(`${name}.${index}`, () => mednextBlock(y, size, builder)),
      x,
    );
  const logitsOf = (x: Value, stage: number): Value =>
    within(`out_${stage}.conv_out`, () =>
      transposedConvolutionLayer(x, classes, builder, { kernel: 1, stride: 1, initialization }),
    );

  let x = within("stem", () => pointwiseLayer(image, features, builder, { initialization }));
  const skips: Value[] = [];
  for (let stage = 0; stage < STEPS; stage++) {
    const skip = stageOf(`enc_block_${stage}`, x);
    skips.push(skip);
    x = within(`down_${stage}`, () => mednextDown(skip, channelsOf(stage + 1), size, builder));
  }
  x = stageOf("bottleneck", x);
  /** What each stage makes, from the finest down to the bottleneck. */
  const decoded = [x];
  for (let stage = STEPS - 1; stage >= 0; stage--) {
    const larger = within(`up_${stage}`, () => mednextUp(x, channelsOf(stage), size, builder));
    x = stageOf(`dec_block_${stage}`, add(skips[stage], larger));
    decoded.unshift(x);
  }
  const logits = logitsOf(x, 0);
  if (!deepSupervision) return { logits };
  return { logits, coarserLogits: decoded.slice(1).map((y, index) => logitsOf(y, index + 1)) };
}

type BlockSize = Pick<MednextConfiguration, "kernel" | "expansion">;

/** PW₂(GELU(PW₁(norm(x)))) of a filtered x; the norm is over each channel alone. */
function expandAndCompress(
  filtered: Value,
  channels: number,
  { expansion }: BlockSize,
  builder: NetworkBuilder,
): Value {
  const normalized = within("norm", () => instanceNormLayer(filtered, builder));
  const expanded = within("conv2", () =>
    pointwiseLayer(normalized, expansion * filtered.shape[1], builder, { initialization }),
  );
  return within("conv3", () => pointwiseLayer(gelu(expanded), channels, builder, { initialization }));
}

/** x + PW₂(GELU(PW₁(norm(DW(x))))) */
export function mednextBlock(x: Value, size: BlockSize, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const filtered = within("conv1", () =>
    convolutionLayer(x, channels, builder, { kernel: size.kernel, groups: channels, initialization }),
  );
  return add(x, expandAndCompress(filtered, channels, size, builder));
}

/** Half the resolution, with `channels`: the depthwise convolution and a point-wise shortcut have stride 2. */
export function mednextDown(x: Value, channels: number, size: BlockSize, builder: NetworkBuilder): Value {
  const halved = { stride: 2, initialization };
  const filtered = within("conv1", () =>
    convolutionLayer(x, x.shape[1], builder, { ...halved, kernel: size.kernel, groups: x.shape[1] }),
  );
  const shortcut = within("res_conv", () => convolutionLayer(x, channels, builder, { ...halved, kernel: 1 }));
  return add(expandAndCompress(filtered, channels, size, builder), shortcut);
}

/** Twice the resolution, with `channels`: as {@link mednextDown}, with transposed convolutions. They make one voxel too few along each axis, which is added as zero in front. */
export function mednextUp(x: Value, channels: number, size: BlockSize, builder: NetworkBuilder): Value {
  const doubled = { stride: 2, initialization };
  const filtered = within("conv1", () =>
    transposedConvolutionLayer(x, x.shape[1], builder, {
      ...doubled,
      kernel: size.kernel,
      groups: x.shape[1],
    }),
  );
  const shortcut = within("res_conv", () =>
    transposedConvolutionLayer(x, channels, builder, { ...doubled, kernel: 1 }),
  );
  const sum = add(expandAndCompress(filtered, channels, size, builder), shortcut);
  return pad(sum, [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]);
}
