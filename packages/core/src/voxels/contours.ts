// Converts closed planar contours to voxels, and voxels to contours; a mask converted to contours and back is unchanged.
import { contours as marchingSquares } from "d3-contour";
import { counted } from "../text.js";
import type { PlanarContour } from "../volume/planar-contour.js";
import { fillSlabs, slabsOf, slicePositions } from "../volume/slabs.js";
import { addScaled, axisDirections, cross, dot, scale, subtract, unit } from "../volume/vector.js";
import { type Geometry, pointOfIndex, type Vector3, type VoxelArray, voxelCount } from "../volume/volume.js";

/**
 * The voxels whose centres lie inside the contours: 1 inside, 0 outside, i fastest.
 *
 * - Contours in the same plane are combined by exclusive or (even–odd), so a hole may be a separate contour or a keyhole.
 *   A contour that occurs twice counts once.
 * - Planes may lie at any angle to the grid; a voxel belongs to the nearest plane of a stack of parallel planes, if that
 *   is within half a slice, or within half of `drawnEveryMm` if that is wider. Further away the mask stays empty.
 * - Stacks of different directions are united.
 * - A centre exactly on an outline is inside where the region begins along an axis of the grid, and outside where it
 *   ends; midway between two planes, it belongs to the lower plane.
 *
 * @param drawnEveryMm - distance between the slices that were drawn on, if these are not the grid's: with contours on
 * every third slice, each fills three slices. {@link drawnSpacingMm} finds it from a whole structure set. It cannot be
 * found from the contours of a single region, because a missing contour may mean that the region is absent there.
 */
export function rasteriseContours(
  contours: readonly PlanarContour[],
  geometry: Geometry,
  drawnEveryMm = 0,
): Uint8Array {
  const mask = new Uint8Array(voxelCount(geometry));
  for (const stack of stacksOf(contours, geometry)) {
    fillStack(stack, reachOf(stack, geometry, drawnEveryMm), geometry, mask);
  }
  return mask;
}

/**
 * The voxels of contours that were drawn on slices at any distances: each contour fills the slab of its slice, half way
 * to the neighbouring slices, and the volume is that of the slabs (`fillSlabs`). A slice without a contour is empty; a
 * contour between slices is assigned to the nearest slice. Contours that lie on the grid's own planes, or across the
 * slices, are filled as in {@link rasteriseContours}.
 *
 * @param slicesMm - positions of the slices along the grid's third axis, from its first plane, ascending
 */
export function rasteriseOnSlices(
  contours: readonly PlanarContour[],
  geometry: Geometry,
  slicesMm: readonly number[],
): Uint8Array {
  const axial = axialStack(contours, geometry);
  if (axial === null || !areOnSlices(axial, geometry, slicesMm)) return rasteriseContours(contours, geometry);
  const across = contours.filter(
    (contour) => !axial.planes.some((plane) => plane.contours.includes(contour)),
  );
  const inPlane = heightsOf(axial, geometry);
  const slabs = slabsOf(slicesMm, geometry.spacingMm[2]).flatMap((slab, n) => {
    const near = axial.planes
      .map((plane, at) => ({ plane, aside: Math.abs(inPlane[at] - slicesMm[n]), heightMm: inPlane[at] }))
      .filter(({ heightMm }) => heightMm > slab.lowMm && heightMm <= slab.highMm)
      .sort((a, b) => a.aside - b.aside);
    if (near.length === 0) return [];
    const [{ plane, heightMm }] = near;
    const [, , k] = axisDirections(geometry);
    const slice: Geometry = {
      ...geometry,
      size: [geometry.size[0], geometry.size[1], 1],
      originMm: addScaled(geometry.originMm, k, heightMm),
    };
    return [{ ...slab, mask: rasteriseContours(plane.contours, slice) }];
  });
  const mask = fillSlabs(slabs, geometry);
  if (across.length > 0) {
    rasteriseContours(across, geometry).forEach((value, n) => {
      if (value === 1) mask[n] = 1;
    });
  }
  return mask;
}

/**
 * The positions of the slices that contours were drawn on, along the grid's third axis from its first plane; null where
 * they are the planes of a regular grid, or cannot be found.
 */
export function unevenSlicesMm(
  contours: readonly PlanarContour[],
  geometry: Geometry,
): readonly number[] | null {
  const axial = axialStack(contours, geometry);
  if (axial === null || axial.planes.length < 3) return null;
  const slices = slicePositions(heightsOf(axial, geometry), geometry.spacingMm[2]);
  const gaps = slices.slice(1).map((position, n) => position - slices[n]);
  const least = gaps.reduce((smallest, gap) => Math.min(smallest, gap), Number.POSITIVE_INFINITY);
  const isUneven = gaps.some((gap) => gap > 1.05 * least && gap <= thickestSliceMm);
  return isUneven ? slices : null;
}

/** The stack of the contours that are parallel to the grid's slices; null if there are none. */
function axialStack(contours: readonly PlanarContour[], geometry: Geometry): Stack | null {
  return axialOf(stacksOf(contours, geometry), geometry);
}

function axialOf(stacks: readonly Stack[], geometry: Geometry): Stack | null {
  const [, , k] = axisDirections(geometry);
  return stacks.find(({ normal }) => dot(normal, k) > parallelCosine) ?? null;
}

/** Heights of a stack's planes above the first plane of the grid. */
function heightsOf({ normal, planes }: Stack, geometry: Geometry): number[] {
  const origin = dot(geometry.originMm, normal);
  return planes.map(({ offsetMm }) => offsetMm - origin);
}

/** Whether contours were drawn on the slices, and not on the planes of the grid that the slices were resampled to. */
function areOnSlices(stack: Stack, geometry: Geometry, slicesMm: readonly number[]): boolean {
  const heights = heightsOf(stack, geometry);
  const step = geometry.spacingMm[2];
  const offSlices = heights.filter((height) =>
    slicesMm.every((slice) => Math.abs(slice - height) > planeTolerance * step),
  ).length;
  const offPlanes = heights.filter(
    (height) => Math.abs(height / step - Math.round(height / step)) > planeTolerance,
  ).length;
  return offSlices <= offPlanes;
}

/**
 * The distance between the slices that contours were drawn on: the smallest distance in the largest stack, if it occurs
 * at least twice and is plausible for CT slices (up to 10 mm). Null where it cannot be told.
 */
export function drawnSpacingMm(contours: readonly PlanarContour[], geometry: Geometry): number | null {
  const [largest] = stacksOf(contours, geometry).sort((a, b) => b.planes.length - a.planes.length);
  const [least, second] = distancesBetween(largest?.planes ?? []).sort((a, b) => a - b);
  const isRegular = second !== undefined && second <= least * (1 + planeTolerance);
  return isRegular && least <= thickestSliceMm ? least : null;
}

/**
 * What a person should know before trusting a mask made from these contours on this grid, as short phrases. Empty if
 * every contour encloses an area, lies inside the grid and on a slice of it, and no slice in between lacks a contour.
 *
 * @param slicesMm - slices for {@link rasteriseOnSlices}, which need not lie on planes of the grid
 */
export function contourProblems(
  contours: readonly PlanarContour[],
  geometry: Geometry,
  drawnEveryMm = 0,
  slicesMm: readonly number[] | null = null,
): string[] {
  const solid = contours.filter(enclosesArea);
  const flat = contours.length - solid.length;
  const outside = solid.filter((contour) => !isInside(contour, geometry)).length;
  return [
    ...(flat > 0 ? [`${counted(flat, "contour")} without area left out`] : []),
    ...(outside > 0 ? [`${counted(outside, "contour")} wholly or partly outside the grid`] : []),
    ...stacksOf(contours, geometry)
      .filter((stack) => slicesMm === null || stack !== axialOf([stack], geometry))
      .flatMap((stack) => stackProblems(stack, geometry, drawnEveryMm)),
  ];
}

/**
 * Contours of the foreground in each slice k, at the height of the voxel centres. Rasterised on the same grid they give
 * exactly the same mask. Holes are separate contours.
 *
 * Marching squares at 0.5: a contour passes midway between a voxel inside and its neighbour outside, and cuts corners, so
 * that it encloses half a voxel less than the area of its voxels.
 *
 * @param voxels - a mask or labels, i fastest
 * @param label - the label to trace; by default every nonzero voxel
 */
export function traceContours(voxels: VoxelArray, geometry: Geometry, label?: number): PlanarContour[] {
  const [width, height, depth] = geometry.size;
  const isForeground = (value: number) => (label === undefined ? value !== 0 : value === label);
  const contours: PlanarContour[] = [];
  for (let k = 0; k < depth; k++) {
    const slice = voxels.subarray(k * width * height, (k + 1) * width * height);
    const box = boxOf(slice, width, isForeground);
    if (box === null) continue;
    const { firstI, firstJ, columns, rows } = box;
    const values = Array.from({ length: columns * rows }, (_, n) =>
      isForeground(slice[firstI + (n % columns) + width * (firstJ + Math.floor(n / columns))]) ? 1 : 0,
    );
    const outlines = marchingSquares().size([columns, rows]).smooth(false).contour(values, 0.5);
    for (const ring of outlines.coordinates.flat()) {
      const pointsMm = withoutCollinear(ring).map(([x, y]) =>
        // In the library's coordinates the centre of the first value is 0.5.
        pointOfIndex(geometry, [firstI + x - 0.5, firstJ + y - 0.5, k]),
      );
      contours.push({ pointsMm });
    }
  }
  return contours;
}

/** An upper limit: otherwise a few regions on single slices would seem to be drawn on slices as thick as their distance. */
const thickestSliceMm = 10;
/** Fraction of a slice within which a contour counts as flat, and two contours as in the same plane. */
const planeTolerance = 0.05;
/** Cosine from which a plane's normal and an axis of the grid count as parallel: within a quarter of a degree. */
const parallelCosine = 0.99999;

interface Plane {
  /** Position along the stack's normal, mm. */
  readonly offsetMm: number;
  readonly contours: PlanarContour[];
}

/** Parallel planes in order of their offset. */
interface Stack {
  readonly normal: Vector3;
  readonly planes: readonly Plane[];
}

/**
 * Groups contours by the direction of their plane and their position along it. The grid's own planes, slices first, are
 * preferred to a plane fitted to the points, whose direction would suffer from the rounding in the file.
 */
function stacksOf(contours: readonly PlanarContour[], geometry: Geometry): Stack[] {
  const [i, j, k] = axisDirections(geometry);
  const stacks = [k, j, i].map((normal) => ({ normal, members: [] as PlanarContour[] }));
  const largestFirst = contours
    .filter(enclosesArea)
    .sort((a, b) => Math.hypot(...areaVector(b)) - Math.hypot(...areaVector(a)));
  for (const contour of largestFirst) {
    const stack = stacks.find(
      ({ normal }) => spreadAlong(contour, normal) <= planeTolerance * sliceStep(geometry, normal),
    );
    if (stack) stack.members.push(contour);
    else stacks.push({ normal: upward(unit(areaVector(contour))), members: [contour] });
  }
  return stacks
    .filter(({ members }) => members.length > 0)
    .map(({ normal, members }) => ({ normal, planes: planesOf(members, normal, geometry) }));
}

function planesOf(members: readonly PlanarContour[], normal: Vector3, geometry: Geometry): Plane[] {
  const placed = members
    .map((contour) => ({ contour, offsetMm: meanAlong(contour, normal) }))
    .sort((a, b) => a.offsetMm - b.offsetMm);
  const tolerance = planeTolerance * sliceStep(geometry, normal);
  const planes: Plane[] = [];
  for (const { contour, offsetMm } of placed) {
    const last = planes.at(-1);
    if (last === undefined || offsetMm - last.offsetMm > tolerance)
      planes.push({ offsetMm, contours: [contour] });
    else if (!last.contours.some((other) => samePoints(other, contour))) last.contours.push(contour);
  }
  return planes;
}

/** How far the planes of a stack extend to either side, mm. */
function reachOf({ normal }: Stack, geometry: Geometry, drawnEveryMm: number): number {
  return Math.max(sliceStep(geometry, normal), drawnEveryMm) / 2;
}

function distancesBetween(planes: readonly Plane[]): number[] {
  return planes.slice(1).map((plane, n) => plane.offsetMm - planes[n].offsetMm);
}

function stackProblems({ normal, planes }: Stack, geometry: Geometry, drawnEveryMm: number): string[] {
  const problems: string[] = [];
  const slice = sliceStep(geometry, normal);
  const axes = axisDirections(geometry);
  const axis = [2, 1, 0].find((n) => Math.abs(dot(axes[n], normal)) > parallelCosine);
  if (axis === undefined) problems.push("contours in planes oblique to the grid");
  else if (axis !== 2) problems.push(`contours across the slices, in planes of constant ${"ijk"[axis]}`);
  const origin = dot(geometry.originMm, normal);
  const indices = planes.map(({ offsetMm }) => (offsetMm - origin) / slice);
  const offSlice = indices.filter((index) => Math.abs(index - Math.round(index)) > 2 * planeTolerance).length;
  if (axis !== undefined && offSlice > 0) {
    problems.push(`${counted(offSlice, "contour plane")} between slices, assigned to the nearest slice`);
  }
  const unused = indices.length - new Set(indices.map(Math.round)).size;
  if (axis !== undefined && unused > 0) {
    problems.push(`${counted(unused, "contour plane")} unused, because the slices have a nearer contour`);
  }
  const bent = planes
    .flatMap((plane) => plane.contours)
    .filter((contour) => spreadAlong(contour, normal) > planeTolerance * slice).length;
  if (bent > 0) problems.push(`${counted(bent, "contour")} not flat, projected to the mean plane`);
  const every = Math.max(slice, drawnEveryMm);
  if (every > slice * (1 + planeTolerance)) {
    problems.push(`contours every ${every.toFixed(2)} mm fill the slices every ${slice.toFixed(2)} mm`);
  }
  const gaps = distancesBetween(planes).filter((distance) => distance > 1.5 * every).length;
  if (gaps > 0) problems.push(`${counted(gaps, "gap")} between contour planes, left empty`);
  return problems;
}

/**
 * Fills a stack row by row, along the axis that is most nearly parallel to its planes: each plane covers a single run of
 * such a row, and the crossings with the outlines alternate between entering and leaving.
 */
function fillStack(stack: Stack, reachMm: number, geometry: Geometry, mask: Uint8Array): void {
  const { normal, planes } = stack;
  const axes = axisDirections(geometry);
  const rowAxis = axisMostPerpendicular(axes, normal);
  const [slowAxis, fastAxis] = [2, 1, 0].filter((axis) => axis !== rowAxis);
  const along = unit(addScaled(axes[rowAxis], normal, -dot(axes[rowAxis], normal)));
  const across = towards(cross(normal, along), axisMostParallel(axes, rowAxis, normal));
  const strides = [1, geometry.size[0], geometry.size[0] * geometry.size[1]];
  /** The component, in a direction, of a step to the next voxel of an axis. */
  const stepMm = (axis: number, direction: Vector3) => geometry.spacingMm[axis] * dot(axes[axis], direction);
  /** The position of the start of row (slow, fast) in a direction. */
  const startIn = (direction: Vector3) => {
    const [origin, bySlow, byFast] = [
      dot(geometry.originMm, direction),
      stepMm(slowAxis, direction),
      stepMm(fastAxis, direction),
    ];
    return (slow: number, fast: number) => origin + slow * bySlow + fast * byFast;
  };
  const [startAlong, startAcross, startNormal] = [along, across, normal].map(startIn);
  const row: Row = {
    length: geometry.size[rowAxis],
    stepAlongMm: stepMm(rowAxis, along),
    stepNormalMm: stepMm(rowAxis, normal),
  };
  const acrossTolerance = 1e-6 * Math.min(...geometry.spacingMm);
  planes.forEach((plane, n) => {
    const slab = slabOf(plane, planes[n - 1], planes[n + 1], reachMm);
    const outlines = plane.contours.map((contour) => outlineIn(contour, along, across));
    const [firstSlow, lastSlow] = rangeOf(plane, stack.normal, reachMm, slowAxis, geometry);
    const [firstFast, lastFast] = rangeOf(plane, stack.normal, reachMm, fastAxis, geometry);
    for (let slow = firstSlow; slow <= lastSlow; slow++) {
      for (let fast = firstFast; fast <= lastFast; fast++) {
        const v = startAcross(slow, fast) + acrossTolerance;
        const [first, last] = stretchOf(row, startNormal(slow, fast), slab);
        if (first > last) continue;
        const offset = slow * strides[slowAxis] + fast * strides[fastAxis];
        const places = crossings(outlines, v).map(
          (u) => (u - startAlong(slow, fast)) / row.stepAlongMm - 1e-6,
        );
        for (let pair = 0; pair + 1 < places.length; pair += 2) {
          const from = Math.max(first, Math.ceil(places[pair]));
          const to = Math.min(last, Math.ceil(places[pair + 1]) - 1);
          for (let at = from; at <= to; at++) mask[offset + at * strides[rowAxis]] = 1;
        }
      }
    }
  });
}

/** A row of voxels in the coordinates of the planes. */
interface Row {
  readonly length: number;
  readonly stepAlongMm: number;
  readonly stepNormalMm: number;
}

/** The slab of a plane: offsets above `lowMm`, up to and including `highMm`. */
interface Slab {
  readonly lowMm: number;
  readonly highMm: number;
}

/** The slab of points that are nearer to a plane than to its neighbours in the stack, and within its reach. */
function slabOf(plane: Plane, before: Plane | undefined, after: Plane | undefined, reachMm: number): Slab {
  const { offsetMm } = plane;
  // Shifted slightly, so that rounding cannot put a centre midway between two planes into both or neither.
  const tolerance = 1e-3 * reachMm;
  const low = before === undefined ? Number.NEGATIVE_INFINITY : (before.offsetMm + offsetMm) / 2;
  const high = after === undefined ? Number.POSITIVE_INFINITY : (offsetMm + after.offsetMm) / 2;
  return {
    lowMm: Math.max(offsetMm - reachMm, low) + tolerance,
    highMm: Math.min(offsetMm + reachMm, high) + tolerance,
  };
}

/** The range of voxels along an axis of the grid that a plane's contours can fill. */
function rangeOf(
  { contours }: Plane,
  normal: Vector3,
  reachMm: number,
  axis: number,
  geometry: Geometry,
): [number, number] {
  const direction = axisDirections(geometry)[axis];
  const margin = 1.01 * reachMm * Math.abs(dot(normal, direction));
  const origin = dot(geometry.originMm, direction);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { pointsMm } of contours) {
    for (const point of pointsMm) {
      const at = dot(point, direction) - origin;
      low = Math.min(low, at - margin);
      high = Math.max(high, at + margin);
    }
  }
  const spacing = geometry.spacingMm[axis];
  return [
    Math.max(0, Math.floor(low / spacing)),
    Math.min(geometry.size[axis] - 1, Math.ceil(high / spacing)),
  ];
}

/** The first and last voxel of a row inside a slab; first > last if there is none. */
function stretchOf(row: Row, startMm: number, { lowMm, highMm }: Slab): [number, number] {
  const { stepNormalMm: step, length } = row;
  if (Math.abs(step) * length < 1e-6 * (highMm - lowMm))
    return startMm > lowMm && startMm <= highMm ? [0, length - 1] : [0, -1];
  const toLow = (lowMm - startMm) / step;
  const toHigh = (highMm - startMm) / step;
  return step > 0
    ? [Math.max(0, Math.floor(toLow) + 1), Math.min(length - 1, Math.floor(toHigh))]
    : [Math.max(0, Math.ceil(toHigh)), Math.min(length - 1, Math.ceil(toLow) - 1)];
}

/** A contour in the coordinates of its plane, mm: u along the rows, v across them. */
interface Outline {
  readonly u: Float64Array;
  readonly v: Float64Array;
}

function outlineIn(contour: PlanarContour, along: Vector3, across: Vector3): Outline {
  return {
    u: Float64Array.from(contour.pointsMm, (point) => dot(point, along)),
    v: Float64Array.from(contour.pointsMm, (point) => dot(point, across)),
  };
}

/** The u where a line of constant v crosses the outlines, ascending. */
function crossings(outlines: readonly Outline[], line: number): number[] {
  const places: number[] = [];
  for (const { u, v } of outlines) {
    let previous = v.length - 1;
    for (let n = 0; n < v.length; previous = n++) {
      if (v[n] <= line === v[previous] <= line) continue;
      places.push(u[n] + ((line - v[n]) * (u[previous] - u[n])) / (v[previous] - v[n]));
    }
  }
  return places.sort((a, b) => a - b);
}

function axisMostPerpendicular(axes: readonly Vector3[], normal: Vector3): number {
  const slope = (axis: number) => Math.abs(dot(axes[axis], normal));
  return [0, 1, 2].reduce((best, axis) => (slope(axis) < slope(best) - 1e-6 ? axis : best));
}

/** Of the two axes other than the rows, the axis that is more nearly parallel to the planes. */
function axisMostParallel(axes: readonly Vector3[], rowAxis: number, normal: Vector3): Vector3 {
  const others = axes.filter((_, axis) => axis !== rowAxis);
  return Math.abs(dot(others[0], normal)) <= Math.abs(dot(others[1], normal)) ? others[0] : others[1];
}

function towards(vector: Vector3, other: Vector3): Vector3 {
  return dot(vector, other) < 0 ? scale(vector, -1) : vector;
}

/** The same line with its largest component positive, so that opposite windings have the same normal. */
function upward(normal: Vector3): Vector3 {
  const greatest = [2, 1, 0].reduce((best, n) => (Math.abs(normal[n]) > Math.abs(normal[best]) ? n : best));
  return normal[greatest] < 0 ? scale(normal, -1) : normal;
}

/** The distance between the grid's slices along a normal, for the axis with the largest step along it. */
function sliceStep(geometry: Geometry, normal: Vector3): number {
  return Math.max(
    ...axisDirections(geometry).map((axis, n) => Math.abs(dot(axis, normal)) * geometry.spacingMm[n]),
  );
}

/** The normal of a polygon; its length is the area in mm² (Newell). */
function areaVector({ pointsMm }: PlanarContour): Vector3 {
  let sum: Vector3 = [0, 0, 0];
  for (let n = 2; n < pointsMm.length; n++) {
    const a = subtract(pointsMm[n - 1], pointsMm[0]);
    const b = subtract(pointsMm[n], pointsMm[0]);
    sum = addScaled(sum, cross(a, b), 0.5);
  }
  return sum;
}

function enclosesArea(contour: PlanarContour): boolean {
  return Math.hypot(...areaVector(contour)) > 1e-6;
}

function meanAlong({ pointsMm }: PlanarContour, normal: Vector3): number {
  return pointsMm.reduce((sum, point) => sum + dot(point, normal), 0) / pointsMm.length;
}

function spreadAlong({ pointsMm }: PlanarContour, normal: Vector3): number {
  const [low, high] = pointsMm.reduce(
    ([least, most], point) => [Math.min(least, dot(point, normal)), Math.max(most, dot(point, normal))],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return high - low;
}

function samePoints(a: PlanarContour, b: PlanarContour): boolean {
  return (
    a.pointsMm.length === b.pointsMm.length &&
    a.pointsMm.every((point, n) => Math.hypot(...subtract(point, b.pointsMm[n])) < 1e-3)
  );
}

/** Whether every point lies in a voxel of the grid (up to half a voxel outside the outermost centres). */
function isInside({ pointsMm }: PlanarContour, geometry: Geometry): boolean {
  const axes = axisDirections(geometry);
  return pointsMm.every((point) => {
    const fromOrigin = subtract(point, geometry.originMm);
    return axes.every((axis, n) => {
      const index = dot(fromOrigin, axis) / geometry.spacingMm[n];
      return index >= -0.501 && index <= geometry.size[n] - 0.499;
    });
  });
}

interface Box {
  readonly firstI: number;
  readonly firstJ: number;
  readonly columns: number;
  readonly rows: number;
}

function boxOf(slice: VoxelArray, width: number, isForeground: (value: number) => boolean): Box | null {
  let [firstI, lastI, firstJ, lastJ] = [width, -1, -1, -1];
  for (let n = 0; n < slice.length; n++) {
    if (!isForeground(slice[n])) continue;
    const i = n % width;
    lastJ = (n - i) / width;
    if (firstJ < 0) firstJ = lastJ;
    firstI = Math.min(firstI, i);
    lastI = Math.max(lastI, i);
  }
  return lastJ < 0 ? null : { firstI, firstJ, columns: lastI - firstI + 1, rows: lastJ - firstJ + 1 };
}

/** The corners of a ring whose last point repeats the first, without repetition. */
function withoutCollinear(ring: readonly (readonly number[])[]): (readonly number[])[] {
  const points = ring.slice(0, -1);
  return points.filter(([x, y], n) => {
    const [px, py] = points.at(n - 1) ?? [];
    const [qx, qy] = points[(n + 1) % points.length];
    return (x - px) * (qy - y) !== (y - py) * (qx - x);
  });
}
