// The two kinds of solid that the anatomy is built from: tubes with elliptic cross-section and deformed ellipsoids.

import { add, cross, length, scale, unit } from "../volume/vector.js";
import type { Vector3 } from "../volume/volume.js";
import type { RandomStream } from "./random.js";

/** The tissue of a solid, as named in a node's `touches` list. */
export type Tissue =
  | "airway"
  | "bone"
  | "carotid artery"
  | "cartilage"
  | "disc"
  | "gland"
  | "jugular vein"
  | "mucosa"
  | "muscle"
  | "spinal canal"
  | "thin vessel"
  | "thyroid";

/** The HU of a solid. */
export interface Appearance {
  readonly tissue: Tissue;
  readonly hu: number;
  /** HU of the outer layer, for example cortical bone. */
  readonly shellHu?: number;
  /** The layer begins where the field (see {@link cellField}) passes this value. */
  readonly shellFrom?: number;
  /** Amplitude of smooth inhomogeneity, HU. */
  readonly textureHu?: number;
}

/** A short elliptic cylinder with rounded ends; tubes are chains of them. */
interface TubeCell {
  readonly kind: "tube";
  readonly start: Vector3;
  readonly axis: Vector3;
  readonly wide: Vector3;
  readonly thick: Vector3;
  readonly lengthMm: number;
  readonly capMm: number;
  readonly wideStartMm: number;
  readonly wideEndMm: number;
  readonly thickStartMm: number;
  readonly thickEndMm: number;
}

/** An ellipsoid that may be bent to a bean, narrowed to an egg, squared, and roughened smoothly. */
export interface BlobCell {
  readonly kind: "blob";
  readonly centre: Vector3;
  /** Unit, mutually perpendicular; the first is the long axis, the second the direction of bending. */
  readonly axes: readonly [Vector3, Vector3, Vector3];
  readonly semiAxesMm: Vector3;
  /** Sag of the middle against the ends, as a share of the second semi-axis. */
  readonly bend: number;
  /** One end is thicker by this share, the other thinner. */
  readonly egg: number;
  readonly squared: boolean;
  /** Relative amplitude of the surface's roughness, with the phases of its waves. */
  readonly roughness: number;
  readonly phases: readonly [number, number, number, number];
}

export type Cell = TubeCell | BlobCell;

/** Axis-aligned box in mm: [low x, low y, low z, high x, high y, high z]. */
export type Box = readonly [number, number, number, number, number, number];

/** One organ: cells of one appearance. Later solids are painted over earlier ones. */
export interface Solid {
  readonly appearance: Appearance;
  readonly cells: readonly Cell[];
  readonly boxes: readonly Box[];
  readonly box: Box;
}

/** A point of a tube's centreline with the half-widths along and across the neck's circumference, mm. */
export type TubePoint = readonly [x: number, y: number, z: number, wideMm: number, thickMm: number];

/** Phases of the waves on a blob's surface. */
export const drawPhases = (random: RandomStream): BlobCell["phases"] => [
  random.uniform(0, 6.28),
  random.uniform(0, 6.28),
  random.uniform(0, 6.28),
  random.uniform(0, 6.28),
];

/** An ellipsoid along the patient's axes with a slightly rough surface, to build other blobs from. */
export const roundBlob = (random: RandomStream, centre: Vector3, semiAxesMm: Vector3): BlobCell => ({
  kind: "blob",
  centre,
  axes: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  semiAxesMm,
  bend: 0,
  egg: 0,
  squared: false,
  roughness: 0.06,
  phases: drawPhases(random),
});

/** A solid from its cells. */
export function solidOf(appearance: Appearance, cells: readonly Cell[]): Solid {
  const boxes = cells.map(cellBox);
  const box = boxes.reduce((a, b) => [
    Math.min(a[0], b[0]),
    Math.min(a[1], b[1]),
    Math.min(a[2], b[2]),
    Math.max(a[3], b[3]),
    Math.max(a[4], b[4]),
    Math.max(a[5], b[5]),
  ]);
  return { appearance, cells, boxes, box };
}

/**
 * Cells of a tube along a Catmull–Rom curve through the points. The thick direction points away from the
 * vertical line through `axisMm`, so flat muscles and the mandible lie along the neck's circumference.
 */
export function tubeCells(points: readonly TubePoint[], axisMm: readonly [number, number] = [0, 4]): Cell[] {
  const samples = curveSamples(points);
  const cells: Cell[] = [];
  for (let n = 0; n + 1 < samples.length; n++) {
    const a = samples[n] as TubePoint;
    const b = samples[n + 1] as TubePoint;
    const along: Vector3 = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
    const lengthMm = length(along);
    if (lengthMm < 1e-6) continue;
    const axis = scale(along, 1 / lengthMm);
    const outward: Vector3 = [(a[0] + b[0]) / 2 - axisMm[0], (a[1] + b[1]) / 2 - axisMm[1], 0];
    const wide = unit(cross(axis, length(outward) > 1e-6 ? outward : [0, 1, 0]));
    cells.push({
      kind: "tube",
      start: [a[0], a[1], a[2]],
      axis,
      wide,
      thick: cross(wide, axis),
      lengthMm,
      capMm: Math.min(a[3], a[4], 3),
      wideStartMm: a[3],
      wideEndMm: b[3],
      thickStartMm: a[4],
      thickEndMm: b[4],
    });
  }
  return cells;
}

/** The point of the curve of {@link tubeCells} at height `zMm`, by its cells; the nearest end outside it. */
export function centreAtHeight(solid: Solid, zMm: number): Vector3 {
  let best: Vector3 = [0, 0, 0];
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const cell of solid.cells) {
    if (cell.kind !== "tube") continue;
    const rise = cell.axis[2] * cell.lengthMm;
    const part = Math.abs(rise) < 1e-6 ? 0 : Math.min(1, Math.max(0, (zMm - cell.start[2]) / rise));
    const point = add(cell.start, scale(cell.axis, part * cell.lengthMm));
    if (Math.abs(point[2] - zMm) < bestDistance) {
      bestDistance = Math.abs(point[2] - zMm);
      best = point;
    }
  }
  return best;
}

/** Field of a cell at a point: below 1 inside, above 1 outside, growing outwards like a squared distance. */
export function cellField(cell: Cell, x: number, y: number, z: number): number {
  return cell.kind === "tube" ? tubeField(cell, x, y, z) : blobField(cell, x, y, z);
}

/** Whether a point lies in the solid grown by `marginMm` (approximately, for margins small against its size). */
export function insideSolid(solid: Solid, point: Vector3, marginMm = 0): boolean {
  const [x, y, z] = point;
  if (!insideBox(solid.box, x, y, z, marginMm)) return false;
  for (let n = 0; n < solid.cells.length; n++) {
    if (!insideBox(solid.boxes[n] as Box, x, y, z, marginMm)) continue;
    const cell = solid.cells[n] as Cell;
    const smallestMm =
      cell.kind === "tube" ? Math.min(cell.wideStartMm, cell.thickStartMm) : Math.min(...cell.semiAxesMm);
    const limit = Math.max(0, 1 + marginMm / smallestMm) ** 2;
    if (cellField(cell, x, y, z) < limit) return true;
  }
  return false;
}

/** Points on the surface of a blob, spread evenly over directions (a Fibonacci lattice). */
export function blobSurface(blob: BlobCell, count: number): Vector3[] {
  const points: Vector3[] = [];
  for (let n = 0; n < count; n++) {
    const height = 1 - (2 * n + 1) / count;
    const ring = Math.sqrt(1 - height * height);
    const angle = n * Math.PI * (3 - Math.sqrt(5));
    points.push(blobSurfacePoint(blob, [ring * Math.cos(angle), ring * Math.sin(angle), height]));
  }
  return points;
}

function tubeField(cell: TubeCell, x: number, y: number, z: number): number {
  const { start, axis, wide, thick } = cell;
  const dx = x - start[0];
  const dy = y - start[1];
  const dz = z - start[2];
  const s = dx * axis[0] + dy * axis[1] + dz * axis[2];
  const inside = s < 0 ? 0 : Math.min(s, cell.lengthMm);
  const over = (s - inside) / cell.capMm;
  const part = inside / cell.lengthMm;
  const u =
    (dx * wide[0] + dy * wide[1] + dz * wide[2]) /
    (cell.wideStartMm + (cell.wideEndMm - cell.wideStartMm) * part);
  const v =
    (dx * thick[0] + dy * thick[1] + dz * thick[2]) /
    (cell.thickStartMm + (cell.thickEndMm - cell.thickStartMm) * part);
  return u * u + v * v + over * over;
}

/** By the point's coordinates in semi-axes, after unbending and undoing the egg. */
function blobField(blob: BlobCell, x: number, y: number, z: number): number {
  const dx = x - blob.centre[0];
  const dy = y - blob.centre[1];
  const dz = z - blob.centre[2];
  const [p, q, r] = blob.axes;
  const [a, b, c] = blob.semiAxesMm;
  const u = (dx * p[0] + dy * p[1] + dz * p[2]) / a;
  const width = Math.max(0.3, 1 + blob.egg * u);
  const v = ((dx * q[0] + dy * q[1] + dz * q[2]) / b - blob.bend * (u * u - 0.3)) / width;
  const w = (dx * r[0] + dy * r[1] + dz * r[2]) / c / width;
  const square = u * u + v * v + w * w;
  // The sines of the waves are only computed near the surface, where they matter.
  if (blob.squared) return Math.sqrt(u ** 4 + v ** 4 + w ** 4);
  if (blob.roughness === 0 || square < 0.4 || square > 2.2) return square;
  const factor = 1 + roughnessAt(blob, u, v, w);
  return square / (factor * factor);
}

function roughnessAt(blob: BlobCell, u: number, v: number, w: number): number {
  const [f, g, h, k] = blob.phases;
  return (
    blob.roughness *
    0.5 *
    (Math.sin(4 * u + f) +
      Math.sin(3.3 * v + 1.5 * w + g) +
      Math.sin(3.7 * w - 1.2 * u + h) +
      Math.sin(6 * (u + v - w) + k))
  );
}

function blobSurfacePoint(blob: BlobCell, direction: Vector3): Vector3 {
  const at = (t: number): Vector3 => {
    const [a, b, c] = blob.semiAxesMm;
    const u = direction[0] * t;
    const width = Math.max(0.3, 1 + blob.egg * u);
    const v = direction[1] * t * width + blob.bend * (u * u - 0.3);
    const w = direction[2] * t * width;
    const [p, q, r] = blob.axes;
    return add(blob.centre, add(scale(p, u * a), add(scale(q, v * b), scale(r, w * c))));
  };
  let low = 0.5;
  let high = 1.6;
  for (let step = 0; step < 14; step++) {
    const middle = (low + high) / 2;
    const [x, y, z] = at(middle);
    if (blobField(blob, x, y, z) < 1) low = middle;
    else high = middle;
  }
  return at((low + high) / 2);
}

function cellBox(cell: Cell): Box {
  const low: number[] = [];
  const high: number[] = [];
  for (let axis = 0; axis < 3; axis++) {
    if (cell.kind === "tube") {
      const at = cell.start[axis];
      const run = cell.axis[axis] * cell.lengthMm;
      const wide = Math.max(cell.wideStartMm, cell.wideEndMm) * cell.wide[axis];
      const thick = Math.max(cell.thickStartMm, cell.thickEndMm) * cell.thick[axis];
      const reach = Math.hypot(wide, thick, cell.capMm * cell.axis[axis]);
      low.push(Math.min(at, at + run) - reach);
      high.push(Math.max(at, at + run) + reach);
    } else {
      const swell = 1 + 2 * cell.roughness + Math.abs(cell.egg) + (cell.squared ? 0.2 : 0);
      const [a, b, c] = cell.semiAxesMm;
      const [p, q, r] = cell.axes;
      const bent = b * (swell + Math.abs(cell.bend));
      const u = a * (1 + 2 * cell.roughness) * p[axis];
      const reach = cell.squared
        ? Math.abs(a * p[axis]) + Math.abs(b * q[axis]) + Math.abs(c * r[axis])
        : Math.hypot(u, bent * q[axis], c * swell * r[axis]);
      low.push(cell.centre[axis] - reach);
      high.push(cell.centre[axis] + reach);
    }
  }
  return [...low, ...high] as unknown as Box;
}

/** Whether a point lies in the box grown by `marginMm`. */
export function insideBox(box: Box, x: number, y: number, z: number, marginMm: number): boolean {
  return (
    x > box[0] - marginMm &&
    x < box[3] + marginMm &&
    y > box[1] - marginMm &&
    y < box[4] + marginMm &&
    z > box[2] - marginMm &&
    z < box[5] + marginMm
  );
}

// Pieces about as long as the tube is wide keep the boxes tight, and 2 mm at least keeps them few.
function curveSamples(points: readonly TubePoint[]): TubePoint[] {
  const samples: TubePoint[] = [];
  for (let n = 0; n + 1 < points.length; n++) {
    const b = points[n] as TubePoint;
    const c = points[n + 1] as TubePoint;
    const a = points[n - 1] ?? b;
    const d = points[n + 2] ?? c;
    const span = Math.hypot(c[0] - b[0], c[1] - b[1], c[2] - b[2]);
    const pieces = Math.max(2, Math.ceil(span / Math.max(2, Math.min(8, 1.2 * Math.max(b[3], b[4])))));
    for (let piece = 0; piece < pieces; piece++) {
      const t = piece / pieces;
      const mix = (axis: number): number => {
        const [p, q, r, s] = [a[axis], b[axis], c[axis], d[axis]];
        return q + 0.5 * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
      };
      const width = (axis: number): number => b[axis] * (1 - t) + c[axis] * t;
      samples.push([mix(0), mix(1), mix(2), width(3), width(4)]);
    }
  }
  samples.push(points[points.length - 1] as TubePoint);
  return samples;
}
