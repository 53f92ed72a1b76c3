// The long and the short axis of a node in the axial plane, as RECIST 1.1 defines them.

import { contours } from "d3-contour";
import { lpsBounds } from "../volume/bounds.js";
import { reorientToLps } from "../volume/orientation.js";
import { resample } from "../volume/resample.js";
import { type Geometry, pointOfIndex, type Vector3, type Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { labelRuns } from "./components.js";
import type { Point2 } from "./convex-hull.js";
import { sliceHull } from "./half-voxel-hull.js";

export interface AxialAxes {
  readonly longAxisMm: number;
  readonly longAxisEndsLpsMm: readonly [Vector3, Vector3];
  readonly shortAxisMm: number;
  readonly shortAxisEndsLpsMm: readonly [Vector3, Vector3];
}

/**
 * The long axis is the longest diameter of the node's outline in one axial slice, over all slices; the short axis is
 * the longest chord of that outline at a right angle to it, in the same slice (RECIST 1.1: Eisenhauer et al., Eur J
 * Cancer 45, 2009; Schwartz et al., ibid., for lymph nodes). Of several diameters of equal length, the diameter with the
 * longest short axis is used. If a slice cuts the node in two, each outline is measured separately. A chord may cross a
 * notch or a hole of its outline.
 *
 * The outline runs halfway between a voxel's centre and that of its neighbour outside (see half-voxel-hull.ts): a single
 * voxel is as long as its larger spacing, two voxels in a row are two spacings long.
 *
 * Slices are those of the grid whose normal is nearest to z. If that normal is more than 5° off, the node is first
 * interpolated onto an axial grid, which may add a third of its smallest spacing to a length. Below 5° a slice differs
 * from an axial cut by 0.4 % for a long node, and by 3 % for a node that is three times as wide as it is high.
 *
 * @param node - foreground is 1, not empty; a crop around the node is enough
 */
export function axialAxes(node: Volume<Uint8Array>): AxialAxes {
  const slices = withAxialSlices(node);
  const [x, y] = [slices.spacingMm[0] / 2, slices.spacingMm[1] / 2];
  const candidates = longestOf(outlinesOf(slices).flatMap((outline) => diametersOf(outline, [x, y])));
  let best: AxialAxes | null = null;
  for (const { outline, ends, lengthMm } of candidates) {
    const across = longestAcross(borderOf(outline, slices), ends, [x, y]);
    if (best !== null && across.lengthMm <= best.shortAxisMm * (1 + tieTolerance)) continue;
    const inPatient = ([a, b]: Ends): readonly [Vector3, Vector3] => [
      pointOfIndex(slices, [a[0] / 2, a[1] / 2, outline.slice]),
      pointOfIndex(slices, [b[0] / 2, b[1] / 2, outline.slice]),
    ];
    best = {
      longAxisMm: lengthMm,
      longAxisEndsLpsMm: inPatient(ends),
      shortAxisMm: across.lengthMm,
      shortAxisEndsLpsMm: inPatient(across.ends),
    };
  }
  if (best === null) throw new RangeError("A node without voxels has no axes.");
  return best;
}

/** Lengths that differ by less than this fraction count as equal. */
const tieTolerance = 1e-9;

/** Two points of a slice, in half voxels: voxel (i, j) has its centre at (2i, 2j). */
type Ends = readonly [Point2, Point2];

/** A connected piece of a slice. */
interface Outline {
  readonly slice: number;
  /** First and last voxel of each of its runs along i, as offsets into the slice. */
  readonly stretches: readonly (readonly [first: number, last: number])[];
  readonly width: number;
}

interface Diameter {
  readonly outline: Outline;
  readonly ends: Ends;
  readonly lengthMm: number;
}

const maxTilt = (5 * Math.PI) / 180;

/** The node with k along z: its own voxels if its grid is axial, else interpolated. */
function withAxialSlices(node: Volume<Uint8Array>): Volume<Uint8Array> {
  const turned = reorientToLps(node);
  if (turned.direction[8] >= Math.cos(maxTilt)) return turned;
  const share = resample({ ...turned, data: Float32Array.from(turned.data) }, axialGrid(turned), "linear", 0);
  return { ...share, data: maskWhere(share.data, (value) => value >= 0.5) };
}

/**
 * An axial grid around an oblique grid. With a third of the smallest spacing even a single voxel cannot fall between its
 * points; a large node needs no more than 128 points per side.
 */
function axialGrid(oblique: Geometry): Geometry {
  const { lowMm, highMm } = lpsBounds(oblique);
  const extent = [0, 1, 2].map((axis) => highMm[axis] - lowMm[axis]);
  const step = Math.max(Math.min(...oblique.spacingMm) / 3, Math.max(...extent) / 128);
  const sizeAlong = (axis: number) => Math.ceil(extent[axis] / step) + 1;
  return {
    size: [sizeAlong(0), sizeAlong(1), sizeAlong(2)],
    spacingMm: [step, step, step],
    originMm: lowMm,
    direction: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  };
}

/** The connected pieces of each slice; voxels that touch at a corner are connected, as in a node. */
function outlinesOf({ data, size: [width, height, depth] }: Volume<Uint8Array>): Outline[] {
  const outlines: Outline[] = [];
  for (let slice = 0; slice < depth; slice++) {
    const voxels = data.subarray(slice * width * height, (slice + 1) * width * height);
    const { starts, ends, runLabels, count } = labelRuns(voxels, [width, height, 1], 26);
    const pieces = Array.from({ length: count }, (): [number, number][] => []);
    starts.forEach((start, run) => {
      pieces[runLabels[run] - 1].push([start, ends[run] - 1]);
    });
    for (const stretches of pieces) outlines.push({ slice, stretches, width });
  }
  return outlines;
}

/** The longest lines between two corners of an outline's hull; several if they are equally long. */
function diametersOf(outline: Outline, [xMm, yMm]: Point2): Diameter[] {
  const { stretches, width } = outline;
  const centres = stretches.flat().map((at): Point2 => [2 * (at % width), 2 * Math.floor(at / width)]);
  const corners = sliceHull(centres);
  const diameters: Diameter[] = [];
  let longest = 0;
  corners.forEach((a, index) => {
    for (let other = 0; other < index; other++) {
      const b = corners[other];
      const lengthMm = Math.sqrt(((a[0] - b[0]) * xMm) ** 2 + ((a[1] - b[1]) * yMm) ** 2);
      if (lengthMm < longest * (1 - tieTolerance)) continue;
      longest = Math.max(longest, lengthMm);
      diameters.push({ outline, ends: [b, a], lengthMm });
    }
  });
  return longestOf(diameters);
}

function longestOf(diameters: readonly Diameter[]): Diameter[] {
  const longest = diameters.reduce((most, { lengthMm }) => Math.max(most, lengthMm), 0);
  return diameters.filter(({ lengthMm }) => lengthMm >= longest * (1 - tieTolerance));
}

/** The closed contours around a piece of a slice and around its holes, in half voxels. */
function borderOf({ stretches, width }: Outline, { size }: Geometry): Point2[][] {
  // A margin of one voxel, because d3 does not close contours at the border of its grid.
  const [columns, rows] = [width + 2, size[1] + 2];
  const values = new Array<number>(columns * rows).fill(0);
  for (const [first, last] of stretches) {
    const start = (first % width) + 1 + columns * (Math.floor(first / width) + 1);
    values.fill(1, start, start + last - first + 1);
  }
  const { coordinates } = contours().size([columns, rows]).contour(values, 0.5);
  // In d3's coordinates the centre of the margin's first voxel is (0.5, 0.5).
  return coordinates.flat().map((ring) => ring.map(([x, y]): Point2 => [2 * x - 3, 2 * y - 3]));
}

/** The longest chord at a right angle to the line between two points, between the outermost points of the border. */
function longestAcross(
  border: readonly Point2[][],
  [from, to]: Ends,
  [xMm, yMm]: Point2,
): { ends: Ends; lengthMm: number } {
  const long = [(to[0] - from[0]) * xMm, (to[1] - from[1]) * yMm];
  const length = Math.hypot(long[0], long[1]);
  const [u, v] = [long[0] / length, long[1] / length];
  // Coordinates in mm along the long axis and across it.
  const turned = border.map((ring) =>
    ring.map(([x, y]): Point2 => [x * xMm * u + y * yMm * v, y * yMm * u - x * xMm * v]),
  );
  let best = { along: 0, low: 0, high: 0 };
  // Between two corners the length is linear, so its maximum is at a corner.
  for (const along of new Set(turned.flat().map(([at]) => at))) {
    const [low, high] = extentAt(turned, along);
    if (high - low > best.high - best.low) best = { along, low, high };
  }
  const inSlice = (across: number): Point2 => [
    (best.along * u - across * v) / xMm,
    (best.along * v + across * u) / yMm,
  ];
  return { ends: [inSlice(best.low), inSlice(best.high)], lengthMm: best.high - best.low };
}

/** The minimum and maximum position across the long axis, of all contours at a given position along it. */
function extentAt(border: readonly (readonly Point2[])[], along: number): readonly [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const ring of border) {
    for (let corner = 1; corner < ring.length; corner++) {
      const [a, b] = [ring[corner - 1], ring[corner]];
      if ((a[0] < along && b[0] < along) || (a[0] > along && b[0] > along)) continue;
      const share = a[0] === b[0] ? 0 : (along - a[0]) / (b[0] - a[0]);
      const across = a[1] + share * (b[1] - a[1]);
      low = Math.min(low, across);
      high = Math.max(high, across);
    }
  }
  return [low, high];
}
