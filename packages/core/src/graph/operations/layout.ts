// Operations that move numbers without computing: reshape, transpose, slice, pad, concat, split, flip, gather.
import { apply, applySingle, type Operation, type Value } from "../graph.js";
import { formatShape, range, type Shape, ShapeError, sameShape, sizeOf, stridesOf } from "../shape.js";
import { full } from "./elementwise.js";
import { sum } from "./reduction.js";

/** Copies a block of `shape` between two row-major tensors, each addressed by an offset and one stride an axis. */
function copyBlock(
  shape: Shape,
  source: Float64Array,
  from: { offset: number; strides: readonly number[] },
  target: Float64Array,
  to: { offset: number; strides: readonly number[] },
): void {
  const visit = (axis: number, a: number, b: number): void => {
    if (axis === shape.length) {
      target[b] = source[a];
      return;
    }
    for (let index = 0; index < shape[axis]; index++)
      visit(axis + 1, a + index * from.strides[axis], b + index * to.strides[axis]);
  };
  visit(0, from.offset, to.offset);
}

const reshapeOperation: Operation<{ readonly shape: Shape }> = {
  name: "reshape",
  shape: ([x], { shape }) => {
    if (sizeOf(x) !== sizeOf(shape))
      throw new ShapeError(`${sizeOf(x)} elements do not fill ${formatShape(shape)}`);
    return [shape];
  },
  gradient: ({ inputs: [x] }, [dy]) => [dy && reshape(dy, x.shape)],
  reference: ([x]) => [x.data],
  onnx: (node, emitter) =>
    emitter.nodeTo(node.outputs, "Reshape", [
      emitter.nameOf(node.inputs[0]),
      emitter.integers(node.attributes.shape),
    ]),
};

/** The same numbers, row-major, in another shape. */
export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.shape, shape) ? x : applySingle(reshapeOperation, [x], { shape });

const transposeOperation: Operation<{ readonly permutation: readonly number[] }> = {
  name: "transpose",
  shape: ([x], { permutation }) => {
    if (
      !sameShape(
        [...permutation].sort((a, b) => a - b),
        range(x.length),
      )
    )
      throw new ShapeError(`${formatShape(permutation)} is no order of ${x.length} axes`);
    return [permutation.map((axis) => x[axis])];
  },
  gradient: ({ attributes: { permutation } }, [dy]) => [
    dy &&
      transpose(
        dy,
        permutation.map((_, axis) => permutation.indexOf(axis)),
      ),
  ],
  reference: ([x], { attributes: { permutation }, outputs }) => {
    const result = new Float64Array(x.data.length);
    const strides = stridesOf(x.shape);
    copyBlock(
      outputs[0].shape,
      x.data,
      { offset: 0, strides: permutation.map((axis) => strides[axis]) },
      result,
      { offset: 0, strides: stridesOf(outputs[0].shape) },
    );
    return [result];
  },
  onnx: (node, emitter) => emitter.emit("Transpose", node, { perm: node.attributes.permutation }),
};

/** Axes in another order: axis a of the result is axis `permutation[a]` of x. */
export function transpose(x: Value, permutation: readonly number[]): Value {
  if (sameShape(permutation, range(x.shape.length))) return x;
  const longAxes = permutation.filter((axis) => x.shape[axis] !== 1);
  const keepsOrder = longAxes.every((axis, index) => index === 0 || axis > longAxes[index - 1]);
  // Moving an axis of length 1 moves no number: a reshape is free where a transpose copies.
  if (keepsOrder && permutation.length === x.shape.length)
    return reshape(
      x,
      permutation.map((axis) => x.shape[axis]),
    );
  return applySingle(transposeOperation, [x], { permutation });
}

interface Box {
  readonly start: readonly number[];
  readonly size: Shape;
}

const sliceOperation: Operation<Box> = {
  name: "slice",
  shape: ([x], { start, size }) => {
    const inside = x.every(
      (length, axis) => start[axis] >= 0 && size[axis] > 0 && start[axis] + size[axis] <= length,
    );
    if (start.length !== x.length || size.length !== x.length || !inside)
      throw new ShapeError(`a block of ${formatShape(size)} at ${formatShape(start)} is not inside`);
    return [size];
  },
  gradient: ({ inputs: [x], attributes: { start, size } }, [dy]) => [
    dy &&
      pad(
        dy,
        start,
        x.shape.map((length, axis) => length - start[axis] - size[axis]),
      ),
  ],
  reference: ([x], { attributes: { start, size } }) => {
    const result = new Float64Array(sizeOf(size));
    const strides = stridesOf(x.shape);
    const offset = start.reduce((total, index, axis) => total + index * strides[axis], 0);
    copyBlock(size, x.data, { offset, strides }, result, { offset: 0, strides: stridesOf(size) });
    return [result];
  },
  onnx: (node, emitter) => {
    const { start, size } = node.attributes;
    const axes = range(start.length).filter((axis) => size[axis] !== node.inputs[0].shape[axis]);
    emitter.nodeTo(node.outputs, "Slice", [
      emitter.nameOf(node.inputs[0]),
      emitter.integers(axes.map((axis) => start[axis])),
      emitter.integers(axes.map((axis) => start[axis] + size[axis])),
      emitter.integers(axes),
    ]);
  },
};

/** The block of `size` that begins at `start`. */
export const slice = (x: Value, start: readonly number[], size: Shape): Value =>
  sameShape(x.shape, size) ? x : applySingle(sliceOperation, [x], { start, size });

interface Padding {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
}

const padOperation: Operation<Padding> = {
  name: "pad",
  shape: ([x], { before, after }) => {
    if (
      before.length !== x.length ||
      after.length !== x.length ||
      [...before, ...after].some((count) => count < 0)
    )
      throw new ShapeError(`cannot pad by ${formatShape(before)} before and ${formatShape(after)} after`);
    return [x.map((length, axis) => before[axis] + length + after[axis])];
  },
  gradient: ({ inputs: [x], attributes: { before } }, [dy]) => [dy && slice(dy, before, x.shape)],
  reference: ([x], { attributes: { before, value }, outputs }) => {
    const result = new Float64Array(sizeOf(outputs[0].shape)).fill(value);
    const strides = stridesOf(outputs[0].shape);
    const offset = before.reduce((total, index, axis) => total + index * strides[axis], 0);
    copyBlock(x.shape, x.data, { offset: 0, strides: stridesOf(x.shape) }, result, { offset, strides });
    return [result];
  },
  onnx: (node, emitter) => {
    const { before, after, value } = node.attributes;
    emitter.nodeTo(node.outputs, "Pad", [
      emitter.nameOf(node.inputs[0]),
      emitter.integers([...before, ...after]),
      emitter.floats([], [value]),
    ]);
  },
};

/** x with `before` and `after` elements of `value` added at the ends of each axis. */
export const pad = (x: Value, before: readonly number[], after: readonly number[], value = 0): Value =>
  [...before, ...after].every((count) => count === 0)
    ? x
    : applySingle(padOperation, [x], { before, after, value });

const concatOperation: Operation<{ readonly axis: number }> = {
  name: "concat",
  shape: (shapes, { axis }) => {
    const [first] = shapes;
    const agree = shapes.every(
      (shape) =>
        shape.length === first.length && shape.every((length, a) => a === axis || length === first[a]),
    );
    if (!agree || axis < 0 || axis >= first.length)
      throw new ShapeError(`the shapes differ beside axis ${axis}`);
    const total = shapes.reduce((length, shape) => length + shape[axis], 0);
    return [first.map((length, a) => (a === axis ? total : length))];
  },
  gradient: ({ inputs, attributes: { axis } }, [dy]) =>
    dy
      ? split(
          dy,
          axis,
          inputs.map((value) => value.shape[axis]),
        )
      : inputs.map(() => null),
  reference: (tensors, { attributes: { axis }, outputs }) => {
    const result = new Float64Array(sizeOf(outputs[0].shape));
    const strides = stridesOf(outputs[0].shape);
    let start = 0;
    for (const { shape, data } of tensors) {
      copyBlock(shape, data, { offset: 0, strides: stridesOf(shape) }, result, {
        offset: start * strides[axis],
        strides,
      });
      start += shape[axis];
    }
    return [result];
  },
  onnx: (node, emitter) => emitter.emit("Concat", node, { axis: node.attributes.axis }),
};

/** The tensors one after another along an axis. */
export const concat = (values: readonly Value[], axis: number): Value =>
  values.length === 1 ? values[0] : applySingle(concatOperation, values, { axis });

const splitOperation: Operation<{ readonly axis: number; readonly sizes: readonly number[] }> = {
  name: "split",
  shape: ([x], { axis, sizes }) => {
    if (sizes.reduce((total, size) => total + size, 0) !== x[axis])
      throw new ShapeError(`parts of ${sizes.join(", ")} do not make up axis ${axis}`);
    return sizes.map((size) => x.map((length, a) => (a === axis ? size : length)));
  },
  gradient: ({ outputs, attributes: { axis } }, gradients) => [
    gradients.every((dy) => dy === null)
      ? null
      : concat(
          gradients.map((dy, index) => dy ?? full(outputs[index].shape, 0)),
          axis,
        ),
  ],
  reference: ([x], { attributes: { axis, sizes } }) => {
    const strides = stridesOf(x.shape);
    let start = 0;
    return sizes.map((size) => {
      const shape = x.shape.map((length, a) => (a === axis ? size : length));
      const part = new Float64Array(sizeOf(shape));
      copyBlock(shape, x.data, { offset: start * strides[axis], strides }, part, {
        offset: 0,
        strides: stridesOf(shape),
      });
      start += size;
      return part;
    });
  },
  onnx: (node, emitter) =>
    emitter.nodeTo(
      node.outputs,
      "Split",
      [emitter.nameOf(node.inputs[0]), emitter.integers(node.attributes.sizes)],
      { axis: node.attributes.axis },
    ),
};

/** Cuts x into parts of the given lengths along an axis. */
export const split = (x: Value, axis: number, sizes: readonly number[]): readonly Value[] =>
  sizes.length === 1 && sizes[0] === x.shape[axis] ? [x] : apply(splitOperation, [x], { axis, sizes });

const flipOperation: Operation<{ readonly axes: readonly number[] }> = {
  name: "flip",
  shape: ([x]) => [x],
  gradient: ({ attributes: { axes } }, [dy]) => [dy && flip(dy, axes)],
  reference: ([x], { attributes: { axes } }) => {
    const strides = stridesOf(x.shape);
    const result = new Float64Array(x.data.length);
    copyBlock(
      x.shape,
      x.data,
      {
        offset: axes.reduce((total, axis) => total + (x.shape[axis] - 1) * strides[axis], 0),
        strides: strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
      },
      result,
      { offset: 0, strides },
    );
    return [result];
  },
  onnx: (node, emitter) => {
    const { axes } = node.attributes;
    emitter.nodeTo(node.outputs, "Slice", [
      emitter.nameOf(node.inputs[0]),
      emitter.integers(axes.map(() => -1)),
      emitter.integers(axes.map(() => -(2 ** 31))),
      emitter.integers(axes),
      emitter.integers(axes.map(() => -1)),
    ]);
  },
};

/** x read backwards along the axes. */
export function flip(x: Value, axes: readonly number[]): Value {
  const long = axes.filter((axis) => x.shape[axis] > 1);
  return long.length === 0 ? x : applySingle(flipOperation, [x], { axes: long });
}

const gatherOperation: Operation<{ readonly indices: readonly number[] }> = {
  name: "gather",
  shape: ([x], { indices }) => {
    const beyond = indices.find((index) => !(Number.isInteger(index) && index >= 0 && index < x[0]));
    if (beyond !== undefined) throw new ShapeError(`there is no row ${beyond} of ${x[0]}`);
    return [[indices.length, ...x.slice(1)]];
  },
  // A row's gradient is the sum over the places that took it. Rows taken less often than others read zeros behind dY.
  gradient: ({ inputs: [x], attributes: { indices } }, [dy]) => {
    if (!dy) return [null];
    const places = Array.from({ length: x.shape[0] }, (): number[] => []);
    indices.forEach((row, place) => {
      places[row].push(place);
    });
    const padding = x.shape.map((_, axis) => (axis === 0 ? 1 : 0));
    const withZeros = pad(
      dy,
      padding.map(() => 0),
      padding,
    );
    const rest = x.shape.slice(1);
    const groups = groupedByCount(places);
    const sums = groups.map((rows) => {
      const most = rows.reduce((count, row) => Math.max(count, places[row].length), 1);
      const taken = rows.flatMap((row) => range(most).map((at) => places[row][at] ?? indices.length));
      const ofRows = reshape(gather(withZeros, taken), [rows.length, most, ...rest]);
      return reshape(sum(ofRows, [1]), [rows.length, ...rest]);
    });
    const [all] = sums;
    if (sums.length === 1) return [all];
    const placeOf = new Array<number>(x.shape[0]);
    groups.flat().forEach((row, place) => {
      placeOf[row] = place;
    });
    return [gather(concat(sums, 0), placeOf)];
  },
  reference: ([x], { attributes: { indices } }) => {
    const length = sizeOf(x.shape.slice(1));
    const result = new Float64Array(indices.length * length);
    indices.forEach((row, place) => {
      result.set(x.data.subarray(row * length, (row + 1) * length), place * length);
    });
    return [result];
  },
  onnx: ({ inputs: [x], outputs, attributes: { indices } }, emitter) =>
    emitter.nodeTo(outputs, "Gather", [emitter.nameOf(x), emitter.integers(indices)], { axis: 0 }),
};

/**
 * Rows that are taken about as often as each other, within a factor of two. One row that pads many windows would else make
 * every row read as many zeros.
 */
function groupedByCount(places: readonly (readonly number[])[]): number[][] {
  const groups = new Map<number, number[]>();
  places.forEach(({ length }, row) => {
    const kind = Math.ceil(Math.log2(Math.max(1, length)));
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [row]);
    else group.push(row);
  });
  return [...groups.values()];
}

/** Rows of x [rows, …] by constant indices, each as often as it is named: [indices.length, …]. */
export const gather = (x: Value, indices: readonly number[]): Value =>
  applySingle(gatherOperation, [x], { indices });

/** x moved round by `shift` along an axis: what leaves at one end comes in at the other (Swin's window shift). */
export function roll(x: Value, shift: number, axis: number): Value {
  const length = x.shape[axis];
  const moved = ((shift % length) + length) % length;
  if (moved === 0) return x;
  const [head, tail] = split(x, axis, [length - moved, moved]);
  return concat([tail, head], axis);
}
