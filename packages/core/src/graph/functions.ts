// The building blocks of networks, composed of operations: normalisation, activations, upsampling, attention.
import { shapeError, type Value } from "./graph.js";
import { convolution } from "./operations/convolution.js";
import {
  add,
  divide,
  erf,
  floor,
  maximum,
  multiply,
  neg,
  reciprocal,
  relu,
  sqrt,
  subtract,
} from "./operations/elementwise.js";
import { concat, pad, reshape, split, transpose } from "./operations/layout.js";
import { constant } from "./operations/leaves.js";
import { linear, matmul } from "./operations/matmul.js";
import { mean, moments, softmax, sum } from "./operations/reduction.js";
import { takeRows } from "./operations/rows.js";
import { range, type Shape, SingleValueError, sizeOf } from "./shape.js";

/** Scale and shift of a normalisation, one number a channel [C]. */
export interface Affine {
  readonly weight: Value;
  readonly bias: Value;
}

/** A vector [C] as [1, C, 1, …], to broadcast over a tensor of `rank` axes. */
export function perChannel(vector: Value, rank: number): Value {
  return reshape(vector, [1, vector.shape[0], ...new Array<number>(rank - 2).fill(1)]);
}

function applyAffine(x: Value, affine: Affine | null): Value {
  if (!affine) return x;
  const rank = x.shape.length;
  return add(multiply(x, perChannel(affine.weight, rank)), perChannel(affine.bias, rank));
}

/** (x − mean)/√(variance + ε) over each row of `rows` equal parts of x. */
function standardizeRows(x: Value, rows: number, epsilon: number): Value {
  const flat = reshape(x, [rows, sizeOf(x.shape) / rows]);
  const { mean: average, reciprocalDeviation } = moments(flat, epsilon);
  return reshape(multiply(subtract(flat, average), reciprocalDeviation), x.shape);
}

/** Instance normalisation of x [N, C, …space] over space (Ulyanov 2016), biased variance. */
export function instanceNorm(x: Value, affine: Affine | null, epsilon = 1e-5): Value {
  return applyAffine(standardizeRows(x, x.shape[0] * x.shape[1], epsilon), affine);
}

/** Group normalisation of x [N, C, …space] over space and the channels of a group (Wu 2018). */
export function groupNorm(x: Value, groups: number, affine: Affine | null, epsilon = 1e-5): Value {
  if (x.shape[1] % groups !== 0)
    throw shapeError("group norm", `channels do not divide into ${groups} groups`, [x]);
  return applyAffine(standardizeRows(x, x.shape[0] * groups, epsilon), affine);
}

/** Layer normalisation over the last axis; weight and bias of its length. */
export function layerNorm(x: Value, affine: Affine | null, epsilon = 1e-5): Value {
  const rows = sizeOf(x.shape.slice(0, -1));
  const standard = standardizeRows(x, rows, epsilon);
  return affine ? add(multiply(standard, affine.weight), affine.bias) : standard;
}

/** Layer normalisation over the channels of x [N, C, …space], at each voxel. */
export function channelLayerNorm(x: Value, affine: Affine | null, epsilon = 1e-5): Value {
  const centred = subtract(x, mean(x, [1]));
  const variance = mean(multiply(centred, centred), [1]);
  return applyAffine(multiply(centred, reciprocal(sqrt(add(variance, epsilon)))), affine);
}

/** Batch normalisation in training: over batch and space, and the running statistics that inference will use. */
export function batchNormTraining(
  x: Value,
  affine: Affine | null,
  running: { readonly mean: Value; readonly variance: Value },
  { epsilon = 1e-5, momentum = 0.1 } = {},
): { y: Value; runningMean: Value; runningVariance: Value } {
  const axes = [0, ...range(x.shape.length - 2, 2)];
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  if (count < 2)
    throw shapeError("batch norm", "statistics of a batch need two values a channel", [x], SingleValueError);
  const average = mean(x, axes);
  const centred = subtract(x, average);
  const variance = mean(multiply(centred, centred), axes);
  const y = applyAffine(multiply(centred, reciprocal(sqrt(add(variance, epsilon)))), affine);
  const blend = (old: Value, batch: Value): Value =>
    add(multiply(old, 1 - momentum), multiply(reshape(batch, old.shape), momentum));
  return {
    y,
    runningMean: blend(running.mean, average),
    // As in PyTorch: the running variance is the unbiased one.
    runningVariance: blend(running.variance, multiply(variance, count / (count - 1))),
  };
}

/** Batch normalisation in inference, by the running statistics. */
export function batchNormInference(
  x: Value,
  affine: Affine | null,
  running: { readonly mean: Value; readonly variance: Value },
  epsilon = 1e-5,
): Value {
  const rank = x.shape.length;
  const scale = reciprocal(sqrt(add(running.variance, epsilon)));
  return applyAffine(multiply(subtract(x, perChannel(running.mean, rank)), perChannel(scale, rank)), affine);
}

/** x·Φ(x) with the exact error function (Hendrycks 2016). */
export function gelu(x: Value): Value {
  return multiply(multiply(x, 0.5), add(erf(multiply(x, Math.SQRT1_2)), 1));
}

/** x where x > 0, else slope · x, with a learned slope for each channel, or one for all. */
export function prelu(x: Value, slope: Value): Value {
  const below = relu(neg(x));
  return subtract(relu(x), multiply(below, slope.shape[0] === 1 ? slope : perChannel(slope, x.shape.length)));
}

/** softmax(q·kᵀ/√depth + bias)·v; q, k, v [..., tokens, depth]. */
export function attention(q: Value, k: Value, v: Value, bias: Value | null = null): Value {
  const depth = q.shape[q.shape.length - 1];
  const scores = multiply(matmul(q, k, { transposeB: true }), 1 / Math.sqrt(depth));
  const biased = bias ? add(scores, bias) : scores;
  return matmul(softmax(biased, biased.shape.length - 1), v);
}

/** x over its length along an axis, as PyTorch's `normalize`; the length of zeros is taken as 1e-12. */
export function unitLength(x: Value, axis: number): Value {
  return divide(x, maximum(sqrt(sum(multiply(x, x), [axis])), 1e-12));
}

/** The matrix [to, from] that interpolates linearly along one axis, as PyTorch's and ONNX's "linear". */
function interpolationMatrix(from: number, scale: number, alignCorners: boolean): Float32Array {
  const to = from * scale;
  const matrix = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    const aligned = to > 1 ? (row * (from - 1)) / (to - 1) : 0;
    const position = alignCorners ? aligned : Math.max(0, (row + 0.5) / scale - 0.5);
    const low = Math.min(Math.floor(position), from - 1);
    const high = Math.min(low + 1, from - 1);
    matrix[row * from + low] += 1 - (position - low);
    matrix[row * from + high] += position - low;
  }
  return matrix;
}

/** x with one axis multiplied by a constant matrix [to, from]. */
function alongAxis(x: Value, axis: number, to: number, matrix: Float32Array): Value {
  const from = x.shape[axis];
  const before = sizeOf(x.shape.slice(0, axis));
  const after = sizeOf(x.shape.slice(axis + 1));
  const shape = x.shape.map((length, a) => (a === axis ? to : length));
  const product = matmul(constant([1, to, from], matrix), reshape(x, [before, from, after]));
  return reshape(product, shape);
}

/** Linear upsampling of x [N, C, …space] by whole factors: one matrix product an axis, so its gradient is free. */
export function upsampleLinear(x: Value, scale: Shape, alignCorners = false): Value {
  return scale.reduce(
    (value, factor, index) =>
      factor === 1
        ? value
        : alongAxis(
            value,
            index + 2,
            value.shape[index + 2] * factor,
            interpolationMatrix(value.shape[index + 2], factor, alignCorners),
          ),
    x,
  );
}

/** Nearest upsampling of x [N, C, …space] by whole factors: every voxel repeated. */
export function upsampleNearest(x: Value, scale: Shape): Value {
  return scale.reduce((value, factor, index) => {
    if (factor === 1) return value;
    const axis = index + 2;
    const column = reshape(value, [...value.shape.slice(0, axis + 1), 1, ...value.shape.slice(axis + 1)]);
    const repeated = concat(new Array<Value>(factor).fill(column), axis + 1);
    return reshape(
      repeated,
      value.shape.map((length, a) => (a === axis ? length * factor : length)),
    );
  }, x);
}

/** Partial convolution (Chen, CVPR 2023): a dense convolution of the first channels; the others pass untouched. */
export function partialConvolution(x: Value, weight: Value): Value {
  const [channels] = weight.shape;
  const [head, rest] = split(x, 1, [channels, x.shape[1] - channels]);
  const padding = weight.shape.slice(2).map((length) => (length - 1) / 2);
  return concat([convolution(head, weight, undefined, { padding }), rest], 1);
}

/**
 * Instance normalisation and a dense point-wise convolution in one: x [N, C, …space], weight [O, C, 1, …] → [N, O, …space].
 * Both are affine in x, so the statistics are folded into the weights and the normalised tensor is never written:
 * W·((x − μ)/σ·γ + β) + b = (W·γ/σ)·x + (b + W·(β − μ·γ/σ)).
 */
export function normalizedPointwise(
  x: Value,
  norm: Affine,
  weight: Value,
  bias: Value,
  epsilon = 1e-5,
): Value {
  const [batch, channels, ...space] = x.shape;
  const outputs = weight.shape[0];
  const { mean: average, reciprocalDeviation } = moments(
    reshape(x, [batch * channels, sizeOf(space)]),
    epsilon,
  );
  const scale = multiply(
    reshape(reciprocalDeviation, [batch, 1, channels]),
    reshape(norm.weight, [1, 1, channels]),
  );
  const shift = subtract(
    reshape(norm.bias, [1, 1, channels]),
    multiply(reshape(average, [batch, 1, channels]), scale),
  );
  const matrix = reshape(weight, [1, outputs, channels]);
  const folded = multiply(matrix, scale);
  const offset = add(sum(multiply(matrix, shift), [2]), reshape(bias, [1, outputs, 1]));
  return samplewisePointwise(x, folded, reshape(offset, [batch, outputs]));
}

/** A point-wise convolution with weights of its own for each sample: weight [N, O, C], bias [N, O]. */
export function samplewisePointwise(x: Value, weight: Value, bias: Value): Value {
  const [batch, channels, ...space] = x.shape;
  const outputs = weight.shape[1];
  const ones = space.map(() => 1);
  const y = convolution(
    reshape(x, [1, batch * channels, ...space]),
    reshape(weight, [batch * outputs, channels, ...ones]),
    reshape(bias, [batch * outputs]),
    { groups: batch },
  );
  return reshape(y, [batch, outputs, ...space]);
}

/** Tokens [N, D·H·W, C] from a feature map [N, C, D, H, W]. */
export function tokensOf(x: Value): Value {
  const [batch, channels, ...space] = x.shape;
  return transpose(reshape(x, [batch, channels, sizeOf(space)]), [0, 2, 1]);
}

/**
 * x [N, C, D, H, W] between its voxels, by trilinear interpolation with zeros outside: [N, P, C].
 * @param positions (z, y, x) in voxels for each of P places, [N, P, 3]. They have a gradient too.
 */
export function sampleTrilinear(x: Value, positions: Value): Value {
  const [batch, channels, ...space] = x.shape;
  const count = positions.shape[1];
  // From −1 to the length all is zero or fades to it. One voxel of zeros before, and two behind for the upper neighbours.
  const limits = constant([3], space);
  const inside = neg(maximum(neg(maximum(positions, -1)), neg(limits)));
  const low = floor(inside);
  const upper = split(subtract(inside, low), 2, [1, 1, 1]);
  const [z, y, left] = split(low, 2, [1, 1, 1]);
  const [depth, height, width] = space.map((length) => length + 3);
  const rows = transpose(pad(x, [0, 0, 1, 1, 1], [0, 0, 2, 2, 2]), [0, 2, 3, 4, 1]);
  const table = reshape(rows, [batch * depth * height * width, channels]);
  const samples = constant(
    [batch, 1, 1],
    range(batch).map((n) => n * depth * height * width),
  );
  const line = add(multiply(add(z, 1), height), add(y, 1));
  const first = add(samples, add(multiply(line, width), add(left, 1)));
  const corners = [0, 1].flatMap((dz) => [0, 1].flatMap((dy) => [0, 1].map((dx) => [dz, dy, dx])));
  const parts = corners.map((corner) => {
    const [dz, dy, dx] = corner;
    const at = add(first, (dz * height + dy) * width + dx);
    const weights = corner.map((isUpper, axis) => (isUpper ? upper[axis] : subtract(1, upper[axis])));
    const weight = multiply(multiply(weights[0], weights[1]), weights[2]);
    const taken = reshape(takeRows(table, reshape(at, [batch * count])), [batch, count, channels]);
    return multiply(taken, weight);
  });
  return parts.reduce((a, b) => add(a, b));
}

/**
 * Deformable convolution (Dai 2017) in three dimensions as D3D (Ying 2020) has it, of stride 1 and with the size kept: each
 * tap of each voxel is taken where its offset says, by trilinear interpolation with zeros outside.
 * @param offsets (z, y, x) of each tap in voxels, [N, 3·taps, D, H, W]
 * @param weight [O, C, kd, kh, kw], of odd edges
 */
export function deformableConvolution(x: Value, offsets: Value, weight: Value, bias: Value): Value {
  const [batch, channels, ...space] = x.shape;
  const [outputs, , ...kernel] = weight.shape;
  const [voxels, taps] = [sizeOf(space), sizeOf(kernel)];
  const places = (box: Shape, origin: number[]): number[] =>
    range(sizeOf(box)).flatMap((index) => {
      const [, height, width] = box;
      const at = [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width];
      return at.map((position, axis) => position + origin[axis]);
    });
  const ofVoxels = constant([voxels, 1, 3], places(space, [0, 0, 0]));
  const ofTaps = constant(
    [1, taps, 3],
    places(
      kernel,
      kernel.map((edge) => (1 - edge) / 2),
    ),
  );
  const byVoxel = transpose(reshape(offsets, [batch, 3 * taps, voxels]), [0, 2, 1]);
  const positions = add(add(reshape(byVoxel, [batch, voxels, taps, 3]), ofVoxels), ofTaps);
  const taken = sampleTrilinear(x, reshape(positions, [batch, voxels * taps, 3]));
  const columns = reshape(taken, [batch, voxels, taps * channels]);
  const matrix = reshape(transpose(reshape(weight, [outputs, channels, taps]), [0, 2, 1]), [
    outputs,
    taps * channels,
  ]);
  const y = transpose(linear(columns, matrix), [0, 2, 1]);
  return add(reshape(y, [batch, outputs, ...space]), perChannel(bias, x.shape.length));
}
