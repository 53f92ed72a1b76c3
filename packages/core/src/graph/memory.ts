// Estimates the memory that a graph needs before it is run.
import { type Node, sortNodes, type Value } from "./graph.js";
import { sizeOf } from "./shape.js";

/**
 * The greatest number of bytes that float32 tensors hold at once, where nodes run in order and each tensor is freed after
 * its last reader. Inputs, parameters and constants are held all the time, `values` from when they are computed; a reshape
 * is a view and takes nothing. The runtime's own working memory is not counted.
 */
export function peakBytes(values: readonly Value[]): number {
  const order = sortNodes(values);
  const lastReader = new Map<Value, number>();
  const kept = new Set(values.map(storedAs));
  order.forEach((node, at) => {
    for (const value of node.inputs) lastReader.set(storedAs(value), at);
  });
  const freed = new Map<number, number>();
  let held = 0;
  let peak = 0;
  order.forEach((node, at) => {
    if (!isView(node))
      for (const value of node.outputs) {
        const bytes = Float32Array.BYTES_PER_ELEMENT * sizeOf(value.shape);
        held += bytes;
        if (node.inputs.length === 0 || kept.has(value)) continue;
        const last = lastReader.get(value) ?? at;
        freed.set(last, (freed.get(last) ?? 0) + bytes);
      }
    peak = Math.max(peak, held);
    held -= freed.get(at) ?? 0;
  });
  return peak;
}

/** These compute nothing and move nothing. */
const UNMOVED = new Set(["input", "parameter", "constant", "reshape"]);

/** Bytes that a node reads and writes if it reads every input once and writes every output once, in float32. */
export function movedBytes({ operation, inputs, outputs }: Node): number {
  if (UNMOVED.has(operation.name)) return 0;
  const elements = [...inputs, ...outputs].reduce((total, { shape }) => total + sizeOf(shape), 0);
  return Float32Array.BYTES_PER_ELEMENT * elements;
}

const isView = (node: Node): boolean => node.operation.name === "reshape";

/** The value that holds the numbers: behind reshapes, the one that they view. */
function storedAs(value: Value): Value {
  return isView(value.node) ? storedAs(value.node.inputs[0]) : value;
}
