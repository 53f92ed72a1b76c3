// Rewrites a graph for a device: replaces operations that it does not support by operations that it does.
import { apply, type OnnxTarget, sortNodes, type Value, within } from "./graph.js";

/**
 * The same values, computed by operations that the target runs. Exact but for the order of sums; leaves stay the same
 * values, and so does every node that needs no change.
 */
export function lower(values: readonly Value[], target: OnnxTarget): readonly Value[] {
  const replacements = new Map<Value, Value>();
  const current = (value: Value): Value => replacements.get(value) ?? value;
  for (const { operation, attributes, inputs, outputs, path } of sortNodes(values)) {
    const isMoved = inputs.some((value) => replacements.has(value));
    const lowered = within(path, () => {
      const moved = isMoved ? apply(operation, inputs.map(current), attributes) : outputs;
      return operation.lowered?.(moved[0].node, target) ?? moved;
    });
    outputs.forEach((value, index) => {
      if (lowered[index] !== value) replacements.set(value, lowered[index]);
    });
  }
  return values.map(current);
}
