// Matrix products.
import { applySingle, type Operation, shapeError, type Value } from "../graph.js";
import { broadcastShapes, range, type Shape, ShapeError, sizeOf } from "../shape.js";

interface Transposed {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Rows, inner length and columns of the product. */
function dimensions(a: Shape, b: Shape, { transposeA, transposeB }: Transposed) {
  const [m, k] = transposeA ? [a[a.length - 1], a[a.length - 2]] : [a[a.length - 2], a[a.length - 1]];
  const [inner, n] = transposeB ? [b[b.length - 1], b[b.length - 2]] : [b[b.length - 2], b[b.length - 1]];
  return { m, k, inner, n };
}

const matmulOperation: Operation<Transposed> = {
  name: "matmul",
  shape: ([a, b], attributes) => {
    if (a.length < 2 || b.length < 2) throw new ShapeError("matrices have at least two axes");
    const { m, k, inner, n } = dimensions(a, b, attributes);
    if (k !== inner) throw new ShapeError(`inner lengths ${k} and ${inner} differ`);
    return [[...broadcastShapes(a.slice(0, -2), b.slice(0, -2)), m, n]];
  },
  gradient: ({ inputs: [a, b], attributes: { transposeA, transposeB } }, [dy]) => {
    if (!dy) return [null, null];
    return [
      transposeA
        ? matmul(b, dy, { transposeA: transposeB, transposeB: true })
        : matmul(dy, b, { transposeB: !transposeB }),
      transposeB
        ? matmul(dy, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, dy, { transposeA: !transposeA }),
    ];
  },
  reference: ([a, b], { attributes, outputs }) => {
    const { m, k, n } = dimensions(a.shape, b.shape, attributes);
    const batch = outputs[0].shape.slice(0, -2);
    const result = new Float64Array(sizeOf(outputs[0].shape));
    const matrixOf = (shape: Shape, index: number): number => {
      let rest = index;
      let matrix = 0;
      let stride = 1;
      for (let axis = batch.length - 1; axis >= 0; axis--) {
        const length = shape[axis - batch.length + shape.length - 2] ?? 1;
        matrix += (length === 1 ? 0 : rest % batch[axis]) * stride;
        stride *= length;
        rest = Math.floor(rest / batch[axis]);
      }
      return matrix;
    };
    for (let index = 0; index < sizeOf(batch); index++) {
      const offsetA = matrixOf(a.shape, index) * m * k;
      const offsetB = matrixOf(b.shape, index) * k * n;
      for (let row = 0; row < m; row++)
        for (let column = 0; column < n; column++) {
          let total = 0;
          for (let inner = 0; inner < k; inner++)
            total +=
              a.data[offsetA + (attributes.transposeA ? inner * m + row : row * k + inner)] *
              b.data[offsetB + (attributes.transposeB ? column * k + inner : inner * n + column)];
          result[(index * m + row) * n + column] = total;
        }
    }
    return [result];
  },
  onnx: (node, emitter) => {
    const [a, b] = node.inputs;
    const { transposeA, transposeB } = node.attributes;
    if (a.shape.length === 2 && b.shape.length === 2 && (transposeA || transposeB)) {
      emitter.emit("Gemm", node, { transA: Number(transposeA), transB: Number(transposeB) });
      return;
    }
    const operand = (value: Value, transposed: boolean): string => {
      const rank = value.shape.length;
      if (!transposed) return emitter.nameOf(value);
      const perm = [...range(rank - 2), rank - 1, rank - 2];
      return emitter.node("Transpose", [emitter.nameOf(value)], { perm });
    };
    emitter.nodeTo(node.outputs, "MatMul", [operand(a, transposeA), operand(b, transposeB)]);
  },
  // By thop's rule a product with one matrix is a linear layer and counts; products of attention do not.
  cost: ({ inputs: [a, b], outputs: [y], attributes }) => {
    const multiplyAdds = sizeOf(y.shape) * dimensions(a.shape, b.shape, attributes).k;
    return { multiplyAdds, multiplyAddsThop: b.shape.length === 2 ? multiplyAdds : 0 };
  },
};

/** a·b over the last two axes, either of them transposed first; leading axes broadcast. */
export const matmul = (
  a: Value,
  b: Value,
  { transposeA = false, transposeB = false }: Partial<Transposed> = {},
): Value => applySingle(matmulOperation, [a, b], { transposeA, transposeB });

/** x·Wᵀ, as a linear layer: x [..., in], weight [out, in]. */
export function linear(x: Value, weight: Value): Value {
  if (weight.shape.length !== 2) throw shapeError("linear", "the weight is [out, in]", [x, weight]);
  return matmul(x, weight, { transposeB: true });
}
