// Aligns a second scan of a patient with the first by their bones, which keep their shape where soft tissue does not.
import { blur } from "./gaussian.js";
import { uprightGeometry } from "./orientation.js";
import { gridWithSpacing, resample } from "./resample.js";
import {
  composed,
  displacementMm,
  identityTransform,
  inverted,
  type RigidTransform,
  transformed,
  turnAbout,
} from "./rigid-transform.js";
import { add, addScaled, cross, scale, subtract } from "./vector.js";
import { type Geometry, pointOfIndex, type Vector3, type Volume } from "./volume.js";

/** Two scans that were aligned. */
export interface Alignment {
  readonly found: "alignment";
  /** Takes points of the first scan to the same tissue in the second, LPS mm. */
  readonly toSecond: RigidTransform;
  /** Correlation of the bones where both scans show them, −1 … 1. */
  readonly correlation: number;
  /** Share of the first scan's bone that lies within the second, 0 … 1. */
  readonly overlap: number;
  /** How far the alignment from the second scan to the first ends from where this one begins, on average over the bone. */
  readonly disagreementMm: number;
}

export interface NoAlignment {
  readonly found: "none";
  /** A sentence. */
  readonly reason: string;
}

export interface AlignmentOptions {
  readonly signal?: { throwIfAborted(): void };
  readonly onProgress?: (done: number, total: number) => void;
}

/** Grid on which bones are compared. */
const gridMm = 2;
/** From trabecular bone to cortical bone, linearly. */
const boneHu = { low: 100, high: 1000 };
/** Standard deviations of the smoothing of each level, in voxels: from far to exact. */
const levels = [4, 2, 1] as const;
/** Points of bone that are compared at each level. */
const mostPoints = [4000, 12_000, 24_000] as const;
/** Steps of the search for a first shift: along the body, and across. */
const searchMm = { along: 12, across: 24 };
const candidates = 4;
/** Differences beyond this count by their size alone, so that what is in one scan only does not pull. */
const outlierFrom = 0.15;
const mostSteps = 40;
/** An alignment is taken for one if bones correlate like this (two phantoms of one patient 0.99, of two patients 0.83), overlap like this, and both ways agree like this. */
const least = { correlation: 0.85, overlap: 0.25, disagreementMm: 3, points: 300 };

/**
 * The rigid motion between two CTs of one patient: a search over shifts, then Gauss–Newton steps with outliers held
 * down (Huber 1964) on bone smoothed less and less. It is done both ways, and taken for an alignment only where
 * both agree. The jaw and the neck bend, so it is exact where most of the bone is.
 *
 * @param first HU, in any orientation
 * @param second HU of the same patient
 * @throws the signal's reason where it was stopped
 */
export function alignByBone(
  first: Volume,
  second: Volume,
  { signal, onProgress }: AlignmentOptions = {},
): Alignment | NoAlignment {
  let done = 0;
  const step = () => {
    signal?.throwIfAborted();
    onProgress?.(++done, 2 + 2 * levels.length);
  };
  const [a, b] = [boneOf(first), boneOf(second)];
  step();
  const there = alignedBones(a, b, step);
  const back = there && alignedBones(b, a, step);
  step();
  if (there === null || back === null)
    return {
      found: "none",
      reason:
        "One of the scans shows too little bone to align them by; align by hand, or compare the tables alone.",
    };
  const round = composed(back.transform, there.transform);
  const disagreementMm = mean(there.points.map((point) => displacementMm(round, point)));
  const { transform: toSecond, correlation, overlap } = there;
  const worse = Math.min(correlation, back.correlation);
  if (overlap < least.overlap || worse < least.correlation || disagreementMm > least.disagreementMm)
    return {
      found: "none",
      reason: `The scans could not be aligned: ${(100 * overlap).toFixed(0)} % of the bone lies in both, it correlates by ${worse.toFixed(2)} (${least.correlation} is needed), and both ways differ by ${disagreementMm.toFixed(1)} mm (at most ${least.disagreementMm}); check that both are of one patient and show the same part.`,
    };
  return { found: "alignment", toSecond, correlation, overlap, disagreementMm };
}

/** How much bone each voxel is, 0 … 1, on a coarse grid along LPS. */
function boneOf(scan: Volume): Volume<Float32Array> {
  const grid = gridWithSpacing(uprightGeometry(scan), [gridMm, gridMm, gridMm]);
  const { data, ...place } = resample(scan, grid, "linear", boneHu.low);
  const { low, high } = boneHu;
  return { ...place, data: data.map((hu) => Math.min(1, Math.max(0, (hu - low) / (high - low)))) };
}

interface AlignedBones {
  readonly transform: RigidTransform;
  readonly correlation: number;
  readonly overlap: number;
  /** Of the first scan's bone. */
  readonly points: readonly Vector3[];
}

function alignedBones(
  first: Volume<Float32Array>,
  second: Volume<Float32Array>,
  step: () => void,
): AlignedBones | null {
  let starts: readonly RigidTransform[] = [];
  let result: AlignedBones | null = null;
  for (const [level, deviation] of levels.entries()) {
    const fixed = pointsOf(smoothed(first, deviation), mostPoints[level]);
    const moving = smoothed(second, deviation);
    if (fixed.values.length < least.points || pointsOf(moving, least.points).values.length < least.points)
      return null;
    if (level === 0) starts = bestShifts(fixed, moving, second);
    const refined = starts.map((start) => refinedOn(fixed, moving, start));
    const judged = refined.map((transform) => ({ transform, ...agreement(fixed, moving, transform) }));
    const [best] = judged.sort((p, q) => scoreOf(q) - scoreOf(p));
    starts = [best.transform];
    result = { ...best, points: fixed.points };
    step();
  }
  return result;
}

/** Correlation counts little where little overlaps. */
const scoreOf = ({ correlation, overlap }: Pick<AlignedBones, "correlation" | "overlap">): number =>
  correlation * Math.min(1, overlap / (2 * least.overlap));

interface BonePoints {
  readonly points: readonly Vector3[];
  readonly values: readonly number[];
}

function smoothed(bone: Volume<Float32Array>, deviation: number): Volume<Float32Array> {
  const data = bone.data.slice();
  blur(data, bone.size, [deviation, deviation, deviation]);
  return { ...bone, data };
}

/** Evenly spread voxels in and around bone. */
function pointsOf({ data, ...grid }: Volume<Float32Array>, most: number): BonePoints {
  const [nx, ny] = grid.size;
  let count = 0;
  for (let at = 0; at < data.length; at++) if (data[at] > someBone) count++;
  const every = Math.max(1, count / most);
  const points: Vector3[] = [];
  const values: number[] = [];
  let seen = 0;
  for (let at = 0; at < data.length; at++) {
    if (data[at] <= someBone || Math.floor(++seen / every) <= points.length - 1) continue;
    points.push(pointOfIndex(grid, [at % nx, Math.floor(at / nx) % ny, Math.floor(at / (nx * ny))]));
    values.push(data[at]);
  }
  return { points, values };
}

const someBone = 0.03;

/** The shifts at which bones correlate best, each far from the others. */
function bestShifts(fixed: BonePoints, moving: Volume<Float32Array>, second: Geometry): RigidTransform[] {
  const ofSecond = pointsOf(moving, mostPoints[0]);
  const between = subtract(meanPoint(ofSecond.points), meanPoint(fixed.points));
  const reachMm = Math.max(second.size[2] * second.spacingMm[2], extentAlong(fixed.points));
  const shifts: { transform: RigidTransform; score: number }[] = [];
  for (let z = -reachMm; z <= reachMm; z += searchMm.along)
    for (const y of [-searchMm.across, 0, searchMm.across])
      for (const x of [-searchMm.across, 0, searchMm.across]) {
        const transform = { ...identityTransform, offsetMm: add(between, [x, y, z]) };
        shifts.push({ transform, score: scoreOf(agreement(fixed, moving, transform)) });
      }
  shifts.sort((p, q) => q.score - p.score);
  const kept: RigidTransform[] = [];
  for (const { transform } of shifts) {
    const isNear = kept.some(
      (other) => displacementMm(composed(inverted(other), transform), [0, 0, 0]) < 2 * searchMm.along,
    );
    if (!isNear) kept.push(transform);
    if (kept.length === candidates) break;
  }
  return kept;
}

/** Gauss–Newton with damping (Levenberg–Marquardt) of the differences at the points. */
function refinedOn(fixed: BonePoints, moving: Volume<Float32Array>, start: RigidTransform): RigidTransform {
  let transform = start;
  let damping = 1e-3;
  let current = linearised(fixed, moving, transform);
  for (let step = 0; step < mostSteps && current.count >= least.points; step++) {
    const change = solved(current.matrix, current.vector, damping);
    if (change === null) break;
    const [wx, wy, wz, tx, ty, tz] = change;
    const update = turnAbout(
      current.centre,
      [wx / turnScaleMm, wy / turnScaleMm, wz / turnScaleMm],
      [tx, ty, tz],
    );
    const next = composed(update, transform);
    const after = linearised(fixed, moving, next);
    if (after.cost < current.cost && after.count >= least.points) {
      const moved = Math.hypot(...change);
      transform = next;
      current = after;
      damping = Math.max(1e-6, damping / 5);
      if (moved < smallestStepMm) break;
    } else {
      damping *= 10;
      if (damping > 1e3) break;
    }
  }
  return transform;
}

/** A turn by 1 / turnScaleMm moves a point at that distance by 1 mm, so that turns and shifts weigh alike. */
const turnScaleMm = 60;
const smallestStepMm = 0.005;

/** The normal equations of the differences, and their mean cost by point; points beyond the second scan do not count. */
function linearised(fixed: BonePoints, moving: Volume<Float32Array>, transform: RigidTransform) {
  const moved = fixed.points.map((point) => transformed(transform, point));
  const centre = meanPoint(moved);
  const matrix = new Float64Array(36);
  const vector = new Float64Array(6);
  let [cost, count] = [0, 0];
  for (const [n, point] of moved.entries()) {
    const value = sampled(moving, point);
    if (value === null) continue;
    const difference = value.value - fixed.values[n];
    const size = Math.abs(difference);
    const weight = size <= outlierFrom ? 1 : outlierFrom / size;
    cost += size <= outlierFrom ? (size * size) / 2 : outlierFrom * (size - outlierFrom / 2);
    count++;
    const turn = scale(cross(subtract(point, centre), value.gradient), 1 / turnScaleMm);
    const row = [...turn, ...value.gradient];
    for (let p = 0; p < 6; p++) {
      vector[p] -= weight * row[p] * difference;
      for (let q = 0; q < 6; q++) matrix[6 * p + q] += weight * row[p] * row[q];
    }
  }
  // Where fewer points overlap the mean alone would draw the scans apart.
  return {
    matrix,
    vector,
    centre,
    count,
    cost: (cost + (moved.length - count) * missingCost) / moved.length,
  };
}

const missingCost = 0.002;

/** Value and gradient (by mm) at a point by trilinear interpolation; null beyond the grid. */
function sampled({ data, size: [nx, ny, nz], originMm }: Volume<Float32Array>, point: Vector3) {
  const x = (point[0] - originMm[0]) / gridMm;
  const y = (point[1] - originMm[1]) / gridMm;
  const z = (point[2] - originMm[2]) / gridMm;
  const [i, j, k] = [Math.floor(x), Math.floor(y), Math.floor(z)];
  if (i < 0 || j < 0 || k < 0 || i >= nx - 1 || j >= ny - 1 || k >= nz - 1) return null;
  const [u, v, w] = [x - i, y - j, z - k];
  const at = i + nx * (j + ny * k);
  const up = nx * ny;
  const [a, b, c, d] = [data[at], data[at + 1], data[at + nx], data[at + nx + 1]];
  const [e, f, g, h] = [data[at + up], data[at + up + 1], data[at + up + nx], data[at + up + nx + 1]];
  const low = (a * (1 - u) + b * u) * (1 - v) + (c * (1 - u) + d * u) * v;
  const high = (e * (1 - u) + f * u) * (1 - v) + (g * (1 - u) + h * u) * v;
  const alongX = ((b - a) * (1 - v) + (d - c) * v) * (1 - w) + ((f - e) * (1 - v) + (h - g) * v) * w;
  const alongY = ((c - a) * (1 - u) + (d - b) * u) * (1 - w) + ((g - e) * (1 - u) + (h - f) * u) * w;
  const gradient: Vector3 = [alongX / gridMm, alongY / gridMm, (high - low) / gridMm];
  return { value: low * (1 - w) + high * w, gradient };
}

/** Correlation of both bones at the points that lie in both scans, and their share. */
function agreement(fixed: BonePoints, moving: Volume<Float32Array>, transform: RigidTransform) {
  let [count, sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0, 0];
  for (const [n, point] of fixed.points.entries()) {
    const b = sampled(moving, transformed(transform, point))?.value;
    if (b === undefined) continue;
    const a = fixed.values[n];
    count++;
    sumA += a;
    sumB += b;
    sumAA += a * a;
    sumBB += b * b;
    sumAB += a * b;
  }
  const overlap = count / fixed.points.length;
  const spread = (sumAA - (sumA * sumA) / count) * (sumBB - (sumB * sumB) / count);
  const correlation = spread > 0 ? (sumAB - (sumA * sumB) / count) / Math.sqrt(spread) : 0;
  return { overlap, correlation };
}

/** Solves the damped normal equations by elimination; null where they are singular. */
function solved(matrix: Float64Array, vector: Float64Array, damping: number): number[] | null {
  const rows = Array.from({ length: 6 }, (_, p) => [
    ...Array.from({ length: 6 }, (_, q) => matrix[6 * p + q] * (p === q ? 1 + damping : 1)),
    vector[p],
  ]);
  for (let p = 0; p < 6; p++) {
    const pivot = rows
      .slice(p)
      .reduce((best, row, n) => (Math.abs(row[p]) > Math.abs(rows[best][p]) ? p + n : best), p);
    [rows[p], rows[pivot]] = [rows[pivot], rows[p]];
    if (!(Math.abs(rows[p][p]) > 1e-12)) return null;
    for (let q = 0; q < 6; q++) {
      if (q === p) continue;
      const factor = rows[q][p] / rows[p][p];
      for (let n = p; n < 7; n++) rows[q][n] -= factor * rows[p][n];
    }
  }
  return rows.map((row, p) => row[6] / row[p]);
}

const meanPoint = (points: readonly Vector3[]): Vector3 =>
  scale(
    points.reduce((sum, point) => addScaled(sum, point, 1), [0, 0, 0] as Vector3),
    1 / points.length,
  );

const extentAlong = (points: readonly Vector3[]): number => {
  const [low, high] = points.reduce(
    ([low, high], [, , z]) => [Math.min(low, z), Math.max(high, z)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  return high - low;
};

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
