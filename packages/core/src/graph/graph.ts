// The graph: values, the nodes that compute them, and the scope that names both.

import { formatShape, type Shape, ShapeError } from "./shape.js";

/** A tensor of the reference evaluator, row-major, in double precision. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** One tensor of the graph: an output of a node. All values are float32 when run. */
export interface Value {
  readonly shape: Shape;
  readonly node: Node;
  /** Which output of the node. */
  readonly index: number;
}

/** Arithmetic work of one node. */
interface Cost {
  /** True multiply-accumulates of convolutions and matrix products; 0 for everything else. */
  readonly multiplyAdds: number;
  /** By the rule of `thop`: a transposed convolution by its output, attention products left out. */
  readonly multiplyAddsThop: number;
}

/** The device that an ONNX model is written for: each supports operations that the other lacks. */
export type OnnxTarget = "cpu" | "webgpu";

/** Attributes of an ONNX node that are whole numbers, lists of them, or words. */
export type Integers = Readonly<Record<string, number | readonly number[] | string>>;
/** Attributes of an ONNX node that are floating-point numbers. */
export type Floats = Readonly<Record<string, number>>;

/** What an operation writes its ONNX form with. */
export interface OnnxEmitter {
  nameOf(value: Value): string;
  /** One ONNX node with the value's inputs, outputs and path. Whole-number attributes are integers, `alpha` and `epsilon` floats. */
  emit(type: string, node: Pick<Node, "inputs" | "outputs">, attributes?: Integers): void;
  /** An ONNX node from named inputs to the outputs of the graph's node; `null` where an output is not used. */
  nodeTo(
    outputs: readonly (Value | null)[],
    type: string,
    inputs: readonly string[],
    integers?: Integers,
    floats?: Floats,
  ): void;
  /** An ONNX node between others; returns the name of its output. */
  node(type: string, inputs: readonly string[], integers?: Integers, floats?: Floats): string;
  /** The name of a constant float32 tensor. */
  floats(shape: Shape, data: ArrayLike<number>): string;
  /** The name of a constant vector of integers. */
  integers(data: readonly number[]): string;
  leaf(value: Value, name: string): void;
  constant(value: Value, data: Float32Array): void;
}

/** Everything about a kind of operation; a missing rule is a type error. */
export interface Operation<Attributes> {
  readonly name: string;
  /** Shapes of the outputs. Throws {@link ShapeError}. */
  shape(inputs: readonly Shape[], attributes: Attributes): readonly Shape[];
  /**
   * Gradients of the inputs from those of the outputs, as new graph values. The graph walk sums fan-out and undoes
   * broadcasting: a rule returns a gradient of the broadcast shape. `null` where no gradient is asked or none exists.
   */
  gradient(node: Node<Attributes>, outputGradients: readonly (Value | null)[]): readonly (Value | null)[];
  /** A naive evaluation, the oracle of the tests. */
  reference(inputs: readonly Tensor[], node: Node<Attributes>): readonly Float64Array[];
  /** The outputs from other operations, where a target does not run this one; `null` where it does. Absent where all do. */
  lowered?(node: Node<Attributes>, target: OnnxTarget): readonly Value[] | null;
  /** Writes the operation as ONNX nodes. */
  onnx(node: Node<Attributes>, emitter: OnnxEmitter): void;
  /** Absent where the operation neither multiplies matrices nor convolves. */
  cost?(node: Node<Attributes>): Cost;
}

export interface Node<Attributes = unknown> {
  readonly operation: Operation<Attributes>;
  readonly attributes: Attributes;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Layer this node belongs to, such as `encoder.1.block.0.vpconv`; empty outside any scope. */
  readonly path: string;
}

let currentPath = "";

/** Builds a part of a network under a name: what is made inside is called `outer.name`. */
export function within<Result>(name: string, build: () => Result): Result {
  const outer = currentPath;
  currentPath = outer === "" ? name : `${outer}.${name}`;
  try {
    return build();
  } finally {
    currentPath = outer;
  }
}

/** The full, dotted name of something made in the current scope. */
export function scopedName(name: string): string {
  return currentPath === "" ? name : `${currentPath}.${name}`;
}

/** Makes a node and returns its outputs. A shape error also names the layer and all input shapes. */
export function apply<Attributes>(
  operation: Operation<Attributes>,
  inputs: readonly Value[],
  attributes: Attributes,
): readonly Value[] {
  let shapes: readonly Shape[];
  try {
    shapes = operation.shape(
      inputs.map((value) => value.shape),
      attributes,
    );
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw shapeError(operation.name, error.message, inputs);
  }
  const outputs: Value[] = [];
  const node: Node<Attributes> = { operation, attributes, inputs, outputs, path: currentPath };
  shapes.forEach((shape, index) => {
    outputs.push({ shape, node: node as Node, index });
  });
  return outputs;
}

/** An error that names the operation, the layer where it stands, and the shapes it was given. */
export function shapeError(
  operation: string,
  message: string,
  inputs: readonly Value[],
  Kind: typeof ShapeError = ShapeError,
): ShapeError {
  const given = inputs.map((value) => formatShape(value.shape)).join(" and ");
  return new Kind(`${operation} in ${currentPath || "the graph"}: ${message} (given ${given})`);
}

/** {@link apply} for operations of one output. */
export function applySingle<Attributes>(
  operation: Operation<Attributes>,
  inputs: readonly Value[],
  attributes: Attributes,
): Value {
  return apply(operation, inputs, attributes)[0];
}

/** All nodes that `values` need, each after its inputs. */
export function sortNodes(values: readonly Value[]): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const value of values) {
    if (!done.has(value.node)) stack.push({ node: value.node, next: 0 });
    done.add(value.node);
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next < top.node.inputs.length) {
        const { node } = top.node.inputs[top.next++];
        if (!done.has(node)) {
          done.add(node);
          stack.push({ node, next: 0 });
        }
      } else {
        order.push(top.node);
        stack.pop();
      }
    }
  }
  return order;
}
