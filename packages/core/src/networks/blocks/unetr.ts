// The convolutional blocks of UNETR, which Swin UNETR and 3D UX-Net took over; named as in MONAI. No biases: instance norms,
// without scale and shift, would take them out again.
import { instanceNorm } from "../../graph/functions.js";
import { type Value, within } from "../../graph/graph.js";
import { add, leakyRelu } from "../../graph/operations/elementwise.js";
import { concat } from "../../graph/operations/layout.js";
import type { NetworkBuilder } from "../builder.js";
import { pytorchDefault } from "../initialization.js";
import { convolutionLayer, transposedConvolutionLayer } from "./layers.js";

const plain = { bias: false, initialization: pytorchDefault };

/** A convolution that MONAI calls `NAME.conv`, and its instance norm. */
const normalized = (
  name: string,
  x: Value,
  channels: number,
  kernel: number,
  builder: NetworkBuilder,
): Value =>
  instanceNorm(
    within(`${name}.conv`, () => convolutionLayer(x, channels, builder, { ...plain, kernel })),
    null,
  );

/** Two 3×3×3 convolutions with norm and Leaky ReLU, and a shortcut, which is a 1×1×1 convolution where channels change. */
export function residualBlock(x: Value, channels: number, builder: NetworkBuilder): Value {
  const first = leakyRelu(normalized("conv1", x, channels, 3, builder));
  const second = normalized("conv2", first, channels, 3, builder);
  const shortcut = x.shape[1] === channels ? x : normalized("conv3", x, channels, 1, builder);
  return leakyRelu(add(second, shortcut));
}

/** Twice the resolution, by a transposed convolution that MONAI calls `NAME.conv`. */
const doubled = (name: string, x: Value, channels: number, builder: NetworkBuilder): Value =>
  within(`${name}.conv`, () => transposedConvolutionLayer(x, channels, builder, plain));

/** Twice the resolution, beside the skip's features, through a residual block. */
export function upBlock(x: Value, skip: Value, channels: number, builder: NetworkBuilder): Value {
  const joined = concat([doubled("transp_conv", x, channels, builder), skip], 1);
  return within("conv_block", () => residualBlock(joined, channels, builder));
}

/** 2^(times + 1) times the resolution, each further doubling followed by a residual block. */
export function projectionUpBlock(x: Value, channels: number, times: number, builder: NetworkBuilder): Value {
  let y = doubled("transp_conv_init", x, channels, builder);
  for (let index = 0; index < times; index++)
    y = within(`blocks.${index}`, () => {
      const larger = doubled("0", y, channels, builder);
      return within("1", () => residualBlock(larger, channels, builder));
    });
  return y;
}
