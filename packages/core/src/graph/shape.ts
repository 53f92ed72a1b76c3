// Static shapes: the arithmetic of axes that every operation needs.

/** Axis lengths, outermost first. Five-axis tensors are [N, C, D, H, W]. */
export type Shape = readonly number[];

/** A shape an operation cannot work with; a mistake in how a network was put together. */
export class ShapeError extends Error {
  override readonly name = "ShapeError";
}

/** A batch norm that would see a single value of each channel, as where patches are too small for a network. */
export class SingleValueError extends ShapeError {}

/** Number of elements. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** `[1, 32, 64]` as people write shapes. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Elements to step over for one step along each axis, row-major. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The shape both operands take under NumPy's broadcasting rule. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const result = new Array<number>(rank);
  for (let axis = 0; axis < rank; axis++) {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m !== n && m !== 1 && n !== 1)
      throw new ShapeError(`${formatShape(a)} and ${formatShape(b)} do not broadcast`);
    result[axis] = m === 1 ? n : m;
  }
  return result;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** The axes `0 … count − 1`, or `from … from + count − 1`. */
export function range(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, index) => index + from);
}
