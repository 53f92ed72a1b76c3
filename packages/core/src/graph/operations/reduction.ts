// Sums over axes, the statistics of normalisation, softmax.
import { apply, applySingle, type Operation, type Value } from "../graph.js";
import { type Shape, ShapeError, sizeOf, stridesOf } from "../shape.js";
import { add, exp, multiply, subtract } from "./elementwise.js";

interface Axes {
  readonly axes: readonly number[];
}

function keptShape(shape: Shape, axes: readonly number[]): number[] {
  for (const axis of axes)
    if (axis < 0 || axis >= shape.length)
      throw new ShapeError(`no axis ${axis} in a tensor of ${shape.length} axes`);
  return shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
}

const sumOperation: Operation<Axes> = {
  name: "sum",
  shape: ([x], { axes }) => [keptShape(x, axes)],
  gradient: ({ inputs: [x] }, [dy]) => [dy && expand(dy, x.shape)],
  reference: ([x], { attributes: { axes }, outputs }) => {
    const strides = stridesOf(outputs[0].shape).map((stride, axis) => (axes.includes(axis) ? 0 : stride));
    const result = new Float64Array(sizeOf(outputs[0].shape));
    const from = stridesOf(x.shape);
    x.data.forEach((value, element) => {
      let target = 0;
      let rest = element;
      for (let axis = 0; axis < from.length; axis++) {
        target += Math.floor(rest / from[axis]) * strides[axis];
        rest %= from[axis];
      }
      result[target] += value;
    });
    return [result];
  },
  onnx: (node, emitter) =>
    emitter.nodeTo(
      node.outputs,
      "ReduceSum",
      [emitter.nameOf(node.inputs[0]), emitter.integers(node.attributes.axes)],
      { keepdims: 1 },
    ),
};

/** The sum over `axes`, which stay with length 1. */
export const sum = (x: Value, axes: readonly number[]): Value =>
  axes.length === 0 ? x : applySingle(sumOperation, [x], { axes });

/** The mean over `axes`, which stay with length 1. */
export function mean(x: Value, axes: readonly number[]): Value {
  return multiply(sum(x, axes), 1 / sizeOf(axes.map((axis) => x.shape[axis])));
}

const expandOperation: Operation<{ readonly shape: Shape }> = {
  name: "expand",
  shape: ([x], { shape }) => {
    const fits =
      x.length === shape.length && x.every((length, axis) => length === shape[axis] || length === 1);
    if (!fits) throw new ShapeError(`cannot repeat ${x} to ${shape}`);
    return [shape];
  },
  gradient: ({ inputs: [x], attributes: { shape } }, [dy]) => [
    dy &&
      sum(
        dy,
        shape.flatMap((length, axis) => (x.shape[axis] === 1 && length !== 1 ? [axis] : [])),
      ),
  ],
  reference: ([x], { attributes: { shape } }) => {
    const strides = stridesOf(x.shape).map((stride, axis) => (x.shape[axis] === 1 ? 0 : stride));
    const to = stridesOf(shape);
    return [
      Float64Array.from({ length: sizeOf(shape) }, (_, element) => {
        let rest = element;
        let source = 0;
        for (let axis = 0; axis < to.length; axis++) {
          source += Math.floor(rest / to[axis]) * strides[axis];
          rest %= to[axis];
        }
        return x.data[source];
      }),
    ];
  },
  onnx: (node, emitter) =>
    emitter.nodeTo(node.outputs, "Expand", [
      emitter.nameOf(node.inputs[0]),
      emitter.integers(node.attributes.shape),
    ]),
};

/** Repeats axes of length 1. Elementwise operations broadcast by themselves and need no expand. */
export const expand = (x: Value, shape: Shape): Value =>
  x.shape.every((length, axis) => length === shape[axis]) ? x : applySingle(expandOperation, [x], { shape });

interface Epsilon {
  readonly epsilon: number;
}

const momentsOperation: Operation<Epsilon> = {
  name: "moments",
  shape: ([x]) => {
    if (x.length !== 2) throw new ShapeError("rows of numbers, [rows, count], are expected");
    return [
      [x[0], 1],
      [x[0], 1],
    ];
  },
  // With r = 1/√(var + ε): ∂r/∂x = −r³ (x − mean) / count. Written as x·k + m so that x is read once.
  gradient: ({ inputs: [x], outputs: [average, r] }, [dAverage, dr]) => {
    const count = x.shape[1];
    const ofMean = dAverage && multiply(dAverage, 1 / count);
    if (!dr) return [ofMean && expand(ofMean, x.shape)];
    const slope = multiply(multiply(dr, multiply(r, multiply(r, r))), -1 / count);
    const shift = multiply(slope, average);
    return [add(multiply(x, slope), ofMean ? subtract(ofMean, shift) : multiply(shift, -1))];
  },
  reference: ([x], { attributes: { epsilon } }) => {
    const [rows, count] = x.shape;
    const averages = new Float64Array(rows);
    const deviations = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const values = x.data.subarray(row * count, (row + 1) * count);
      const average = values.reduce((total, value) => total + value, 0) / count;
      const variance = values.reduce((total, value) => total + (value - average) ** 2, 0) / count;
      averages[row] = average;
      deviations[row] = 1 / Math.sqrt(variance + epsilon);
    }
    return [averages, deviations];
  },
  // Of ONNX's operations only LayerNormalization yields both statistics, and in one pass; its first output is not used.
  onnx: (node, emitter) => {
    const scale = emitter.floats(
      [node.inputs[0].shape[1]],
      new Float32Array(node.inputs[0].shape[1]).fill(1),
    );
    emitter.nodeTo(
      [null, ...node.outputs],
      "LayerNormalization",
      [emitter.nameOf(node.inputs[0]), scale],
      { axis: 1 },
      { epsilon: node.attributes.epsilon },
    );
  },
};

/**
 * Mean and 1/√(variance + epsilon) of each row of x [rows, count]; both [rows, 1]. The variance is the biased one.
 */
export function moments(x: Value, epsilon: number): { mean: Value; reciprocalDeviation: Value } {
  const [average, reciprocalDeviation] = apply(momentsOperation, [x], { epsilon });
  return { mean: average, reciprocalDeviation };
}

interface Axis {
  readonly axis: number;
}

/** Evaluates `line` on every line of numbers along an axis. */
function alongAxis(
  data: Float64Array,
  shape: Shape,
  axis: number,
  line: (values: number[]) => number[],
): Float64Array {
  const stride = stridesOf(shape)[axis];
  const length = shape[axis];
  const result = new Float64Array(data.length);
  for (let start = 0; start < data.length; start++) {
    if (Math.floor(start / stride) % length !== 0) continue;
    const values = Array.from({ length }, (_, index) => data[start + index * stride]);
    line(values).forEach((value, index) => {
      result[start + index * stride] = value;
    });
  }
  return result;
}

function softmaxOfLine(values: number[]): number[] {
  const greatest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - greatest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

const softmaxOperation: Operation<Axis> = {
  name: "softmax",
  shape: ([x], { axis }) => {
    keptShape(x, [axis]);
    return [x];
  },
  gradient: ({ outputs: [y], attributes: { axis } }, [dy]) => [
    dy && multiply(y, subtract(dy, sum(multiply(dy, y), [axis]))),
  ],
  reference: ([x], { attributes: { axis } }) => [alongAxis(x.data, x.shape, axis, softmaxOfLine)],
  onnx: (node, emitter) => emitter.emit("Softmax", node, { axis: node.attributes.axis }),
};

/** eˣ / Σ eˣ along an axis. */
export const softmax = (x: Value, axis: number): Value => applySingle(softmaxOperation, [x], { axis });

const logSoftmaxOperation: Operation<Axis> = {
  name: "logSoftmax",
  shape: softmaxOperation.shape,
  gradient: ({ outputs: [y], attributes: { axis } }, [dy]) => [
    dy && subtract(dy, multiply(exp(y), sum(dy, [axis]))),
  ],
  reference: ([x], { attributes: { axis } }) => [
    alongAxis(x.data, x.shape, axis, (values) => {
      const greatest = Math.max(...values);
      const total = values.reduce((a, value) => a + Math.exp(value - greatest), 0);
      return values.map((value) => value - greatest - Math.log(total));
    }),
  ],
  onnx: (node, emitter) => emitter.emit("LogSoftmax", node, { axis: node.attributes.axis }),
};

/** ln softmax along an axis, without loss of precision. */
export const logSoftmax = (x: Value, axis: number): Value => applySingle(logSoftmaxOperation, [x], { axis });
