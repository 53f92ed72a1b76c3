// The reference evaluator: every operation in plain loops and double precision. Only for tests.
import { type Node, sortNodes, type Tensor, type Value } from "./graph.js";

/** Evaluates `outputs`, given the values of inputs and parameters (row-major numbers). */
export function evaluate(outputs: readonly Value[], given: ReadonlyMap<Value, ArrayLike<number>>): Tensor[] {
  const results = new Map<Node, readonly Float64Array[]>();
  for (const [value, data] of given) results.set(value.node, [Float64Array.from(data)]);
  const tensorOf = (value: Value): Tensor => {
    const data = results.get(value.node)?.[value.index];
    if (!data) throw new Error(`${value.node.operation.name} was not evaluated`);
    return { shape: value.shape, data };
  };
  for (const node of sortNodes(outputs))
    if (!results.has(node)) results.set(node, node.operation.reference(node.inputs.map(tensorOf), node));
  return outputs.map(tensorOf);
}
