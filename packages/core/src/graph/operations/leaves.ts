// Where a graph begins: inputs, parameters, constants.
import { applySingle, type Operation, scopedName, type Value } from "../graph.js";
import { type Shape, ShapeError, sizeOf } from "../shape.js";

interface LeafAttributes {
  readonly name: string;
  readonly shape: Shape;
}

interface ConstantAttributes {
  readonly shape: Shape;
  readonly data: Float32Array;
}

function leaf(name: string): Operation<LeafAttributes> {
  return {
    name,
    shape: (_, { shape }) => [shape],
    gradient: () => [],
    reference: (_, { attributes }) => {
      throw new Error(`the reference evaluator was given no value for ${name} ${attributes.name}`);
    },
    onnx: (node, emitter) => emitter.leaf(node.outputs[0], node.attributes.name),
  };
}

const inputOperation = leaf("input");
const parameterOperation = leaf("parameter");

const constantOperation: Operation<ConstantAttributes> = {
  name: "constant",
  shape: (_, { shape, data }) => {
    if (sizeOf(shape) !== data.length)
      throw new ShapeError(`${data.length} numbers for a constant of ${sizeOf(shape)}`);
    return [shape];
  },
  gradient: () => [],
  reference: (_, { attributes }) => [Float64Array.from(attributes.data)],
  onnx: (node, emitter) => emitter.constant(node.outputs[0], node.attributes.data),
};

/** A tensor given at each run. Its name is used as it stands, whatever the scope. */
export function input(name: string, shape: Shape): Value {
  return applySingle(inputOperation, [], { name, shape });
}

/** A tensor that training changes. Its name is completed by the scope: `encoder.0.block.1.norm.weight`. */
export function parameter(name: string, shape: Shape): Value {
  return applySingle(parameterOperation, [], { name: scopedName(name), shape });
}

/** A tensor that never changes. */
export function constant(shape: Shape, data: ArrayLike<number>): Value {
  return applySingle(constantOperation, [], { shape, data: Float32Array.from(data) });
}

/** One number, of shape []. */
export function scalar(value: number): Value {
  return constant([], [value]);
}

/** The full name of an input or a parameter. */
export function leafName(value: Value): string {
  const { operation, attributes } = value.node;
  if (operation !== inputOperation && operation !== parameterOperation)
    throw new Error(`${operation.name} has no name of its own`);
  return (attributes as LeafAttributes).name;
}
