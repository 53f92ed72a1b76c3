// Convolution and transposed convolution over any number of spatial axes.
import {
  applySingle,
  type Node,
  type OnnxEmitter,
  type Operation,
  type Tensor,
  type Value,
} from "../graph.js";
import { formatShape, range, type Shape, ShapeError, sizeOf, stridesOf } from "../shape.js";
import { concat, flip, pad, reshape, slice, transpose } from "./layout.js";
import { matmul } from "./matmul.js";
import { sum } from "./reduction.js";

/** Options of a convolution, one number an axis of space (D, H, W). */
export interface ConvolutionOptions {
  readonly stride: readonly number[];
  /** Zeros added at both ends. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

export interface TransposedConvolutionOptions extends ConvolutionOptions {
  /** Elements added at the end of the result, as in PyTorch. */
  readonly outputPadding: readonly number[];
}

function checkChannels(
  x: Shape,
  w: Shape,
  { groups, ...options }: ConvolutionOptions,
  channelsOfWeight: number,
): void {
  const rank = x.length - 2;
  if (w.length !== x.length) throw new ShapeError(`input of ${x.length} axes and weight of ${w.length}`);
  for (const [name, values] of Object.entries(options))
    if (values.length !== rank)
      throw new ShapeError(`${name} ${formatShape(values)} for ${rank} axes of space`);
    else if (!values.every((value) => Number.isInteger(value) && value >= 0))
      throw new ShapeError(`${name} ${formatShape(values)} is not made of whole numbers`);
  if (x[1] % groups !== 0 || w[0] % groups !== 0)
    throw new ShapeError(`channels do not divide into ${groups} groups`);
  if (x[1] !== channelsOfWeight)
    throw new ShapeError(`the weight expects ${channelsOfWeight} channels, not ${x[1]}`);
}

function checkBias(bias: Shape | undefined, channels: number): void {
  if (bias && (bias.length !== 1 || bias[0] !== channels))
    throw new ShapeError(`the bias is not of shape [${channels}]`);
}

/** The attributes ONNX's Conv and ConvTranspose share. */
const onnxAttributes = (kernel: Shape, { stride, padding, dilation, groups }: ConvolutionOptions) => ({
  kernel_shape: kernel,
  strides: stride,
  pads: [...padding, ...padding],
  dilations: dilation,
  group: groups,
});

/** Takes products of a convolution that follow each other: flat offsets of the first, and steps to the next one. */
type ProductRow = (
  ...row: readonly [
    x: number,
    stepX: number,
    w: number,
    stepW: number,
    y: number,
    stepY: number,
    count: number,
  ]
) => void;

/** Calls `visit` with all products of a convolution of one output, in rows along its last axis or along that of its kernel. */
function forEachProductRow(
  x: Shape,
  w: Shape,
  y: Shape,
  { stride, padding, dilation, groups }: ConvolutionOptions,
  visit: ProductRow,
): void {
  const [batch, channels, ...space] = y;
  const kernel = w.slice(2);
  const [strideX, strideW, strideY] = [stridesOf(x), stridesOf(w), stridesOf(y)];
  const perGroup = channels / groups;
  const last = space.length - 1;
  // Along the last axis neighbours lie side by side in all three; the longer of outputs and taps makes the rows.
  const outputs = { count: space[last], step: stride[last], stepW: 0, stepY: 1 };
  const taps = { count: kernel[last], step: dilation[last], stepW: 1, stepY: 0 };
  const [across, along] = outputs.count >= taps.count ? [taps, outputs] : [outputs, taps];
  const rows = (atX: number, atW: number, atY: number): void => {
    for (let n = 0; n < across.count; n++) {
      const from = n * across.step - padding[last];
      const first = from < 0 ? Math.ceil(-from / along.step) : 0;
      const end = Math.min(along.count, Math.ceil((x[last + 2] - from) / along.step));
      visit(
        atX + from + first * along.step,
        along.step,
        atW + n * across.stepW + first * along.stepW,
        along.stepW,
        atY + n * across.stepY + first * along.stepY,
        along.stepY,
        end - first,
      );
    }
  };
  const walk = (axis: number, atX: number, atW: number, atY: number): void => {
    if (axis === last) {
      rows(atX, atW, atY);
      return;
    }
    for (let out = 0; out < space[axis]; out++)
      for (let tap = 0; tap < kernel[axis]; tap++) {
        const at = out * stride[axis] - padding[axis] + tap * dilation[axis];
        if (at >= 0 && at < x[axis + 2])
          walk(
            axis + 1,
            atX + at * strideX[axis + 2],
            atW + tap * strideW[axis + 2],
            atY + out * strideY[axis + 2],
          );
      }
  };
  for (let n = 0; n < batch; n++)
    for (let channel = 0; channel < channels; channel++)
      for (let inner = 0; inner < w[1]; inner++) {
        const source = Math.floor(channel / perGroup) * w[1] + inner;
        walk(
          0,
          n * strideX[0] + source * strideX[1],
          channel * strideW[0] + inner * strideW[1],
          n * strideY[0] + channel * strideY[1],
        );
      }
}

function fillWithBias(shape: Shape, bias: Tensor | undefined): Float64Array {
  const inner = sizeOf(shape.slice(2));
  return Float64Array.from({ length: sizeOf(shape) }, (_, element) =>
    bias ? bias.data[Math.floor(element / inner) % shape[1]] : 0,
  );
}

const biasGradient = (bias: Value | undefined, dy: Value): Value[] =>
  bias ? [reshape(sum(dy, [0, ...range(dy.shape.length - 2, 2)]), bias.shape)] : [];

const convolutionOperation: Operation<ConvolutionOptions> = {
  name: "convolution",
  shape: ([x, w, bias], options) => {
    checkChannels(x, w, options, w[1] * options.groups);
    checkBias(bias, w[0]);
    const space = x.slice(2).map((length, axis) => {
      const reach = options.dilation[axis] * (w[axis + 2] - 1) + 1;
      return Math.floor((length + 2 * options.padding[axis] - reach) / options.stride[axis]) + 1;
    });
    if (space.some((length) => length < 1))
      throw new ShapeError("the kernel is larger than the padded input");
    return [[x[0], w[0], ...space]];
  },
  gradient: ({ inputs: [x, w, bias], attributes }, [dy]) => {
    if (!dy) return [null, null, null];
    return [
      convolutionInputGradient(dy, x.shape, w, attributes),
      convolutionWeightGradient(x, dy, w.shape, attributes),
      ...biasGradient(bias, dy),
    ];
  },
  reference: ([x, w, bias], { attributes, outputs }) => {
    const result = fillWithBias(outputs[0].shape, bias);
    forEachProductRow(
      x.shape,
      w.shape,
      outputs[0].shape,
      attributes,
      (atX, stepX, atW, stepW, atY, stepY, n) => {
        for (let at = 0; at < n; at++)
          result[atY + at * stepY] += x.data[atX + at * stepX] * w.data[atW + at * stepW];
      },
    );
    return [result];
  },
  lowered: (node, target) => {
    const isGrouped = node.inputs[0].shape.length === 5 && node.attributes.groups > 1;
    return target === "webgpu" && isGrouped ? [sliceConvolution(node)] : null;
  },
  onnx: (node, emitter) =>
    emitter.emit("Conv", node, onnxAttributes(node.inputs[1].shape.slice(2), node.attributes)),
  cost: ({ inputs: [, w], outputs: [y] }) => {
    const multiplyAdds = sizeOf(y.shape) * sizeOf(w.shape.slice(1));
    return { multiplyAdds, multiplyAddsThop: multiplyAdds };
  },
};

/**
 * A 3D convolution as a 2D convolution of slices [N·D, C·kD, H, W]: taps along the depth become channels. ONNX Runtime's
 * WebGPU provider has groups in 2D alone.
 */
function sliceConvolution({
  inputs: [x, w, bias],
  outputs: [y],
  attributes,
}: Node<ConvolutionOptions>): Value {
  const { stride, padding, dilation, groups } = attributes;
  const [batch, channels, , height, width] = x.shape;
  const [, outputs, depth, ...plane] = y.shape;
  const [, ofGroup, taps, ...kernel] = w.shape;
  const pixels = height * width;
  const step = stride[0];
  const length = x.shape[2] + 2 * padding[0];
  const behind = padding[0] + ((step - (length % step)) % step);
  const padded = pad(
    reshape(x, [batch, channels, x.shape[2], pixels]),
    [0, 0, padding[0], 0],
    [0, 0, behind, 0],
  );
  // Rows of `step` slices: a tap reads the same place of each row.
  const rows = Math.ceil(length / step);
  const slices = reshape(transpose(padded, [0, 2, 1, 3]), [batch, rows, step * channels, pixels]);
  const shifted = range(taps).map((tap) => {
    const first = tap * dilation[0];
    const start = [0, Math.floor(first / step), (first % step) * channels, 0];
    return reshape(slice(slices, start, [batch, depth, channels, pixels]), [
      batch,
      depth,
      channels,
      1,
      pixels,
    ]);
  });
  const convolved = convolution(
    reshape(concat(shifted, 3), [batch * depth, channels * taps, height, width]),
    reshape(w, [outputs, ofGroup * taps, ...kernel]),
    bias,
    { stride: stride.slice(1), padding: padding.slice(1), dilation: dilation.slice(1), groups },
  );
  const stacked = reshape(convolved, [batch, depth, outputs, sizeOf(plane)]);
  return reshape(transpose(stacked, [0, 2, 1, 3]), y.shape);
}

const transposedConvolutionOperation: Operation<TransposedConvolutionOptions> = {
  name: "transposedConvolution",
  shape: ([x, w, bias], options) => {
    checkChannels(x, w, options, w[0]);
    checkBias(bias, w[1] * options.groups);
    const { stride, padding, dilation, outputPadding } = options;
    const space = x
      .slice(2)
      .map(
        (length, axis) =>
          (length - 1) * stride[axis] -
          2 * padding[axis] +
          dilation[axis] * (w[axis + 2] - 1) +
          outputPadding[axis] +
          1,
      );
    if (space.some((length) => length < 1)) throw new ShapeError("the padding leaves nothing of the result");
    return [[x[0], w[1] * options.groups, ...space]];
  },
  gradient: ({ inputs: [x, w, bias], attributes }, [dy]) => {
    if (!dy) return [null, null, null];
    const whole = convolution(dy, w, undefined, attributes);
    const dx = slice(
      whole,
      x.shape.map(() => 0),
      x.shape,
    );
    return [dx, convolutionWeightGradient(dy, x, w.shape, attributes), ...biasGradient(bias, dy)];
  },
  reference: ([x, w, bias], { attributes, outputs }) => {
    const result = fillWithBias(outputs[0].shape, bias);
    // The convolution that it is the transpose of has the two the other way round.
    forEachProductRow(
      outputs[0].shape,
      w.shape,
      x.shape,
      attributes,
      (atY, stepY, atW, stepW, atX, stepX, n) => {
        for (let at = 0; at < n; at++)
          result[atY + at * stepY] += x.data[atX + at * stepX] * w.data[atW + at * stepW];
      },
    );
    return [result];
  },
  lowered: (node, target) => {
    const isOverlapping = node.inputs[0].shape.length === 5 && !fillsBlocks(node);
    return target === "webgpu" && isOverlapping ? [spreadConvolution(node)] : null;
  },
  onnx: (node, emitter) => {
    if (fillsBlocks(node)) return emitBlocks(node, emitter);
    emitter.emit("ConvTranspose", node, {
      ...onnxAttributes(node.inputs[1].shape.slice(2), node.attributes),
      output_padding: node.attributes.outputPadding,
    });
  },
  cost: transposedCost,
};

/**
 * A transposed convolution as a convolution of stride 1, by the kernel read backwards, over an input whose elements stand a
 * stride apart with zeros between. ONNX Runtime's WebGPU provider has no transposed convolution in 3D.
 */
function spreadConvolution({ inputs: [x, w, bias], attributes }: Node<TransposedConvolutionOptions>): Value {
  const { stride, dilation, groups } = attributes;
  const [batch, channels, ...space] = x.shape;
  const [, ofGroup, ...kernel] = w.shape;
  const spread = stride.reduce((y, step, axis) => {
    const lengths = space.map((length, a) => (a < axis ? length * stride[a] : length));
    const outer = batch * channels * sizeOf(lengths.slice(0, axis));
    const inner = sizeOf(lengths.slice(axis + 1));
    const apart = pad(reshape(y, [outer, lengths[axis], 1, inner]), [0, 0, 0, 0], [0, 0, step - 1, 0]);
    return reshape(apart, [batch, channels, ...lengths.with(axis, lengths[axis] * step)]);
  }, x);
  // What there is to add before and behind each axis; where it is negative, to take away.
  const { padding, outputPadding } = attributes;
  const before = kernel.map((edge, axis) => dilation[axis] * (edge - 1) - padding[axis]);
  const behind = before.map((count, axis) => count + outputPadding[axis] + 1 - stride[axis]);
  const taken = before.map((count) => Math.max(0, -count));
  const kept = taken.map((count, axis) => space[axis] * stride[axis] - count - Math.max(0, -behind[axis]));
  const padded = pad(
    slice(spread, [0, 0, ...taken], [batch, channels, ...kept]),
    [0, 0, ...before.map((count) => Math.max(0, count))],
    [0, 0, ...behind.map((count) => Math.max(0, count))],
  );
  const taps = sizeOf(kernel);
  const turned = transpose(reshape(w, [groups, channels / groups, ofGroup, taps]), [0, 2, 1, 3]);
  const backwards = reshape(flip(turned, [3]), [groups * ofGroup, channels / groups, ...kernel]);
  const y = convolution(padded, backwards, bias, { dilation, groups });
  return groups > 1 ? sliceConvolution(y.node as Node<ConvolutionOptions>) : y;
}

/** Whether each element of the input makes a block of the output that no other one touches. */
function fillsBlocks({ inputs: [, w], attributes }: Node<TransposedConvolutionOptions>): boolean {
  const { stride, padding, outputPadding, dilation, groups } = attributes;
  const isFree = [...padding, ...outputPadding].every((length) => length === 0);
  return groups === 1 && isFree && stride.every((s, axis) => s === w.shape[axis + 2] && dilation[axis] === 1);
}

/**
 * A transposed convolution that fills blocks, as a point-wise convolution to all taps [N, O·taps, …space], whose axes
 * of taps are then moved next to their axes of space, the last one first. ONNX Runtime's ConvTranspose takes more than
 * twice as long on the CPU, and its WebGPU provider has none in 3D.
 */
function emitBlocks(
  { inputs: [x, w, bias], outputs, attributes: { stride } }: Node<TransposedConvolutionOptions>,
  emitter: OnnxEmitter,
): void {
  const [batch, inputs, ...space] = x.shape;
  const channels = w.shape[1];
  const taps = sizeOf(stride);
  const reshaped = (name: string, shape: Shape) => emitter.node("Reshape", [name, emitter.integers(shape)]);
  const transposed = (name: string, perm: readonly number[]) => emitter.node("Transpose", [name], { perm });

  const matrix = transposed(reshaped(emitter.nameOf(w), [inputs, channels * taps]), [1, 0]);
  const kernel = reshaped(matrix, [channels * taps, inputs, ...space.map(() => 1)]);
  const operands = [emitter.nameOf(x), kernel];
  if (bias) {
    const column = reshaped(emitter.nameOf(bias), [channels, 1]);
    const repeated = emitter.node("Expand", [column, emitter.integers([channels, taps])]);
    operands.push(reshaped(repeated, [channels * taps]));
  }
  let blocks = emitter.node("Conv", operands, { kernel_shape: space.map(() => 1) });
  for (let axis = space.length - 1; axis >= 0; axis--) {
    const before = batch * channels * sizeOf(stride.slice(0, axis));
    const row = sizeOf(space.slice(axis + 1)) * sizeOf(stride.slice(axis + 1));
    const planes = sizeOf(space.slice(0, axis + 1));
    blocks = transposed(reshaped(blocks, [before, stride[axis], planes, row]), [0, 2, 1, 3]);
  }
  emitter.nodeTo(outputs, "Reshape", [blocks, emitter.integers(outputs[0].shape)]);
}

function transposedCost({ inputs: [x, w], outputs: [y] }: Node<TransposedConvolutionOptions>) {
  const perVoxel = sizeOf(w.shape.slice(1));
  return {
    multiplyAdds: sizeOf(x.shape) * perVoxel,
    multiplyAddsThop: (sizeOf(y.shape) / w.shape[1]) * perVoxel * (x.shape[1] / (y.shape[1] / w.shape[1])),
  };
}

/** dX of a convolution from dY. For stride 1 a convolution with the flipped, transposed kernel; else a transposed one. */
function convolutionInputGradient(dy: Value, x: Shape, w: Value, options: ConvolutionOptions): Value {
  const { stride, padding, dilation, groups } = options;
  const kernel = w.shape.slice(2);
  const reach = kernel.map((length, axis) => dilation[axis] * (length - 1));
  const flippable =
    stride.every((length) => length === 1) && reach.every((length, axis) => length >= padding[axis]);
  if (flippable) {
    const [outputs, inputs] = [w.shape[0] / groups, w.shape[1]];
    const axes = range(kernel.length, 3);
    const grouped = transpose(reshape(w, [groups, outputs, inputs, ...kernel]), [0, 2, 1, ...axes]);
    const backward = flip(reshape(grouped, [groups * inputs, outputs, ...kernel]), range(kernel.length, 2));
    return convolution(dy, backward, undefined, {
      stride,
      dilation,
      groups,
      padding: reach.map((length, axis) => length - padding[axis]),
    });
  }
  const outputPadding = x
    .slice(2)
    .map(
      (length, axis) =>
        length - ((dy.shape[axis + 2] - 1) * stride[axis] - 2 * padding[axis] + reach[axis] + 1),
    );
  // ONNX wants an output padding below the stride; what the stride left out at the end is zero and is padded.
  const inside = outputPadding.map((length, axis) => Math.min(length, stride[axis] - 1));
  const dx = transposedConvolution(dy, w, undefined, { ...options, outputPadding: inside });
  const after = [0, 0, ...outputPadding.map((length, axis) => length - inside[axis])];
  return pad(
    dx,
    after.map(() => 0),
    after,
  );
}

/**
 * dW of a convolution with weight shape [O, C/groups, kernel…]: a convolution of X with dY as its kernel, the axes of
 * batch and channel exchanged, and stride and dilation exchanged.
 */
function convolutionWeightGradient(x: Value, dy: Value, w: Shape, options: ConvolutionOptions): Value {
  const { stride, padding, dilation, groups } = options;
  const [batch, channels, ...space] = x.shape;
  const outputs = dy.shape[1];
  const kernel = w.slice(2);
  const pointwise =
    [...kernel, ...stride].every((length) => length === 1) && padding.every((length) => length === 0);
  if (pointwise && groups === 1) return reshape(pointwiseWeightGradient(x, dy), w);
  const reversed = padding.map((length, axis) => dilation[axis] * (kernel[axis] - 1) - length);
  const unstrided = stride.every((length) => length === 1) && reversed.every((length) => length >= 0);
  const swapped = [1, 0, ...range(space.length, 2)];
  if (groups === 1 && unstrided && outputs < channels) {
    // A correlation read backwards has its operands exchanged. The image is unfolded tap by tap, the kernel is not:
    // the one with fewer channels is the image.
    const backwards = convolution(transpose(dy, swapped), transpose(x, swapped), undefined, {
      stride: dilation,
      padding: reversed,
    });
    return flip(backwards, range(space.length, 2));
  }
  const axes = range(space.length, 3);
  const grouped = transpose(reshape(x, [batch, groups, channels / groups, ...space]), [2, 1, 0, ...axes]);
  const image = reshape(grouped, [channels / groups, groups * batch, ...space]);
  const weights = transpose(dy, swapped);
  const correlated = convolution(image, weights, undefined, {
    stride: dilation,
    dilation: stride,
    padding,
    groups,
  });
  // Where the stride does not divide the input, voxels at the end add taps beyond the kernel.
  const taps = slice(
    correlated,
    correlated.shape.map(() => 0),
    [channels / groups, outputs, ...kernel],
  );
  return transpose(taps, swapped);
}

/** Σ over batch and space of dY·Xᵀ, [O, C]. */
function pointwiseWeightGradient(x: Value, dy: Value): Value {
  const rows = (value: Value): Value => {
    const [batch, channels, ...space] = value.shape;
    const swapped = transpose(reshape(value, [batch, channels, sizeOf(space)]), [1, 0, 2]);
    return reshape(swapped, [channels, batch * sizeOf(space)]);
  };
  return matmul(rows(dy), rows(x), { transposeB: true });
}

const perAxis = (value: readonly number[] | undefined, axes: number, otherwise: number): readonly number[] =>
  value ?? new Array<number>(axes).fill(otherwise);

const withDefaults = (options: Partial<ConvolutionOptions>, axes: number): ConvolutionOptions => ({
  stride: perAxis(options.stride, axes, 1),
  padding: perAxis(options.padding, axes, 0),
  dilation: perAxis(options.dilation, axes, 1),
  groups: options.groups ?? 1,
});

/**
 * Convolution of x [N, C, …space] with weight [O, C/groups, …kernel] and bias [O] → [N, O, …]. A cross-correlation, as
 * in every deep-learning library.
 */
export function convolution(
  x: Value,
  weight: Value,
  bias?: Value,
  options: Partial<ConvolutionOptions> = {},
): Value {
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return applySingle(convolutionOperation, inputs, withDefaults(options, x.shape.length - 2));
}

/** The transpose of a convolution: x [N, C, …space], weight [C, O/groups, …kernel], bias [O] → [N, O, …]. */
export function transposedConvolution(
  x: Value,
  weight: Value,
  bias?: Value,
  options: Partial<TransposedConvolutionOptions> = {},
): Value {
  const axes = x.shape.length - 2;
  return applySingle(transposedConvolutionOperation, bias ? [x, weight, bias] : [x, weight], {
    ...withDefaults(options, axes),
    outputPadding: perAxis(options.outputPadding, axes, 0),
  });
}
