// The geometry of a plane on the screen: which way it looks, where its pixels lie, which letters stand at its edges.
import {
  addScaled,
  axisDirections,
  dot,
  type Geometry,
  pointOfIndex,
  subtract,
  type Vector3,
} from "@lnsnet/core/volume";

export type PlaneName = "axial" | "coronal" | "sagittal";

export const planeNames: readonly PlaneName[] = ["axial", "coronal", "sagittal"];

/** Unit vectors, LPS. `away` is the way that the next slice lies when a wheel turns towards the person. */
export interface PlaneAxes {
  readonly right: Vector3;
  readonly down: Vector3;
  readonly away: Vector3;
}

/** Planes of the patient: axial from the feet, coronal from the front, sagittal from the patient's left. */
export const patientPlanes: Readonly<Record<PlaneName, PlaneAxes>> = {
  axial: { right: [1, 0, 0], down: [0, 1, 0], away: [0, 0, -1] },
  coronal: { right: [1, 0, 0], down: [0, 0, -1], away: [0, 1, 0] },
  sagittal: { right: [0, 1, 0], down: [0, 0, -1], away: [-1, 0, 0] },
};

/** A rectangle of pixels in space. */
export interface PlaneView {
  readonly axes: PlaneAxes;
  /** Where the middle of the rectangle lies, LPS mm. */
  readonly centreMm: Vector3;
  readonly mmPerPixel: number;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

/** Whether two rectangles of one plane are the same, but for rounding. */
export function showTheSame(a: PlaneView, b: PlaneView): boolean {
  const isSameSize = a.width === b.width && a.height === b.height && a.mmPerPixel === b.mmPerPixel;
  return isSameSize && a.centreMm.every((mm, axis) => Math.abs(mm - b.centreMm[axis]) < 1e-6);
}

/** The point (LPS mm) at a place of the rectangle, in pixels from its upper left corner. */
export function pointOfPixel(view: PlaneView, x: number, y: number): Vector3 {
  const right = (x - view.width / 2) * view.mmPerPixel;
  const down = (y - view.height / 2) * view.mmPerPixel;
  return addScaled(addScaled(view.centreMm, view.axes.right, right), view.axes.down, down);
}

/** Where a point (LPS mm), or its projection on the plane, is drawn, in pixels from the upper left corner. */
export function pixelOfPoint(view: PlaneView, pointMm: Vector3): readonly [x: number, y: number] {
  const fromCentre = subtract(pointMm, view.centreMm);
  return [
    view.width / 2 + dot(fromCentre, view.axes.right) / view.mmPerPixel,
    view.height / 2 + dot(fromCentre, view.axes.down) / view.mmPerPixel,
  ];
}

/** The same rectangle in pixels `ratio` times as fine, as on a screen of that many pixels for each of the page's. */
export function finer(view: PlaneView, ratio: number): PlaneView {
  return {
    ...view,
    mmPerPixel: view.mmPerPixel / ratio,
    width: Math.round(view.width * ratio),
    height: Math.round(view.height * ratio),
  };
}

/** The point moved to the depth of another: both then lie in the same slice of the plane. */
export function atDepthOf(pointMm: Vector3, depthMm: Vector3, axes: PlaneAxes): Vector3 {
  return addScaled(pointMm, axes.away, dot(subtract(depthMm, pointMm), axes.away));
}

/** The smallest box along a plane's axes that holds a scan, its outer voxels whole: [from, to] in mm from the origin. */
export function extentAlong(scan: Geometry, direction: Vector3): readonly [from: number, to: number] {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (let corner = 0; corner < 8; corner++) {
    const index = scan.size.map((n, axis) => (corner & (1 << axis) ? n - 0.5 : -0.5));
    const at = dot(pointOfIndex(scan, [index[0], index[1], index[2]]), direction);
    from = Math.min(from, at);
    to = Math.max(to, at);
  }
  return [from, to];
}

/** Millimetres for each pixel at which the whole scan just fits into a rectangle. */
export function fittingScale(scan: Geometry, axes: PlaneAxes, width: number, height: number): number {
  const [left, right] = extentAlong(scan, axes.right);
  const [top, bottom] = extentAlong(scan, axes.down);
  return Math.max((right - left) / Math.max(width, 1), (bottom - top) / Math.max(height, 1));
}

/** The middle of a scan, LPS mm. */
export function middleOf(scan: Geometry): Vector3 {
  const [i, j, k] = scan.size;
  return pointOfIndex(scan, [(i - 1) / 2, (j - 1) / 2, (k - 1) / 2]);
}

/** The distance from slice to slice of a plane: that of the voxels along the scan's axis nearest to its normal, in mm. */
export function sliceStepMm(scan: Geometry, axes: PlaneAxes): number {
  return scan.spacingMm[nearestAxis(scan, axes.away)];
}

/**
 * The number of the slice at a point, from 1, and how many there are, counted along the scan's axis nearest to the
 * plane's normal; null where the plane cuts this axis obliquely, so that it shows no slice of the scan.
 */
export function sliceNumber(
  scan: Geometry,
  axes: PlaneAxes,
  pointMm: Vector3,
): { readonly number: number; readonly count: number } | null {
  const axis = nearestAxis(scan, axes.away);
  const along = dot(axisDirections(scan)[axis], axes.away);
  if (Math.abs(along) < parallel) return null;
  const count = scan.size[axis];
  const index = dot(subtract(pointMm, scan.originMm), axisDirections(scan)[axis]) / scan.spacingMm[axis];
  const number = Math.min(count, Math.max(1, Math.round(index) + 1));
  return { number: along > 0 ? number : count + 1 - number, count };
}

/**
 * The nearest voxel centre inside a scan whose axes are those of the patient; in an oblique scan, where planes lie
 * between voxels anyway, the point itself, moved into the scan's box.
 */
export function snapped(scan: Geometry, pointMm: Vector3): Vector3 {
  const isOblique = [0, 1, 2].some(
    (axis) => Math.max(...axisDirections(scan)[axis].map(Math.abs)) < parallel,
  );
  const inside = [0, 1, 2].map((axis) => {
    const index = dot(subtract(pointMm, scan.originMm), axisDirections(scan)[axis]) / scan.spacingMm[axis];
    return Math.min(scan.size[axis] - 1, Math.max(0, isOblique ? index : Math.round(index)));
  });
  return pointOfIndex(scan, [inside[0], inside[1], inside[2]]);
}

/**
 * Letters of a direction in the patient, the strongest first: L left, R right, A anterior, P posterior, S superior,
 * I inferior. A second or third letter stands where the direction is tilted that way by more than 15°.
 */
export function directionLetters(direction: Vector3): string {
  const letters: readonly (readonly [string, string])[] = [
    ["L", "R"],
    ["P", "A"],
    ["S", "I"],
  ];
  return direction
    .map((part, axis) => ({ size: Math.abs(part), letter: letters[axis][part > 0 ? 0 : 1] }))
    .filter(({ size }) => size > Math.sin(Math.PI / 12))
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join("");
}

/** The longest of 1, 2, 5, 10, … mm that is at most `longestMm`. */
export function scaleBarMm(longestMm: number): number {
  const power = 10 ** Math.floor(Math.log10(longestMm));
  const step = [5, 2, 1].find((factor) => factor * power <= longestMm) ?? 1;
  return step * power;
}

/** Axes within 1° of each other count as parallel. */
const parallel = Math.cos(Math.PI / 180);

function nearestAxis(scan: Geometry, direction: Vector3): number {
  const sizes = [0, 1, 2].map((axis) => Math.abs(dot(axisDirections(scan)[axis], direction)));
  return sizes.indexOf(Math.max(...sizes));
}
