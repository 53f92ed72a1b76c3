// Layers with weights of their own, named `weight` and `bias` in the scope where they stand.
import { deformableConvolution, partialConvolution } from "../../graph/functions.js";
import { type Value, within } from "../../graph/graph.js";
import { convolution, transposedConvolution } from "../../graph/operations/convolution.js";
import { add } from "../../graph/operations/elementwise.js";
import { linear } from "../../graph/operations/matmul.js";
import { type Shape, sizeOf } from "../../graph/shape.js";
import type { NetworkBuilder } from "../builder.js";
import { he, type Initialization, lecun } from "../initialization.js";

/** An edge for all axes of space, or one for each. */
type Edges = number | Shape;

export interface ConvolutionLayer {
  /** 3 by default. An odd kernel is centred: at stride 1 the size stays. An even one is not padded. */
  readonly kernel?: Edges;
  readonly stride?: Edges;
  /** Voxels from one tap to the next; 1 by default. */
  readonly dilation?: number;
  readonly groups?: number;
  readonly bias?: boolean;
  readonly initialization?: Initialization;
}

const edges = (value: Edges, axes: number): Shape =>
  typeof value === "number" ? new Array<number>(axes).fill(value) : value;

const centred = (kernel: Shape): Shape => kernel.map((edge) => (edge % 2 === 1 ? (edge - 1) / 2 : 0));

/** A convolution of x [N, C, …space] to `channels`. */
export function convolutionLayer(
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  {
    kernel = 3,
    stride = 1,
    dilation = 1,
    groups = 1,
    bias = true,
    initialization = lecun,
  }: ConvolutionLayer = {},
): Value {
  const taps = edges(kernel, x.shape.length - 2);
  const shape = [channels, x.shape[1] / groups, ...taps];
  const weight = builder.weight("weight", shape, initialization.weight(sizeOf(shape.slice(1)), shape));
  return convolution(
    x,
    weight,
    bias ? builder.bias("bias", channels, initialization.bias(shape)) : undefined,
    {
      stride: edges(stride, taps.length),
      padding: centred(taps).map((voxels) => dilation * voxels),
      dilation: edges(dilation, taps.length),
      groups,
    },
  );
}

/** A point-wise convolution: each voxel by itself. */
export const pointwiseLayer = (
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  options: Omit<ConvolutionLayer, "kernel" | "stride"> = {},
): Value => convolutionLayer(x, channels, builder, { ...options, kernel: 1 });

interface TransposedConvolutionLayer extends Omit<ConvolutionLayer, "dilation"> {
  /** Voxels added at the end of each axis: 1 lets an odd kernel of stride 2 double the size. */
  readonly outputPadding?: Edges;
}

/** A transposed convolution to `channels`; by default 2×2×2 of stride 2, which doubles the size. */
export function transposedConvolutionLayer(
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  {
    kernel = 2,
    stride = 2,
    groups = 1,
    outputPadding = 0,
    bias = true,
    initialization = lecun,
  }: TransposedConvolutionLayer = {},
): Value {
  const axes = x.shape.length - 2;
  const taps = edges(kernel, axes);
  const steps = edges(stride, axes);
  const shape = [x.shape[1], channels / groups, ...taps];
  const fanIn = ((x.shape[1] / groups) * sizeOf(taps)) / sizeOf(steps);
  const weight = builder.weight("weight", shape, initialization.weight(fanIn, shape));
  return transposedConvolution(
    x,
    weight,
    bias ? builder.bias("bias", channels, initialization.bias(shape)) : undefined,
    { stride: steps, padding: centred(taps), groups, outputPadding: edges(outputPadding, axes) },
  );
}

/** A linear layer over the last axis: x [..., C] to [..., features]. */
export function linearLayer(
  x: Value,
  features: number,
  builder: NetworkBuilder,
  { bias = true, initialization = lecun }: Pick<ConvolutionLayer, "bias" | "initialization"> = {},
): Value {
  const inputs = x.shape[x.shape.length - 1];
  const shape = [features, inputs];
  const y = linear(x, builder.weight("weight", shape, initialization.weight(inputs, shape)));
  return bias ? add(y, builder.bias("bias", features, initialization.bias(shape))) : y;
}

/** A convolution without bias of the first `convolved` channels; the others pass untouched (Chen, CVPR 2023). */
export function partialConvolutionLayer(
  x: Value,
  convolved: number,
  kernel: number,
  builder: NetworkBuilder,
): Value {
  const initialization = he();
  if (convolved === x.shape[1])
    return convolutionLayer(x, convolved, builder, { kernel, bias: false, initialization });
  const shape = [convolved, convolved, kernel, kernel, kernel];
  return partialConvolution(
    x,
    builder.weight("weight", shape, initialization.weight(convolved * kernel ** 3, shape)),
  );
}

/** A 3×3×3 deformable convolution to `channels`, with a convolution of its own that finds the offsets. */
export function deformableConvolutionLayer(
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  initialization: { readonly offsets: Initialization; readonly convolution: Initialization },
): Value {
  const kernel = [3, 3, 3];
  const shape = [channels, x.shape[1], ...kernel];
  const fanIn = sizeOf(shape.slice(1));
  const weight = builder.weight("weight", shape, initialization.convolution.weight(fanIn, shape));
  const bias = builder.bias("bias", channels, initialization.convolution.bias(shape));
  const offsets = within("conv_offset", () =>
    convolutionLayer(x, 3 * sizeOf(kernel), builder, { initialization: initialization.offsets }),
  );
  return deformableConvolution(x, offsets, weight, bias);
}
