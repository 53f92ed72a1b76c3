// Pooling over windows of space.
import { applySingle, type Operation, shapeError, type Value } from "../graph.js";
import { formatShape, range, type Shape, sizeOf } from "../shape.js";
import { maximum, multiply, step, subtract } from "./elementwise.js";
import { concat, reshape, slice, transpose } from "./layout.js";
import { mean } from "./reduction.js";

/** x [N, C, …space] cut to whole windows and set out as [N, C, …count, window], windows not overlapping. */
function windowsOf(x: Value, kernel: Shape): Value {
  const [batch, channels, ...space] = x.shape;
  if (kernel.length !== space.length)
    throw shapeError("pooling", `a window of ${kernel.length} axes for ${space.length} of space`, [x]);
  const counts = space.map((length, axis) => Math.floor(length / kernel[axis]));
  if (counts.some((count) => count < 1))
    throw shapeError("pooling", `the window ${formatShape(kernel)} is larger than the input`, [x]);
  const whole = slice(
    x,
    x.shape.map(() => 0),
    [batch, channels, ...counts.map((count, axis) => count * kernel[axis])],
  );
  const cut = reshape(whole, [batch, channels, ...counts.flatMap((count, axis) => [count, kernel[axis]])]);
  const outer = range(space.length).map((axis) => 2 + 2 * axis);
  const inner = outer.map((axis) => axis + 1);
  return reshape(transpose(cut, [0, 1, ...outer, ...inner]), [batch, channels, ...counts, sizeOf(kernel)]);
}

/** Mean over windows that do not overlap (stride = kernel); voxels beyond the last whole window are left out. */
export function averagePool(x: Value, kernel: Shape): Value {
  const windows = windowsOf(x, kernel);
  const axis = windows.shape.length - 1;
  return reshape(mean(windows, [axis]), windows.shape.slice(0, axis));
}

/** Mean over all of space, [N, C, 1, …]. */
export const globalAveragePool = (x: Value): Value => mean(x, range(x.shape.length - 2, 2));

const maxOperation: Operation<Record<string, never>> = {
  name: "max",
  shape: ([x]) => [[...x.slice(0, -1), 1]],
  // The first of equal elements takes the gradient, as in PyTorch.
  gradient: ({ inputs: [x], outputs: [y] }, [dy]) => {
    if (!dy) return [null];
    const last = x.shape.length - 1;
    const count = x.shape[last];
    let taken: Value | null = null;
    const shares: Value[] = [];
    for (let index = 0; index < count; index++) {
      const start = x.shape.map((_, axis) => (axis === last ? index : 0));
      const element = slice(x, start, [...x.shape.slice(0, -1), 1]);
      const isMaximum = subtract(1, step(subtract(y, element)));
      const share: Value = taken ? multiply(isMaximum, subtract(1, taken)) : isMaximum;
      shares.push(multiply(share, dy));
      taken = taken ? maximum(taken, isMaximum) : isMaximum;
    }
    return [concat(shares, last)];
  },
  reference: ([x]) => {
    const count = x.shape[x.shape.length - 1];
    return [
      Float64Array.from({ length: x.data.length / count }, (_, row) =>
        Math.max(...x.data.subarray(row * count, (row + 1) * count)),
      ),
    ];
  },
  onnx: (node, emitter) =>
    emitter.nodeTo(
      node.outputs,
      "ReduceMax",
      [emitter.nameOf(node.inputs[0]), emitter.integers([node.inputs[0].shape.length - 1])],
      { keepdims: 1 },
    ),
};

/** The maximum over windows that do not overlap (stride = kernel). */
export function maxPool(x: Value, kernel: Shape): Value {
  const windows = windowsOf(x, kernel);
  return reshape(applySingle(maxOperation, [windows], {}), windows.shape.slice(0, -1));
}
