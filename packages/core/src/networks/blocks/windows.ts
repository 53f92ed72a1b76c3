// Windows of a volume for Swin's attention: which voxel stands where, as constant indices.
import { range, type Shape, sizeOf } from "../../graph/shape.js";

/** How tokens are set out in windows; window after window, row-major, as are the tokens within one. */
export interface Windows {
  readonly count: number;
  /** Tokens of a window. */
  readonly length: number;
  /** For each place in the windows its token; the number of tokens where it lies beyond the volume. */
  readonly tokens: readonly number[];
  /** For each token its place in the windows. */
  readonly places: readonly number[];
  /** For each place the part of the volume it is from: windows that were shifted round the end hold several. Null without a shift. */
  readonly parts: readonly number[] | null;
}

/** Windows of the volume shifted by `shift` and filled up at its end. Along an axis that one window spans there is no shift. */
export function windowsOf(space: Shape, window: Shape, shift: Shape): Windows {
  const isSpanned = space.map((length, axis) => length <= window[axis]);
  const edges = window.map((edge, axis) => (isSpanned[axis] ? space[axis] : edge));
  const shifts = shift.map((by, axis) => (isSpanned[axis] ? 0 : by));
  const counts = space.map((length, axis) => Math.ceil(length / edges[axis]));
  const filled = counts.map((count, axis) => count * edges[axis]);
  const outside = sizeOf(space);

  const tokens: number[] = [];
  const parts: number[] = [];
  const places = new Array<number>(outside);
  for (const corner of positions(counts))
    for (const inside of positions(edges)) {
      const at = corner.map((index, axis) => index * edges[axis] + inside[axis]);
      const from = at.map((index, axis) => (index + shifts[axis]) % filled[axis]);
      const isOutside = from.some((index, axis) => index >= space[axis]);
      const token = isOutside ? outside : flat(from, space);
      if (!isOutside) places[token] = tokens.length;
      tokens.push(token);
      const partOf = (axis: number): number => {
        if (shifts[axis] === 0 || at[axis] < filled[axis] - edges[axis]) return 0;
        return at[axis] < filled[axis] - shifts[axis] ? 1 : 2;
      };
      parts.push(flat([partOf(0), partOf(1), partOf(2)], [3, 3, 3]));
    }
  const isShifted = shifts.some((by) => by > 0);
  return { count: sizeOf(counts), length: sizeOf(edges), tokens, places, parts: isShifted ? parts : null };
}

/**
 * For each pair of the first `length` tokens of a window its row in the table of relative positions, (2·window − 1) rows
 * along each axis. Where a window is cut to the volume the reference takes the first tokens of a whole one, and so does this.
 */
export function relativePositions(window: Shape, length: number): number[] {
  const rows = window.map((edge) => 2 * edge - 1);
  const within = positions(window).slice(0, length);
  return within.flatMap((a) =>
    within.map((b) =>
      flat(
        a.map((index, axis) => index - b[axis] + window[axis] - 1),
        rows,
      ),
    ),
  );
}

/** All positions in a box, row-major. */
export function positions([depth, height, width]: Shape): number[][] {
  return range(depth).flatMap((z) => range(height).flatMap((y) => range(width).map((x) => [z, y, x])));
}

/** The row-major number of a position in a box. */
export const flat = ([z, y, x]: Shape, [, height, width]: Shape): number => (z * height + y) * width + x;
