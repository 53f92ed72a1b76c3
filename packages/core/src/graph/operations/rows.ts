// Rows that the graph itself chooses: indices that are computed, not known when the graph is built.
import { applySingle, type Operation, type Value } from "../graph.js";
import { type Shape, ShapeError, sizeOf } from "../shape.js";

/** Up to here each whole number is a float32 of its own, and so can be an index. */
const MOST_ROWS = 2 ** 24;

/** ONNX's Cast to int32, which WebGPU has too. */
const INT32 = { to: 6 };

function checkRows(x: Shape, indices: Shape, rows: number): void {
  if (x.length !== 2 || indices.length !== 1) throw new ShapeError("rows have two axes, indices one");
  if (rows > MOST_ROWS) throw new ShapeError(`${rows} rows are more than float32 can count`);
}

const takeRowsOperation: Operation<Record<string, never>> = {
  name: "takeRows",
  shape: ([x, indices]) => {
    checkRows(x, indices, x[0]);
    return [[indices[0], x[1]]];
  },
  gradient: ({ inputs: [x, indices] }, [dy]) => [dy && addRows(dy, indices, x.shape[0]), null],
  reference: ([x, indices]) => {
    const length = x.shape[1];
    const result = new Float64Array(indices.data.length * length);
    indices.data.forEach((row, place) => {
      result.set(x.data.subarray(row * length, (row + 1) * length), place * length);
    });
    return [result];
  },
  onnx: ({ inputs: [x, indices], outputs }, emitter) =>
    emitter.nodeTo(
      outputs,
      "Gather",
      [emitter.nameOf(x), emitter.node("Cast", [emitter.nameOf(indices)], INT32)],
      { axis: 0 },
    ),
};

const addRowsOperation: Operation<{ readonly rows: number }> = {
  name: "addRows",
  shape: ([x, indices], { rows }) => {
    checkRows(x, indices, rows);
    if (x[0] !== indices[0]) throw new ShapeError(`${indices[0]} indices for ${x[0]} rows`);
    return [[rows, x[1]]];
  },
  gradient: ({ inputs: [, indices] }, [dy]) => [dy && takeRows(dy, indices), null],
  reference: ([x, indices], { outputs }) => {
    const length = x.shape[1];
    const result = new Float64Array(sizeOf(outputs[0].shape));
    x.data.forEach((value, at) => {
      result[indices.data[Math.floor(at / length)] * length + (at % length)] += value;
    });
    return [result];
  },
  // Not ScatterND: on the CPU its threads may add to one row at the same time.
  onnx: ({ inputs: [x, indices], outputs }, emitter) => {
    const rows = emitter.node("Cast", [emitter.nameOf(indices)], INT32);
    const column = emitter.node("Reshape", [rows, emitter.integers([indices.shape[0], 1])]);
    const places = emitter.node("Expand", [column, emitter.integers(x.shape)]);
    const zeros = emitter.node("Expand", [emitter.floats([], [0]), emitter.integers(outputs[0].shape)]);
    emitter.nodeTo(outputs, "ScatterElements", [zeros, places, emitter.nameOf(x)], {
      axis: 0,
      reduction: "add",
    });
  },
};

/** Rows of x [rows, C] by whole numbers in `indices` [count], each as often as it is named: [count, C]. The indices have no gradient. */
export const takeRows = (x: Value, indices: Value): Value => applySingle(takeRowsOperation, [x, indices], {});

/** Row i of x [count, C] added to row `indices[i]` of zeros: [rows, C]. The indices have no gradient. */
export const addRows = (x: Value, indices: Value, rows: number): Value =>
  applySingle(addRowsOperation, [x, indices], { rows });
