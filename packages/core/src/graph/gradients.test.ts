// Every gradient against finite differences in double precision, and both engines against each other, on random shapes.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { differentiate } from "./differentiate.js";
import { evaluate } from "./evaluate.js";
import * as functions from "./functions.js";
import type { Value } from "./graph.js";
import {
  type Differentiable,
  expectGradients,
  expectSameOnOnnxRuntime,
  type Kind,
} from "./graph.test-helper.js";
import * as convolutions from "./operations/convolution.js";
import * as elementwise from "./operations/elementwise.js";
import * as layout from "./operations/layout.js";
import { constant, input, parameter } from "./operations/leaves.js";
import * as matrices from "./operations/matmul.js";
import * as pooling from "./operations/pooling.js";
import * as reductions from "./operations/reduction.js";
import * as chosenRows from "./operations/rows.js";
import * as optimizers from "./optimizers.js";
import { range, type Shape, sizeOf } from "./shape.js";

const { add, multiply, subtract } = elementwise;
const { split } = layout;
const { sum } = reductions;

type Row = fc.Arbitrary<Differentiable>;

const length = (max = 3, min = 1) => fc.integer({ min, max });
const shapeOf = (rank: number, max = 3, min = 1) =>
  fc.array(length(max, min), { minLength: rank, maxLength: rank });
const anyShape = fc.integer({ min: 1, max: 4 }).chain((rank) => shapeOf(rank));
/** [N, C, D, H, W] with space of at least `least` voxels an axis. */
const image = (least = 1, most = 3) =>
  fc
    .tuple(length(2), length(4), shapeOf(3, most, least))
    .map(([batch, channels, space]) => [batch, channels, ...space]);
/** A shape and another that broadcasts with it. */
const broadcastPair = anyShape.chain((shape) =>
  fc
    .tuple(
      fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length }),
      fc.integer({ min: 0, max: shape.length }),
    )
    .map(
      ([ones, dropped]) =>
        [shape, shape.map((count, axis) => (ones[axis] ? 1 : count)).slice(dropped)] as const,
    ),
);

const unary = (build: (x: Value) => Value, kind: Kind = "any"): Row =>
  anyShape.map((shape) => ({ inputs: [{ shape, kind }], build }));

const binary = (build: (a: Value, b: Value) => Value, kind: Kind = "any"): Row =>
  fc.tuple(broadcastPair, fc.boolean()).map(([[wide, narrow], swapped]) => ({
    inputs: (swapped ? [narrow, wide] : [wide, narrow]).map((shape) => ({ shape, kind })),
    build,
  }));

/** Normalisations over an image, with affine parameters or without. */
const normalization = (build: (x: Value, affine: functions.Affine | null) => Value, images = image(2)): Row =>
  fc.tuple(images, fc.boolean()).map(([shape, affine]) => ({
    inputs: [{ shape }, ...(affine ? [{ shape: [shape[1]] }, { shape: [shape[1]] }] : [])],
    build: (x, weight, bias) => build(x, weight ? { weight, bias } : null),
  }));

const alongAnAxis = (build: (x: Value, axis: number) => Value, kind: Kind = "any"): Row =>
  anyShape
    .chain((shape) => fc.tuple(fc.constant(shape), fc.nat({ max: shape.length - 1 })))
    .map(([shape, axis]) => ({ inputs: [{ shape, kind }], build: (x) => build(x, axis) }));

/** Positions from −1.9 to 3.9, none near a whole number, where interpolation has a kink. */
const betweenVoxels = (values: Value): Value => {
  const middles = Array.from({ length: sizeOf(values.shape) }, (_, index) => ((index * 7) % 6) - 1.5);
  return add(multiply(elementwise.tanh(values), 0.4), constant(values.shape, middles));
};

/** A table's rows, some named several times. */
const chosen = fc
  .record({ rows: length(4), width: length(), drawn: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }) })
  .map(({ rows, width, drawn }) => ({ rows, width, indices: drawn.map((index) => index % rows) }));

const subsetOfAxes = (shape: Shape) => fc.subarray(range(shape.length), { minLength: 1 });

/** Shapes and options of convolutions over one to three axes of space; the kernel always fits. */
const convolutionSetup = fc
  .record({
    rank: length(3),
    batch: length(2),
    groups: length(2),
    inputs: length(2),
    outputs: length(2),
    bias: fc.boolean(),
  })
  .chain((setup) => {
    const perAxis = (max: number, min = 1) =>
      fc.array(length(max, min), { minLength: setup.rank, maxLength: setup.rank });
    return fc.record({
      setup: fc.constant(setup),
      kernel: perAxis(3),
      stride: perAxis(2),
      dilation: perAxis(2),
      padding: perAxis(2, 0),
      beyond: perAxis(2, 0),
    });
  });

const convolutionRow: Row = convolutionSetup.map(({ setup, kernel, stride, dilation, padding, beyond }) => {
  const { batch, groups, inputs, outputs, bias } = setup;
  const space = kernel.map((taps, axis) =>
    Math.max(1, dilation[axis] * (taps - 1) + 1 + beyond[axis] - 2 * padding[axis]),
  );
  return {
    inputs: [
      { shape: [batch, inputs * groups, ...space] },
      { shape: [outputs * groups, inputs, ...kernel] },
      ...(bias ? [{ shape: [outputs * groups] }] : []),
    ],
    build: (x, weight, offset) =>
      convolutions.convolution(x, weight, offset, { stride, dilation, padding, groups }),
  };
});

const transposedConvolutionRow: Row = convolutionSetup.map(
  ({ setup, kernel, stride, dilation, padding, beyond }) => {
    const { batch, groups, inputs, outputs, bias } = setup;
    // Two voxels at least, and less padding than the kernel's reach, so that something is left.
    const inside = padding.map((count, axis) =>
      Math.min(count, Math.floor((dilation[axis] * (kernel[axis] - 1)) / 2)),
    );
    const outputPadding = stride.map((count, axis) => Math.min(beyond[axis], count - 1));
    return {
      inputs: [
        { shape: [batch, inputs * groups, ...kernel.map((_, axis) => 1 + beyond[axis])] },
        { shape: [inputs * groups, outputs, ...kernel] },
        ...(bias ? [{ shape: [outputs * groups] }] : []),
      ],
      build: (x, weight, offset) =>
        convolutions.transposedConvolution(x, weight, offset, {
          stride,
          dilation,
          padding: inside,
          groups,
          outputPadding,
        }),
    };
  },
);

const matmulRow: Row = fc
  .record({
    batches: broadcastPair,
    m: length(),
    k: length(),
    n: length(),
    transposeA: fc.boolean(),
    transposeB: fc.boolean(),
    flat: fc.boolean(),
  })
  .map(({ batches: [a, b], m, k, n, transposeA, transposeB, flat }) => ({
    inputs: [
      { shape: [...(flat ? [] : a), ...(transposeA ? [k, m] : [m, k])] },
      { shape: [...(flat ? [] : b), ...(transposeB ? [n, k] : [k, n])] },
    ],
    build: (x, y) => matrices.matmul(x, y, { transposeA, transposeB }),
  }));

/** Windows that leave a rest at the end of an axis, or none. */
const pooled = (build: (x: Value, kernel: Shape) => Value, kind: Kind = "any"): Row =>
  fc
    .tuple(length(2), length(2), shapeOf(3, 2), shapeOf(3, 2), shapeOf(3, 1, 0))
    .map(([batch, channels, kernel, counts, rest]) => ({
      inputs: [
        { shape: [batch, channels, ...kernel.map((edge, axis) => edge * counts[axis] + rest[axis])], kind },
      ],
      build: (x) => build(x, kernel),
    }));

const upsampled = (build: (x: Value, scale: Shape) => Value): Row =>
  fc
    .tuple(image(), shapeOf(3))
    .map(([shape, scale]) => ({ inputs: [{ shape }], build: (x) => build(x, scale) }));

const attentionRow: Row = fc
  .tuple(length(2), length(2), length(3), length(3), fc.boolean())
  .map(([batch, heads, tokens, depth, biased]) => {
    const shape = [batch, heads, tokens, depth];
    return {
      inputs: [{ shape }, { shape }, { shape }, ...(biased ? [{ shape: [heads, tokens, tokens] }] : [])],
      build: (q, k, v, bias) => functions.attention(q, k, v, bias),
    };
  });

const runningOf = (mean: Value, variance: Value) => ({ mean, variance });

/** Adding an operation adds a row; a test below looks for it. */
const rows: Readonly<Record<string, Row>> = {
  // Elementwise.
  add: binary(add),
  subtract: binary(subtract),
  multiply: binary(multiply),
  divide: binary(elementwise.divide, "positive"),
  maximum: fc.tuple(anyShape, fc.double({ min: -1, max: 1, noNaN: true })).map(([shape, bound]) => ({
    // One input holds all numbers, so that none of them are nearly equal.
    inputs: [{ shape: [2, ...shape], kind: "distinct" }],
    build: (x) => {
      const [a, b] = split(x, 0, [1, 1]);
      return [elementwise.maximum(a, b), elementwise.maximum(x, Math.round(bound * 10) / 10)];
    },
  })),
  neg: unary(elementwise.neg),
  exp: unary(elementwise.exp),
  log: unary(elementwise.log, "positive"),
  sqrt: unary(elementwise.sqrt, "positive"),
  reciprocal: unary(elementwise.reciprocal, "awayFromZero"),
  abs: unary(elementwise.abs, "awayFromZero"),
  sigmoid: unary(elementwise.sigmoid),
  tanh: unary(elementwise.tanh),
  softplus: unary(elementwise.softplus),
  erf: unary((x) => elementwise.erf(multiply(x, 2))),
  relu: unary(elementwise.relu, "awayFromZero"),
  leakyRelu: unary((x) => elementwise.leakyRelu(x, 0.1), "awayFromZero"),
  elu: unary((x) => elementwise.elu(x, 0.7), "awayFromZero"),

  // Layout.
  reshape: unary((x) => layout.reshape(x, [...x.shape].reverse())),
  transpose: anyShape
    .chain((shape) =>
      fc.tuple(
        fc.constant(shape),
        fc.shuffledSubarray(range(shape.length), { minLength: shape.length, maxLength: shape.length }),
      ),
    )
    .map(([shape, permutation]) => ({ inputs: [{ shape }], build: (x) => layout.transpose(x, permutation) })),
  slice: fc
    .array(fc.tuple(length(2), length(2, 0), length(2, 0)), { minLength: 1, maxLength: 4 })
    .map((axes) => ({
      inputs: [{ shape: axes.map(([size, before, after]) => size + before + after) }],
      build: (x) =>
        layout.slice(
          x,
          axes.map(([, before]) => before),
          axes.map(([size]) => size),
        ),
    })),
  pad: fc
    .array(fc.tuple(length(), length(2, 0), length(2, 0)), { minLength: 1, maxLength: 4 })
    .map((axes) => ({
      inputs: [{ shape: axes.map(([size]) => size) }],
      build: (x) =>
        layout.pad(
          x,
          axes.map(([, before]) => before),
          axes.map(([, , after]) => after),
          0.5,
        ),
    })),
  concat: fc
    .tuple(shapeOf(3), fc.nat({ max: 2 }), fc.array(length(), { minLength: 1, maxLength: 3 }))
    .map(([shape, axis, sizes]) => ({
      inputs: sizes.map((size) => ({ shape: shape.with(axis, size) })),
      build: (...parts) => layout.concat(parts, axis),
    })),
  split: fc
    .tuple(shapeOf(3), fc.nat({ max: 2 }), fc.array(length(), { minLength: 1, maxLength: 3 }))
    .map(([shape, axis, sizes]) => ({
      inputs: [
        {
          shape: shape.with(
            axis,
            sizes.reduce((a, b) => a + b),
          ),
        },
      ],
      build: (x) => split(x, axis, sizes),
    })),
  flip: anyShape
    .chain((shape) => fc.tuple(fc.constant(shape), subsetOfAxes(shape)))
    .map(([shape, axes]) => ({ inputs: [{ shape }], build: (x) => layout.flip(x, axes) })),
  gather: fc
    .tuple(anyShape, fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 16 }))
    .map(([[rows, ...rest], drawn]) => ({
      inputs: [{ shape: [rows, ...rest] }],
      build: (x) =>
        layout.gather(
          x,
          drawn.map((index) => index % rows),
        ),
    })),
  takeRows: chosen.map(({ rows, width, indices }) => ({
    inputs: [{ shape: [rows, width] }],
    build: (x) => chosenRows.takeRows(x, constant([indices.length], indices)),
  })),
  addRows: chosen.map(({ rows, width, indices }) => ({
    inputs: [{ shape: [indices.length, width] }],
    build: (x) => chosenRows.addRows(x, constant([indices.length], indices), rows),
  })),
  roll: fc
    .integer({ min: -5, max: 5 })
    .chain((shift) => alongAnAxis((x, axis) => layout.roll(x, shift, axis))),

  // Reductions.
  sum: anyShape
    .chain((shape) => fc.tuple(fc.constant(shape), subsetOfAxes(shape)))
    .map(([shape, axes]) => ({ inputs: [{ shape }], build: (x) => sum(x, axes) })),
  mean: anyShape
    .chain((shape) => fc.tuple(fc.constant(shape), subsetOfAxes(shape)))
    .map(([shape, axes]) => ({ inputs: [{ shape }], build: (x) => reductions.mean(x, axes) })),
  expand: anyShape
    .chain((shape) => fc.tuple(fc.constant(shape), subsetOfAxes(shape)))
    .map(([shape, axes]) => ({
      inputs: [{ shape: shape.map((count, axis) => (axes.includes(axis) ? 1 : count)) }],
      build: (x) => reductions.expand(x, shape),
    })),
  moments: fc
    .tuple(length(), length(4, 2), fc.constantFrom("both", "mean", "reciprocalDeviation"))
    .map(([count, size, used]) => ({
      inputs: [{ shape: [count, size] }],
      build: (x) => {
        const { mean, reciprocalDeviation } = reductions.moments(x, 0.1);
        return used === "mean" ? mean : used === "both" ? [mean, reciprocalDeviation] : reciprocalDeviation;
      },
    })),
  softmax: alongAnAxis(reductions.softmax),
  logSoftmax: alongAnAxis(reductions.logSoftmax),

  // Products and convolutions.
  matmul: matmulRow,
  linear: fc.tuple(anyShape, length()).map(([shape, outputs]) => ({
    inputs: [{ shape: [2, ...shape] }, { shape: [outputs, shape[shape.length - 1]] }],
    build: matrices.linear,
  })),
  convolution: convolutionRow,
  transposedConvolution: transposedConvolutionRow,

  // Pooling.
  averagePool: pooled(pooling.averagePool),
  maxPool: pooled(pooling.maxPool, "distinct"),
  globalAveragePool: image().map((shape) => ({ inputs: [{ shape }], build: pooling.globalAveragePool })),

  // Functions.
  perChannel: length(4).map((channels) => ({
    inputs: [{ shape: [channels] }],
    build: (x) => functions.perChannel(x, 5),
  })),
  instanceNorm: normalization((x, affine) => functions.instanceNorm(x, affine, 0.1)),
  groupNorm: fc.constantFrom(1, 2).chain((groups) =>
    normalization(
      (x, affine) => functions.groupNorm(x, groups, affine, 0.1),
      image(2).map(([batch, channels, ...space]) => [batch, channels * groups, ...space]),
    ),
  ),
  layerNorm: fc.tuple(anyShape, fc.boolean()).map(([shape, affine]) => {
    const axis = [shape[shape.length - 1] + 1];
    return {
      inputs: [
        { shape: [...shape.slice(0, -1), ...axis] },
        ...(affine ? [{ shape: axis }, { shape: axis }] : []),
      ],
      build: (x, weight, bias) => functions.layerNorm(x, weight ? { weight, bias } : null, 0.1),
    };
  }),
  channelLayerNorm: normalization(
    (x, affine) => functions.channelLayerNorm(x, affine, 0.1),
    image().map(([batch, channels, ...space]) => [batch, channels + 1, ...space]),
  ),
  batchNormTraining: image(2).map((shape) => ({
    inputs: [{ shape }, ...new Array(4).fill({ shape: [shape[1]] })],
    build: (x, weight, bias, mean, variance) => {
      const result = functions.batchNormTraining(x, { weight, bias }, runningOf(mean, variance), {
        epsilon: 0.1,
      });
      return [result.y, result.runningMean, result.runningVariance];
    },
  })),
  batchNormInference: image().map((shape) => ({
    inputs: [{ shape }, ...new Array(3).fill({ shape: [shape[1]] }), { shape: [shape[1]], kind: "positive" }],
    build: (x, weight, bias, mean, variance) =>
      functions.batchNormInference(x, { weight, bias }, runningOf(mean, variance), 0.1),
  })),
  gelu: unary(functions.gelu),
  prelu: fc.tuple(image(), fc.boolean()).map(([shape, single]) => ({
    inputs: [{ shape, kind: "awayFromZero" }, { shape: [single ? 1 : shape[1]] }],
    build: functions.prelu,
  })),
  attention: attentionRow,
  unitLength: alongAnAxis(functions.unitLength, "awayFromZero"),
  sampleTrilinear: fc.tuple(image(), length(4)).map(([shape, count]) => ({
    inputs: [{ shape }, { shape: [shape[0], count, 3] }],
    build: (x, places) => functions.sampleTrilinear(x, betweenVoxels(places)),
  })),
  deformableConvolution: fc
    .tuple(image(), length(2), fc.constantFrom([1, 1, 1], [3, 1, 1], [1, 3, 3]))
    .map(([shape, outputs, kernel]) => ({
      inputs: [
        { shape },
        { shape: [shape[0], 3 * kernel.reduce<number>((a, b) => a * b, 1), ...shape.slice(2)] },
        { shape: [outputs, shape[1], ...kernel] },
        { shape: [outputs] },
      ],
      build: (x, offsets, weight, bias) =>
        functions.deformableConvolution(x, betweenVoxels(offsets), weight, bias),
    })),
  upsampleLinear: fc
    .boolean()
    .chain((alignCorners) => upsampled((x, scale) => functions.upsampleLinear(x, scale, alignCorners))),
  upsampleNearest: upsampled(functions.upsampleNearest),
  partialConvolution: fc
    .tuple(image(2), length(2), fc.constantFrom(1, 3))
    .map(([shape, convolved, edge]) => ({
      inputs: [
        { shape: shape.with(1, shape[1] + convolved) },
        { shape: [convolved, convolved, edge, edge, edge] },
      ],
      build: functions.partialConvolution,
    })),
  normalizedPointwise: fc.tuple(image(2), length(3)).map(([shape, outputs]) => ({
    inputs: [
      { shape },
      { shape: [shape[1]] },
      { shape: [shape[1]] },
      { shape: [outputs, shape[1], 1, 1, 1] },
      { shape: [outputs] },
    ],
    build: (x, weight, bias, matrix, offset) =>
      functions.normalizedPointwise(x, { weight, bias }, matrix, offset, 0.1),
  })),
  samplewisePointwise: fc.tuple(image(), length(3)).map(([shape, outputs]) => ({
    inputs: [{ shape }, { shape: [shape[0], outputs, shape[1]] }, { shape: [shape[0], outputs] }],
    build: functions.samplewisePointwise,
  })),
  tokensOf: image().map((shape) => ({ inputs: [{ shape }], build: functions.tokensOf })),

  // Optimisers are differentiable too, and their gradients are how a mistake in them would show.
  globalNorm: length(4).map((count) => ({
    inputs: [{ shape: [count], kind: "positive" }],
    build: optimizers.globalNorm,
  })),
  clipByNorm: fc.tuple(length(4), fc.constantFrom(0.1, 100)).map(([count, limit]) => ({
    inputs: [{ shape: [count], kind: "positive" }],
    build: (x) => optimizers.clipByNorm(x, optimizers.globalNorm(x), limit),
  })),
};

/** What has no gradient: these are constants, or steps whose gradient is 0 wherever it exists. */
const withoutGradient = ["sign", "step", "floor", "full"];
/** Updates of weights, whose results nobody differentiates; they are compared with PyTorch's. */
const updates = ["adamW", "keptByDecay", "nesterov", "movingAverage"];

describe("finite differences", () => {
  test.each(Object.entries(rows))("%s", (_, row) => expectGradients(row));

  test("every exported operation and function has a row", () => {
    const modules = [
      elementwise,
      layout,
      chosenRows,
      reductions,
      matrices,
      convolutions,
      pooling,
      functions,
      optimizers,
    ];
    const exported = modules.flatMap((module) => Object.keys(module));
    expect(exported.sort()).toEqual([...Object.keys(rows), ...withoutGradient, ...updates].sort());
  });
});

describe("on ONNX Runtime as on the reference evaluator", () => {
  test.each(Object.entries(rows))("%s", async (_, row) => {
    for (const [index, differentiable] of fc.sample(row, { seed: 7, numRuns: 8 }).entries())
      await expectSameOnOnnxRuntime(differentiable, 1000 + index);
  });
});

describe("the walker", () => {
  const same: Row = fc.constant({
    inputs: [{ shape: [2, 3] }],
    build: (x) => add(multiply(x, x), multiply(x, 3)),
  });

  test.each<[string, Row]>([
    ["a value used by several nodes", same],
    [
      "a value used twice by one node",
      fc.constant({ inputs: [{ shape: [3, 3] }], build: (x) => matrices.matmul(x, x) }),
    ],
    [
      "a value used both broadcast and whole",
      fc.constant({
        inputs: [{ shape: [1, 3] }, { shape: [2, 3] }],
        build: (a, b) => add(multiply(a, b), elementwise.tanh(a)),
      }),
    ],
    [
      "a vector broadcast over leading axes",
      fc.constant({
        inputs: [{ shape: [3] }, { shape: [2, 2, 3] }],
        build: (a, b) => multiply(multiply(a, b), a),
      }),
    ],
    [
      "a number broadcast over everything",
      fc.constant({
        inputs: [{ shape: [] }, { shape: [2, 3] }],
        build: (a, b) => multiply(a, multiply(b, a)),
      }),
    ],
    [
      "one part of a split used, another not",
      fc.constant({ inputs: [{ shape: [2, 6] }], build: (x) => multiply(split(x, 1, [1, 3, 2])[1], 2) }),
    ],
    [
      "one part of a split used twice",
      fc.constant({
        inputs: [{ shape: [2, 4] }],
        build: (x) => {
          const [a, , c] = split(x, 1, [1, 2, 1]);
          return add(multiply(a, c), a);
        },
      }),
    ],
    [
      "an input that reaches nothing",
      fc.constant({ inputs: [{ shape: [2] }, { shape: [3] }], build: (x) => multiply(x, x) }),
    ],
    [
      "a gradient differentiated again",
      fc.constant({
        inputs: [{ shape: [3] }],
        build: (x) => {
          const [slope] = differentiate(reductions.sum(elementwise.tanh(multiply(x, x)), [0]), [x]);
          return slope;
        },
      }),
    ],
  ])("%s", (_, row) => expectGradients(row, 3));

  test("the derivative of x² + 3x at 2 is 7", () => {
    const x = input("x", []);
    const [slope] = differentiate(add(multiply(x, x), multiply(x, 3)), [x]);
    expect(evaluate([slope], new Map([[x, [2]]]))[0].data).toEqual(Float64Array.of(7));
  });

  test("a target need not be a leaf", () => {
    const x = input("x", [2]);
    const middle = multiply(x, 3);
    const [slope] = differentiate(multiply(middle, middle), [middle]);
    expect(evaluate([slope], new Map([[x, [1, 2]]]))[0].data).toEqual(Float64Array.of(6, 12));
  });

  test("one row that is taken very often costs the others nothing", () => {
    // As a row of zeros does that pads Swin UNETR's windows: as many places for every row would be 900 million.
    const [rows, often] = [30_000, 30_000];
    const x = input("x", [rows, 1]);
    const indices = [...range(rows), ...new Array<number>(often).fill(7)];
    const [slope] = differentiate(layout.gather(x, indices), [x]);
    const { data } = evaluate([slope], new Map([[x, new Float64Array(rows)]]))[0];
    expect(data[7]).toBe(1 + often);
    expect(data.every((value, row) => row === 7 || value === 1)).toBe(true);
  });

  test("what no target needs is not differentiated", () => {
    const weight = parameter("weight", [2]);
    const image = input("image", [2]);
    const [slope] = differentiate(multiply(elementwise.exp(image), weight), [weight]);
    const names = slope.node.operation.name;
    expect(names).toBe("multiply");
    expect(evaluate([slope], new Map([[image, [0, 1]]]))[0].data).toEqual(Float64Array.of(1, Math.E));
  });

  test("the first of equal greatest values takes the gradient of a maximum pool", () => {
    const x = input("x", [1, 1, 4]);
    const [slope] = differentiate(pooling.maxPool(x, [4]), [x]);
    expect(evaluate([slope], new Map([[x, [1, 5, 5, 2]]]))[0].data).toEqual(Float64Array.of(0, 1, 0, 0));
  });
});
