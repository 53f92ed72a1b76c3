// The convolutional blocks of UNETR, which Swin UNETR and 3D UX-Net took over; named as in MONAI. No biases: norms would take
// them out again.
import { instanceNorm } from "../../graph/functions.js";
import { type Value, within } from "../../graph/graph.js";
import { add, leakyRelu } from "../../graph/operations/elementwise.js";
import { concat } from "../../graph/operations/layout.js";
import type { NetworkBuilder } from "../builder.js";
import { type Initialization, pytorchDefault } from "../initialization.js";
import { convolutionLayer, transposedConvolutionLayer } from "./layers.js";
import type { NormLayer } from "./normalization.js";

const plainNorm: NormLayer = (x) => instanceNorm(x, null);
const plain = { bias: false, initialization: pytorchDefault };

export interface ResidualBlock {
  /** Edge of the kernel of the two convolutions. */
  readonly kernel?: number;
  /** What stands as `norm1`, `norm2` and `norm3` behind the convolutions; by default instance norm without scale and shift. */
  readonly norm?: NormLayer;
  readonly initialization?: Initialization;
}

/** Two convolutions with norm and Leaky ReLU, and a shortcut, which is a 1×1×1 convolution where channels change. */
export function residualBlock(
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  { kernel = 3, norm = plainNorm, initialization = pytorchDefault }: ResidualBlock = {},
): Value {
  const normalized = (index: number, y: Value, edge: number): Value => {
    const convolved = within(`conv${index}.conv`, () =>
      convolutionLayer(y, channels, builder, { bias: false, kernel: edge, initialization }),
    );
    return within(`norm${index}`, () => norm(convolved, builder));
  };
  const first = leakyRelu(normalized(1, x, kernel));
  const second = normalized(2, first, kernel);
  const shortcut = x.shape[1] === channels ? x : normalized(3, x, 1);
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
