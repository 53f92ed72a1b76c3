// Operations on one element at a time, and on two with broadcasting.
import { applySingle, type Operation, type Tensor, type Value } from "../graph.js";
import { broadcastShapes, type Shape, sizeOf, stridesOf } from "../shape.js";
import { constant, scalar } from "./leaves.js";

type None = Record<string, never>;
/** A value, or a number that stands for a constant. */
export type Operand = Value | number;

const asValue = (operand: Operand): Value => (typeof operand === "number" ? scalar(operand) : operand);

/** For each element of `shape`, the element of a tensor of shape `from` that broadcasting puts there. */
function broadcastIndices(from: Shape, shape: Shape): Int32Array {
  const strides = stridesOf(from);
  const offset = shape.length - from.length;
  const indices = new Int32Array(sizeOf(shape));
  const counter = new Array<number>(shape.length).fill(0);
  for (let element = 0; element < indices.length; element++) {
    let index = 0;
    for (let axis = 0; axis < from.length; axis++)
      if (from[axis] !== 1) index += strides[axis] * counter[axis + offset];
    indices[element] = index;
    for (let axis = shape.length - 1; axis >= 0 && ++counter[axis] === shape[axis]; axis--) counter[axis] = 0;
  }
  return indices;
}

function binary(
  name: string,
  onnxName: string,
  evaluate: (a: number, b: number) => number,
  gradient: (dy: Value, a: Value, b: Value, y: Value) => readonly [() => Value, () => Value],
): Operation<None> {
  return {
    name,
    shape: ([a, b]) => [broadcastShapes(a, b)],
    gradient: ({ inputs: [a, b], outputs: [y] }, [dy]) =>
      dy ? gradient(dy, a, b, y).map((rule) => rule()) : [null, null],
    reference: ([a, b], { outputs }) => {
      const left = broadcastIndices(a.shape, outputs[0].shape);
      const right = broadcastIndices(b.shape, outputs[0].shape);
      return [Float64Array.from(left, (index, element) => evaluate(a.data[index], b.data[right[element]]))];
    },
    onnx: (node, emitter) => emitter.emit(onnxName, node),
  };
}

const addOperation = binary(
  "add",
  "Add",
  (a, b) => a + b,
  (dy) => [() => dy, () => dy],
);
const subtractOperation = binary(
  "subtract",
  "Sub",
  (a, b) => a - b,
  (dy) => [() => dy, () => neg(dy)],
);
const multiplyOperation = binary(
  "multiply",
  "Mul",
  (a, b) => a * b,
  (dy, a, b) => [() => multiply(dy, b), () => multiply(dy, a)],
);
const divideOperation = binary(
  "divide",
  "Div",
  (a, b) => a / b,
  (dy, _, b, y) => [() => divide(dy, b), () => neg(divide(multiply(dy, y), b))],
);
const maximumOperation = binary("maximum", "Max", Math.max, (dy, a, b) => [
  () => multiply(dy, step(subtract(a, b))),
  () => multiply(dy, subtract(1, step(subtract(a, b)))),
]);

/** a + b, broadcast. */
export const add = (a: Operand, b: Operand): Value => applySingle(addOperation, [asValue(a), asValue(b)], {});
/** a − b, broadcast. */
export const subtract = (a: Operand, b: Operand): Value =>
  applySingle(subtractOperation, [asValue(a), asValue(b)], {});
/** a · b, broadcast. */
export const multiply = (a: Operand, b: Operand): Value =>
  applySingle(multiplyOperation, [asValue(a), asValue(b)], {});
/** a / b, broadcast. */
export const divide = (a: Operand, b: Operand): Value =>
  applySingle(divideOperation, [asValue(a), asValue(b)], {});
/** The larger of the two, broadcast; where they are equal the gradient is b's. */
export const maximum = (a: Operand, b: Operand): Value =>
  applySingle(maximumOperation, [asValue(a), asValue(b)], {});

interface UnaryRules<Attributes> {
  readonly name: string;
  readonly onnxName: string;
  readonly evaluate: (x: number, attributes: Attributes) => number;
  readonly gradient: (dy: Value, x: Value, y: Value, attributes: Attributes) => Value | null;
}

function unary<Attributes>({
  name,
  onnxName,
  evaluate,
  gradient,
}: UnaryRules<Attributes>): Operation<Attributes> {
  return {
    name,
    shape: ([x]) => [x],
    gradient: ({ inputs: [x], outputs: [y], attributes }, [dy]) => [
      dy ? gradient(dy, x, y, attributes) : null,
    ],
    reference: ([x]: readonly Tensor[], { attributes }) => [
      x.data.map((element) => evaluate(element, attributes)),
    ],
    onnx: (node, emitter) => emitter.emit(onnxName, node, node.attributes as Record<string, number>),
  };
}

const simple = (
  name: string,
  onnxName: string,
  evaluate: (x: number) => number,
  gradient: (dy: Value, x: Value, y: Value) => Value | null,
) => {
  const operation = unary<None>({ name, onnxName, evaluate, gradient });
  return (x: Value): Value => applySingle(operation, [x], {});
};

/** −x */
export const neg = simple(
  "neg",
  "Neg",
  (x) => -x,
  (dy) => neg(dy),
);
/** eˣ */
export const exp = simple("exp", "Exp", Math.exp, (dy, _, y) => multiply(dy, y));
/** ln x */
export const log = simple("log", "Log", Math.log, (dy, x) => divide(dy, x));
/** √x */
export const sqrt = simple("sqrt", "Sqrt", Math.sqrt, (dy, _, y) => divide(multiply(dy, 0.5), y));
/** 1/x */
export const reciprocal = simple(
  "reciprocal",
  "Reciprocal",
  (x) => 1 / x,
  (dy, _, y) => neg(multiply(dy, multiply(y, y))),
);
/** |x|; its gradient at 0 is 0. */
export const abs = simple("abs", "Abs", Math.abs, (dy, x) => multiply(dy, sign(x)));
/** The greatest whole number that is not above x; its gradient is 0. */
export const floor = simple("floor", "Floor", Math.floor, () => null);
/** −1, 0 or 1. */
export const sign = simple("sign", "Sign", Math.sign, () => null);
/** 1 / (1 + e⁻ˣ) */
export const sigmoid = simple("sigmoid", "Sigmoid", logistic, (dy, _, y) =>
  multiply(dy, multiply(y, subtract(1, y))),
);
/** The hyperbolic tangent. */
export const tanh = simple("tanh", "Tanh", Math.tanh, (dy, _, y) =>
  multiply(dy, subtract(1, multiply(y, y))),
);
/** ln(1 + eˣ), computed without overflow. */
export const softplus = simple(
  "softplus",
  "Softplus",
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (dy, x) => multiply(dy, sigmoid(x)),
);
/** The error function. */
export const erf = simple("erf", "Erf", erfOf, (dy, x) =>
  multiply(dy, multiply(exp(neg(multiply(x, x))), 2 / Math.sqrt(Math.PI))),
);
/** max(x, 0); its gradient at 0 is 0. */
export const relu = simple(
  "relu",
  "Relu",
  (x) => Math.max(x, 0),
  (dy, _, y) => multiply(dy, step(y)),
);

const leakyReluOperation = unary<{ readonly alpha: number }>({
  name: "leakyRelu",
  onnxName: "LeakyRelu",
  evaluate: (x, { alpha }) => (x > 0 ? x : alpha * x),
  // From y, not x: their signs agree, and then only y has to be kept for the backward pass.
  gradient: (dy, _, y, { alpha }) => multiply(dy, step(y, alpha)),
});
/** x where x > 0, else slope · x (Maas 2013); its gradient at 0 is the slope. */
export const leakyRelu = (x: Value, slope = 0.01): Value => {
  if (!(slope > 0)) throw new Error(`the slope of a Leaky ReLU is positive, not ${slope}`);
  return applySingle(leakyReluOperation, [x], { alpha: slope });
};

const eluOperation = unary<{ readonly alpha: number }>({
  name: "elu",
  onnxName: "Elu",
  evaluate: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
  gradient: (dy, _, y, { alpha }) => {
    const positive = step(y);
    return multiply(dy, add(positive, multiply(subtract(1, positive), add(y, alpha))));
  },
});
/** x where x > 0, else α(eˣ − 1). */
export const elu = (x: Value, alpha = 1): Value => applySingle(eluOperation, [x], { alpha });

/** The smallest x whose product with this is at least 1 is the smallest normal float32. */
const STEEP = 1 / 1.1754943508222875e-38;

const stepOperation: Operation<{ readonly low: number }> = {
  ...unary<{ readonly low: number }>({
    name: "step",
    onnxName: "Clip",
    evaluate: (x, { low }) => (x > 0 ? 1 : low),
    gradient: () => null,
  }),
  // Comparison, cast and Where cost five passes over memory on a CPU; a steep ramp cut at both ends costs two.
  onnx: (node, emitter) => {
    const ramp = emitter.node("Mul", [emitter.nameOf(node.inputs[0]), emitter.floats([], [STEEP])]);
    emitter.nodeTo(node.outputs, "Clip", [
      ramp,
      emitter.floats([], [node.attributes.low]),
      emitter.floats([], [1]),
    ]);
  },
};
/** 1 where x > 0, else `low`; the gradient of rectifiers. Has no gradient itself. */
export const step = (x: Value, low = 0): Value => applySingle(stepOperation, [x], { low });

/** Zeros or other equal numbers of a shape. */
export const full = (shape: Shape, value: number): Value =>
  constant(shape, new Float32Array(sizeOf(shape)).fill(value));

function logistic(x: number): number {
  return x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));
}

/** erf by its series near 0 and its continued fraction beyond (Abramowitz and Stegun 7.1.5, 7.1.14), to 1e-15. */
function erfOf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (-x * x) / n;
      sum += term / (2 * n + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (magnitude + fraction);
  const tail = Math.exp(-x * x) / (Math.sqrt(Math.PI) * (magnitude + fraction));
  return Math.sign(x) * (1 - tail);
}
