// Sorts parallel slices by position, and finds their grid: regular, or with gaps, uneven steps, a tilt or duplicates.

import { InputError } from "../../errors.js";
import { counted } from "../../text.js";
import { addScaled, axisDirections, cross, dot, subtract, unit } from "../../volume/vector.js";
import { type Geometry, type Vector3, voxelCount } from "../../volume/volume.js";
import { placeOfAxes } from "../place.js";
import { upperMedian } from "./median.js";
import { refusal, type SeriesProblem, warning } from "./series-problem.js";
import type { Slice } from "./slices.js";

/** A slice whose position is stated. */
export interface LocatedSlice extends Slice {
  readonly axes: readonly [Vector3, Vector3];
  readonly positionMm: Vector3;
}

/** A slice with its position in the stack. */
interface PlacedSlice {
  readonly slice: LocatedSlice;
  /** Distance from the first slice along the normal. */
  readonly distanceMm: number;
  /** Offset from the first slice along i and along j. */
  readonly shiftMm: readonly [number, number];
}

export interface Stack {
  /** In order of position along the normal (i × j); of several slices at the same position only the first. */
  readonly placed: readonly PlacedSlice[];
  /** Further slices at the position of a slice in `placed`. */
  readonly duplicates: readonly { readonly slice: Slice; readonly of: Slice }[];
  /**
   * The grid on which the stack is read; null where it is refused. In a regular stack slice k is image k. Otherwise it
   * is the grid for resampling: axes along the slices and their normal; the first and last planes are those of the first
   * and last slice, with the spacing in between that is nearest to the usual spacing; in the plane, the pixel grid of
   * the first slice, extended over everything that any slice covers.
   */
  readonly geometry: Geometry | null;
  readonly isRegular: boolean;
  readonly problems: readonly SeriesProblem[];
}

/**
 * The stack of slices that have the same size, orientation and pixel spacing.
 *
 * A stack is regular if every slice lies within a tenth of a voxel (at most 0.1 mm) of its position on the grid that the
 * first and the last slice span: positions rounded to 0.1 mm are common. For positions rounded to whole millimetres, the
 * even steps that were rounded are restored.
 *
 * @param mayLackSlices Whether unreadable files are near, so that a wide gap may be a missing slice.
 */
export function stackOf(slices: readonly Slice[], mayLackSlices = false): Stack {
  const located = slices.filter(isLocated);
  const unplaced = slices.length - located.length;
  const spacingMm = slices[0].spacingMm;
  if (unplaced > 0) {
    return refusedStack(
      "missing-position",
      `${unplaced} of ${counted(slices.length, "slice")} do not state their position (Image Position and Orientation (Patient)), so their order is unknown; export the series again with these attributes.`,
    );
  }
  if (spacingMm === null) {
    return refusedStack(
      "bad-geometry",
      "The slices do not state their pixel spacing; export the series again with this attribute.",
    );
  }
  const { placed, duplicates, axes } = inOrder(located);
  const problems = duplicates.length === 0 ? [] : [duplicateProblem(duplicates)];
  try {
    return { placed, duplicates, ...gridOf(placed, axes, spacingMm, problems, mayLackSlices) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...refusedStack("bad-geometry", error.message), placed, duplicates };
  }
}

type Axes = readonly [i: Vector3, j: Vector3, normal: Vector3];

function refusedStack(kind: SeriesProblem["kind"], message: string): Stack {
  return {
    placed: [],
    duplicates: [],
    geometry: null,
    isRegular: false,
    problems: [refusal(kind, message)],
  };
}

/** Two slices closer than this have the same position. */
const samePlaceMm = 0.01;

function isLocated(slice: Slice): slice is LocatedSlice {
  return slice.axes !== null && slice.positionMm !== null;
}

function inOrder(slices: readonly LocatedSlice[]): Pick<Stack, "placed" | "duplicates"> & { axes: Axes } {
  const [i, j] = slices[0].axes;
  const normal = unit(cross(i, j));
  const sorted = [...slices].sort((a, b) => dot(a.positionMm, normal) - dot(b.positionMm, normal));
  const originMm = sorted[0].positionMm;
  const placed: PlacedSlice[] = [];
  const duplicates: { slice: Slice; of: Slice }[] = [];
  for (const slice of sorted) {
    const offset = subtract(slice.positionMm, originMm);
    const distanceMm = dot(offset, normal);
    const last = placed.at(-1);
    if (last !== undefined && distanceMm - last.distanceMm < samePlaceMm) {
      duplicates.push({ slice, of: last.slice });
    } else {
      placed.push({ slice, distanceMm, shiftMm: [dot(offset, i), dot(offset, j)] });
    }
  }
  return { placed, duplicates, axes: [i, j, normal] };
}

function duplicateProblem(duplicates: Stack["duplicates"]): SeriesProblem {
  const [{ slice, of }] = duplicates;
  return warning(
    "duplicate-slice",
    `${counted(duplicates.length, "slice lies", "slices lie")} at the position of another slice, such as ${nameOf(slice)} and ${nameOf(of)}; only the first of each is used, if their pixels are equal.`,
  );
}

function gridOf(
  placed: readonly PlacedSlice[],
  [i, j, normal]: Axes,
  spacingMm: readonly [number, number],
  earlier: readonly SeriesProblem[],
  mayLackSlices: boolean,
): Pick<Stack, "geometry" | "isRegular" | "problems"> {
  const problems = [...earlier];
  const { slice: first } = placed[0];
  const gaps = placed.slice(1).map(({ distanceMm }, n) => distanceMm - placed[n].distanceMm);
  const lengthMm = placed[placed.length - 1].distanceMm;
  const usualMm = upperMedian(gaps) ?? first.thicknessMm ?? 1;
  const place = placeOfAxes(
    {
      axes: [i, j, normal],
      spacingMm: [...spacingMm, usualMm],
      originMm: first.positionMm,
    },
    nameOf(first),
    (message) => problems.push(warning("bad-geometry", message)),
  );
  if (gaps.length === 0) {
    problems.push(singleSliceProblem(first, usualMm));
    return { geometry: { ...place, size: [first.columns, first.rows, 1] }, isRegular: true, problems };
  }

  const exact = { firstMm: 0, stepMm: lengthMm / gaps.length };
  const depthToleranceMm = toleranceOf(exact.stepMm);
  const planeToleranceMm = toleranceOf(Math.min(...spacingMm));
  const isEven = placed.every(
    ({ distanceMm }, k) => Math.abs(distanceMm - k * exact.stepMm) <= depthToleranceMm,
  );
  const isStraight = placed.every(({ shiftMm }) => Math.hypot(...shiftMm) <= planeToleranceMm);
  const steps = isEven ? exact : roundedSteps(placed, normal);
  if (steps === null) {
    // With unreadable files near, even most of the gaps may be missing slices.
    const fullMm = mayLackSlices ? Math.min(...gaps) : usualMm;
    problems.push(spacingProblem(placed, gaps, fullMm, depthToleranceMm, mayLackSlices));
  }
  if (steps !== null && !isEven) problems.push(roundingProblem(gaps, steps.stepMm));
  if (!isStraight) problems.push(shiftProblem(placed, planeToleranceMm));
  if (steps !== null && isStraight) {
    const geometry: Geometry = {
      ...place,
      size: [first.columns, first.rows, placed.length],
      spacingMm: [...spacingMm, steps.stepMm],
      originMm: isEven ? place.originMm : addScaled(place.originMm, normal, steps.firstMm),
    };
    return { geometry, isRegular: true, problems };
  }
  if (problems.some((problem) => problem.isRefused)) return { geometry: null, isRegular: false, problems };
  const geometry = resamplingGrid(placed, place, spacingMm, lengthMm, usualMm);
  const stored = first.columns * first.rows * placed.length;
  if (voxelCount(geometry) > maxGrowth * stored) {
    throw new InputError(
      `The slices lie so far apart that a regular grid of them has ${geometry.size.join(" × ")} voxels; check the positions of ${nameOf(first)} and the others.`,
    );
  }
  return { geometry, isRegular: false, problems };
}

/** Uneven steps or a tilt enlarge a grid a few times; a larger factor means a wrong position. */
const maxGrowth = 16;

/** How far a slice may lie from its grid position, for voxels of this edge; slightly more than a tenth, because decimals are not exact. */
function toleranceOf(edgeMm: number): number {
  return Math.min(0.1, 0.1 * edgeMm) + 1e-6;
}

/** Even steps, and the offset of the first slice from its stated position. */
interface EvenSteps {
  readonly firstMm: number;
  readonly stepMm: number;
}

/**
 * The even steps whose positions, rounded to whole millimetres, are those of the slices; the middle of the possible
 * range. Null where there are none, where positions are not whole, or where a step is 1 mm, because then a step of 2 mm
 * may be a gap.
 */
function roundedSteps(placed: readonly PlacedSlice[], normal: Vector3): EvenSteps | null {
  const places = placed.map(({ slice }) => dot(slice.positionMm, normal));
  const isWhole = places.every((place) => Math.abs(place - Math.round(place)) < 1e-3);
  const at = places.map((place) => Math.round(place - places[0]));
  if (!isWhole || at.some((place, k) => k > 0 && place - at[k - 1] < 2)) return null;
  // Each position is at most half a millimetre off, so every pair of slices bounds the step.
  let [least, most] = [0, Number.POSITIVE_INFINITY];
  for (let k = 0; k < at.length; k++) {
    for (let n = k + 1; n < at.length; n++) {
      least = Math.max(least, (at[n] - at[k] - 1) / (n - k));
      most = Math.min(most, (at[n] - at[k] + 1) / (n - k));
    }
    if (least > most + 1e-9) return null;
  }
  const stepMm = (least + most) / 2;
  const rests = at.map((place, k) => place - k * stepMm);
  const [low, high] = rests.reduce(([a, b], rest) => [Math.min(a, rest), Math.max(b, rest)], [0, 0]);
  return { firstMm: (low + high) / 2, stepMm };
}

function roundingProblem(gaps: readonly number[], stepMm: number): SeriesProblem {
  return warning(
    "rounded-positions",
    `The positions of the slices are rounded to whole millimetres (steps of ${runsOf(gaps)}); the slices are taken as evenly spaced by ${millimetres(stepMm)}.`,
  );
}

function singleSliceProblem(slice: Slice, thicknessMm: number): SeriesProblem {
  const source = slice.thicknessMm === null ? "taken as 1 mm, since it is not stated" : `${thicknessMm} mm`;
  return warning("single-slice", `The series is a single slice; its thickness is ${source}.`);
}

/** Missing slices are refused, because their content is unknown. Other uneven steps are interpolated. */
function spacingProblem(
  placed: readonly PlacedSlice[],
  gaps: readonly number[],
  usualMm: number,
  toleranceMm: number,
  mayLackSlices: boolean,
): SeriesProblem {
  const missing = gaps.map((gap) => missingIn(gap, usualMm, toleranceMm));
  const isMissing = missing.map(
    (n, gap) => n > 0 && (mayLackSlices || skipsNumbers(placed, gap) || isRare(missing)),
  );
  const others = gaps.filter((_, n) => !isMissing[n]);
  const isOtherwiseEven = others.every((gap) => Math.abs(gap - usualMm) <= 2 * toleranceMm);
  if (isMissing.includes(true) && isOtherwiseEven) {
    const total = missing.reduce((sum, n, gap) => sum + (isMissing[gap] ? n : 0), 0);
    const gap = isMissing.indexOf(true);
    return refusal(
      "missing-slice",
      `${counted(total, "slice is", "slices are")} missing: the usual step is ${millimetres(usualMm)}, but between ${nameOf(placed[gap].slice)} and ${nameOf(placed[gap + 1].slice)} it is ${millimetres(gaps[gap])}; copy or export the whole series again.`,
    );
  }
  return warning(
    "uneven-spacing",
    `The slices are unevenly spaced: steps of ${runsOf(gaps)}; they are resampled onto a regular grid, linearly between slices.`,
  );
}

/** How many slices are missing between two neighbours, if the gap is a multiple of the usual step. */
function missingIn(gapMm: number, usualMm: number, toleranceMm: number): number {
  const multiple = Math.round(gapMm / usualMm);
  return Math.abs(gapMm - multiple * usualMm) <= 2 * toleranceMm ? Math.max(0, multiple - 1) : 0;
}

/** Whether the instance numbers on both sides of a gap show that slices were between them. */
function skipsNumbers(placed: readonly PlacedSlice[], gap: number): boolean {
  const [before, after] = [placed[gap].slice.instanceNumber, placed[gap + 1].slice.instanceNumber];
  return before !== null && after !== null && Math.abs(after - before) > 1;
}

/** Whether so few gaps are wide that they are not a protocol with two spacings. */
function isRare(missing: readonly number[]): boolean {
  return missing.filter((n) => n > 0).length <= 0.1 * missing.length;
}

function shiftProblem(placed: readonly PlacedSlice[], toleranceMm: number): SeriesProblem {
  const { distanceMm: length, shiftMm: drift } = placed[placed.length - 1];
  const isSheared = placed.every(({ distanceMm, shiftMm }) => {
    const share = distanceMm / length;
    return Math.hypot(shiftMm[0] - share * drift[0], shiftMm[1] - share * drift[1]) <= toleranceMm;
  });
  const angle = (Math.atan2(Math.hypot(...drift), length) * 180) / Math.PI;
  return isSheared
    ? warning(
        "gantry-tilt",
        `The slices are tilted relative to the direction of their stack by ${angle.toFixed(1)}° (gantry tilt); they are resampled onto a straight grid along the slices.`,
      )
    : warning(
        "shifted-slices",
        "The slices are shifted relative to each other within their planes; they are resampled onto a straight grid.",
      );
}

function resamplingGrid(
  placed: readonly PlacedSlice[],
  place: Omit<Geometry, "size">,
  spacingMm: readonly [number, number],
  lengthMm: number,
  usualMm: number,
): Geometry {
  const { columns, rows } = placed[0].slice;
  const planes = Math.max(1, Math.round(lengthMm / usualMm)) + 1;
  const range = (axis: 0 | 1) => {
    const shifts = placed.map(({ shiftMm }) => shiftMm[axis] / spacingMm[axis]);
    // Rounding must not add an empty column.
    return [Math.floor(Math.min(...shifts) + 1e-3), Math.ceil(Math.max(...shifts) - 1e-3)] as const;
  };
  const [firstColumn, lastColumn] = range(0);
  const [firstRow, lastRow] = range(1);
  const [alongColumns, alongRows] = axisDirections(place);
  const atColumn = addScaled(place.originMm, alongColumns, firstColumn * spacingMm[0]);
  return {
    direction: place.direction,
    size: [columns + lastColumn - firstColumn, rows + lastRow - firstRow, planes],
    spacingMm: [...spacingMm, lengthMm / (planes - 1)],
    originMm: addScaled(atColumn, alongRows, firstRow * spacingMm[1]),
  };
}

/** "14 × 4.00, 1 × 1.08, 13 × 7.00 mm" */
function runsOf(gaps: readonly number[]): string {
  const runs: { text: string; times: number }[] = [];
  for (const gap of gaps) {
    const text = gap.toFixed(2);
    const last = runs.at(-1);
    if (last?.text === text) last.times++;
    else runs.push({ text, times: 1 });
  }
  const shown = runs.slice(0, 6).map(({ text, times }) => `${times} × ${text}`);
  return `${shown.join(", ")}${runs.length > 6 ? ", …" : ""} mm`;
}

function millimetres(length: number): string {
  return `${length.toFixed(2)} mm`;
}

/** The file and, in a multi-frame file, the frame. */
export function nameOf({ file, frame }: Slice): string {
  return frame === null ? file.name : `${file.name} (frame ${frame})`;
}
