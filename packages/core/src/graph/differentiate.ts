// Reverse-mode differentiation: a graph in, a larger graph out.
import { type Node, sortNodes, type Value } from "./graph.js";
import { add, full } from "./operations/elementwise.js";
import { reshape } from "./operations/layout.js";
import { sum } from "./operations/reduction.js";
import { range, type Shape, sameShape } from "./shape.js";

/**
 * The gradient of Σ(`seed` · `output`) with respect to each of `targets`, as values of the same graph.
 * @param seed gradient of the output; ones by default, for a loss of one element.
 */
export function differentiate(
  output: Value,
  targets: readonly Value[],
  seed: Value = full(output.shape, 1),
): Value[] {
  const order = sortNodes([output]);
  const reaches = new Set<Node>(targets.map((target) => target.node));
  for (const node of order) if (node.inputs.some((value) => reaches.has(value.node))) reaches.add(node);

  const gradients = new Map<Node, (Value | null)[]>();
  const accumulate = (value: Value, gradient: Value): void => {
    const slots = gradients.get(value.node) ?? value.node.outputs.map(() => null);
    const earlier = slots[value.index];
    const fitted = undoBroadcast(gradient, value.shape);
    slots[value.index] = earlier ? add(earlier, fitted) : fitted;
    gradients.set(value.node, slots);
  };

  accumulate(output, seed);
  for (const node of [...order].reverse()) {
    const outputGradients = gradients.get(node);
    if (!outputGradients || !reaches.has(node) || node.inputs.length === 0) continue;
    node.operation.gradient(node, outputGradients).forEach((gradient, index) => {
      const value = node.inputs[index];
      if (gradient && reaches.has(value.node)) accumulate(value, gradient);
    });
  }
  return targets.map((target) => gradients.get(target.node)?.[target.index] ?? full(target.shape, 0));
}

/** Sums a gradient over the axes along which its value was repeated. */
function undoBroadcast(gradient: Value, shape: Shape): Value {
  if (sameShape(gradient.shape, shape)) return gradient;
  const added = gradient.shape.length - shape.length;
  const axes = range(gradient.shape.length).filter(
    (axis) => axis < added || (shape[axis - added] === 1 && gradient.shape[axis] !== 1),
  );
  return reshape(sum(gradient, axes), shape);
}
