// Labels for deep supervision.
import type { Value } from "../graph/graph.js";
import { reshape, slice } from "../graph/operations/layout.js";
import { range, type Shape } from "../graph/shape.js";

/** The label [N, C, …space] at the coarser size of `shape`, the voxel nearest to each coarse voxel's centre, as nnU-Net has it. */
export function coarserLabel(label: Value, shape: Shape): Value {
  return range(shape.length - 2, 2).reduce((fine, axis) => {
    const factor = fine.shape[axis] / shape[axis];
    if (factor === 1) return fine;
    const [before, after] = [fine.shape.slice(0, axis), fine.shape.slice(axis + 1)];
    const groups = reshape(fine, [...before, shape[axis], factor, ...after]);
    const start = groups.shape.map((_, at) => (at === axis + 1 ? Math.floor(factor / 2) : 0));
    const nearest = slice(groups, start, [...before, shape[axis], 1, ...after]);
    return reshape(nearest, [...before, shape[axis], ...after]);
  }, label);
}
