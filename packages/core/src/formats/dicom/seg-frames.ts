// Finds where the frames of a Segmentation object lie: the grid that they span, and the slab that each frame fills.

import { InputError } from "../../errors.js";
import { counted } from "../../text.js";
import { type DrawnSlab, fillSlabs, type Slab, slabsOf, slicePositions } from "../../volume/slabs.js";
import { addScaled, axisDirections, cross, directionOf, dot, subtract } from "../../volume/vector.js";
import { type Geometry, indexOfPoint, type Vector3, voxelCount } from "../../volume/volume.js";
import { type DicomDataset, itemsOf, numberOf, numbersOf } from "./dataset.js";
import { upperMedian } from "./median.js";
import type { PixelDescription } from "./pixel-data.js";
import type { SourceSeries } from "./source-series.js";

/** The frames of an object with their positions. */
export interface FrameStack {
  /**
   * The grid that they span: k along the normal (i × j), whatever their order in the file, including slices without a
   * frame. For frames at uneven distances it is a regular grid over their slabs.
   */
  readonly geometry: Geometry;
  readonly frames: readonly FramePlace[];
  /** The slab that each frame fills, measured from the first plane of {@link geometry}. */
  readonly slabs: readonly Slab[];
  /** The stated distance between slices; null where it is not stated. */
  readonly betweenMm: number | null;
  /** Which distance of slices was taken, as a phrase; null where the file states it or its planes tell it. */
  readonly depthGuess: string | null;
  /** What had to be decided, as phrases. */
  readonly problems: readonly string[];
}

interface FramePlace {
  /** Centre of the first voxel, LPS mm. */
  readonly positionMm: Vector3;
  /** The segment that the frame belongs to; null in a labelmap, where the pixel values tell. */
  readonly segment: number | null;
}

/**
 * Where the frames lie. Slice thickness is not slice distance: if the distance is not stated, it is found from the
 * positions of the frames.
 *
 * @param hasSegments - whether each frame states the segment it belongs to
 * @throws InputError where a frame has no position, frames are not parallel, or they are implausibly far apart
 */
export function frameStackOf(
  dataset: DicomDataset,
  { columns, rows, frameCount }: PixelDescription,
  hasSegments: boolean,
): FrameStack {
  const { name } = dataset;
  const perFrame = itemsOf(dataset, "PerFrameFunctionalGroupsSequence");
  const [shared] = itemsOf(dataset, "SharedFunctionalGroupsSequence");
  if (perFrame.length !== frameCount) {
    throw new InputError(
      `${name} has ${counted(frameCount, "frame")} and positions for ${perFrame.length}, and one position per frame was expected; export it again.`,
    );
  }
  const placed = perFrame.map((groups) => placeOfFrame(groups, shared, hasSegments, name));
  const [first] = placed;
  const { i, j } = directionsOf(first, name);
  const normal = cross(i, j);
  refuseMixedFrames(placed, name);
  const offsets = placed.map(({ positionMm }) => dot(subtract(positionMm, first.positionMm), normal));
  const sorted = distinct(offsets);
  const { slabs, steps, stepMm, isTold } = slabsOfFrames(sorted, first);
  const lowMm = slabs[0].lowMm;
  const planes = Math.max(1, Math.round((slabs[slabs.length - 1].highMm - lowMm) / stepMm));
  const spacingMm = (slabs[slabs.length - 1].highMm - lowMm) / planes;
  const [across, down] = [first.pixelSpacingMm[1], first.pixelSpacingMm[0]];
  const [firstColumn, lastColumn] = shiftsAlong(i, across, placed);
  const [firstRow, lastRow] = shiftsAlong(j, down, placed);
  const geometry: Geometry = {
    size: [columns + lastColumn - firstColumn, rows + lastRow - firstRow, planes],
    spacingMm: [across, down, spacingMm],
    originMm: addScaled(
      addScaled(addScaled(first.positionMm, normal, lowMm + spacingMm / 2), i, firstColumn * across),
      j,
      firstRow * down,
    ),
    direction: directionOf(i, j, normal),
  };
  refuseFarFrames(geometry, columns * rows, frameCount, name);
  const atFrame = (n: number) => slabs[nearest(sorted, offsets[n])];
  const isEven = steps.every((step) => Math.abs(step - stepMm) <= 0.05 * stepMm);
  const isShifted = lastColumn > firstColumn || lastRow > firstRow;
  return {
    geometry,
    frames: placed.map(({ positionMm, segment }) => ({ positionMm, segment })),
    slabs: placed.map((_, n) => ({
      lowMm: atFrame(n).lowMm - lowMm - spacingMm / 2,
      highMm: atFrame(n).highMm - lowMm - spacingMm / 2,
    })),
    betweenMm: first.betweenMm,
    depthGuess: isTold
      ? null
      : `the distance of slices is neither stated nor told by ${counted(sorted.length, "plane")}, and taken as ${spacingMm.toFixed(2)} mm`,
    problems: [
      ...(isEven ? [] : ["frames at uneven distances, each extended half way to its neighbours"]),
      ...(isShifted ? ["frames shifted against each other within their planes"] : []),
    ],
  };
}

/**
 * The directions along a frame's rows and columns, LPS.
 *
 * @throws InputError where they are not perpendicular and of length 1
 */
function directionsOf({ orientation }: PlacedFrame, name: string): { i: Vector3; j: Vector3 } {
  const i: Vector3 = [orientation[0], orientation[1], orientation[2]];
  const j: Vector3 = [orientation[3], orientation[4], orientation[5]];
  if (Math.abs(Math.hypot(...i) - 1) + Math.abs(Math.hypot(...j) - 1) + Math.abs(dot(i, j)) > 1e-3) {
    throw new InputError(
      `${name} has the orientation ${orientation.join(", ")}, and two perpendicular directions of length 1 were expected; export it again.`,
    );
  }
  return { i, j };
}

/** By how many pixels frames are shifted against the first along a direction: the lowest and the highest, 0 between them. */
function shiftsAlong(direction: Vector3, pixelMm: number, placed: readonly PlacedFrame[]): [number, number] {
  const shifts = placed.map(({ positionMm }) =>
    Math.round(dot(subtract(positionMm, placed[0].positionMm), direction) / pixelMm),
  );
  return [Math.min(0, ...shifts), Math.max(0, ...shifts)];
}

/** The grid on which a series is read, and the positions of its slices along the grid's third axis. */
export type SeriesGrid = Pick<SourceSeries, "geometry" | "distancesMm">;

/** The mask of a frame's pixels that belong to a segment. */
export type FrameMask = (frame: number, segment: number) => Uint8Array;

/**
 * The mask of a segment on the object's own grid.
 *
 * @param drawn - gives the frame's pixels that belong to the segment, 1 inside
 */
export function segmentMask(
  { geometry, frames, slabs }: FrameStack,
  [columns, rows]: readonly [number, number],
  segment: number,
  drawn: FrameMask,
): Uint8Array {
  const slabOf = (frame: number) => slabs[frame];
  return maskOfFrames(frames, [columns, rows], segment, drawn, geometry, slabOf);
}

/**
 * The mask of a segment on the grid on which a series is read, each frame at the position of the slice that it was drawn
 * on; null where the frames do not coincide with the slices of the series, pixel by pixel.
 */
export function segmentMaskOnSeries(
  { geometry: own, frames, betweenMm }: FrameStack,
  [columns, rows]: readonly [number, number],
  segment: number,
  drawn: FrameMask,
  { geometry, distancesMm }: SeriesGrid,
): Uint8Array | null {
  const [spacing, grid] = [own.spacingMm, geometry.spacingMm];
  const isParallel = own.direction.every((value, n) => Math.abs(value - geometry.direction[n]) < 1e-4);
  if (!isParallel || Math.abs(spacing[0] - grid[0]) + Math.abs(spacing[1] - grid[1]) > 1e-4) return null;
  const [, , k] = axisDirections(geometry);
  const heights = frames.map(({ positionMm }) => dot(subtract(positionMm, geometry.originMm), k));
  const planes = Array.from({ length: geometry.size[2] }, (_, plane) => plane * grid[2]);
  const lieOn = (slices: readonly number[]) =>
    heights.every((height) => Math.abs(slices[nearest(slices, height)] - height) <= 0.05 * grid[2]);
  const isOfGrid = betweenMm !== null && Math.abs(betweenMm - grid[2]) < 1e-3;
  const slices = (isOfGrid ? [planes, distancesMm] : [distancesMm, planes]).find(lieOn);
  if (slices === undefined) return null;
  const slabs = slabsOf(slices, grid[2]);
  const slabOf = (frame: number) => slabs[nearest(slices, heights[frame])];
  return maskOfFrames(frames, [columns, rows], segment, drawn, geometry, slabOf);
}

/** Frames of the same slab are united: a file may hold a slice of a segment twice. */
function maskOfFrames(
  frames: readonly FramePlace[],
  [columns, rows]: readonly [number, number],
  segment: number,
  drawn: FrameMask,
  geometry: Geometry,
  slabOf: (frame: number) => Slab,
): Uint8Array {
  const [nx, ny] = geometry.size;
  const masks = new Map<Slab, Uint8Array>();
  for (const [frame, { positionMm, segment: owner }] of frames.entries()) {
    if (owner !== null && owner !== segment) continue;
    const slab = slabOf(frame);
    const mask = masks.get(slab) ?? new Uint8Array(nx * ny);
    masks.set(slab, mask);
    const [firstI, firstJ] = indexOfPoint(geometry, positionMm).map(Math.round);
    const pixels = drawn(frame, segment);
    for (let row = Math.max(0, -firstJ); row < Math.min(rows, ny - firstJ); row++) {
      for (let column = Math.max(0, -firstI); column < Math.min(columns, nx - firstI); column++) {
        if (pixels[column + columns * row] !== 0) mask[firstI + column + nx * (firstJ + row)] = 1;
      }
    }
  }
  const slabs: DrawnSlab[] = [...masks].map(([slab, mask]) => ({ ...slab, mask }));
  return fillSlabs(slabs, geometry);
}

/** The values ascending, without those that differ only by rounding. */
function distinct(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.filter((value, n) => n === 0 || value - sorted[n - 1] > 1e-3);
}

/** The index of the nearest value in an ascending list. */
function nearest(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low > 0 && value - sorted[low - 1] < sorted[low] - value ? low - 1 : low;
}

/**
 * The slabs of frames at these positions: those of an even grid if a distance fits (as stated, or found from the gaps),
 * else each slab reaches half way to its neighbours. Where the gaps tell nothing, the stated distance decides, then the
 * thickness.
 */
function slabsOfFrames(
  sorted: readonly number[],
  { betweenMm, thicknessMm }: Pick<PlacedFrame, "betweenMm" | "thicknessMm">,
): { slabs: Slab[]; steps: readonly number[]; stepMm: number; isTold: boolean } {
  const gaps = sorted.slice(1).map((offset, n) => offset - sorted[n]);
  const usualMm = betweenMm ?? thicknessMm ?? 1;
  const [least, second] = [...gaps].sort((a, b) => a - b);
  const isRepeated = second !== undefined && second < 1.05 * least;
  // If no two neighbouring gaps are equal, only the thickness can tell the distance.
  const isTold = gaps.some((gap, n) => Math.abs(gap - (gaps[n + 1] ?? Number.NaN)) < 0.05 * gap);
  const stepMm = [betweenMm, isRepeated ? least : null, isTold ? null : thicknessMm, least ?? null].find(
    (step): step is number => step !== null && gaps.length > 0 && isEvenBy(gaps, step),
  );
  const around = slicePositions(sorted, usualMm);
  const steps = around.slice(1).map((position, n) => position - around[n]);
  const hasHoles = around.length > sorted.length;
  const isUneven = isTold && !hasHoles && gaps.some((gap) => gap > 1.5 * (stepMm ?? gap));
  if (stepMm !== undefined && (stepMm === betweenMm || !isUneven)) {
    // The exact distance is the average over the whole stack, because a stated distance is rounded.
    const whole = sorted[sorted.length - 1] - sorted[0];
    const exact = whole / Math.round(whole / stepMm);
    const slabs = sorted.map((offset) => {
      const at = sorted[0] + Math.round((offset - sorted[0]) / exact) * exact;
      return { lowMm: at - exact / 2, highMm: at + exact / 2 };
    });
    return { slabs, steps: [exact], stepMm: exact, isTold: isTold || isRepeated || stepMm === betweenMm };
  }
  const slabs = slabsOf(around, usualMm).filter((_, n) => sorted.includes(around[n]));
  return {
    slabs,
    steps,
    stepMm: upperMedian(steps) ?? usualMm,
    isTold: gaps.length > 0 || betweenMm !== null,
  };
}

function isEvenBy(gaps: readonly number[], step: number): boolean {
  return gaps.every((gap) => {
    const slices = Math.round(gap / step);
    return slices > 0 && Math.abs(gap - slices * step) < 0.05 * step;
  });
}

/** Refuses a grid that is far larger than what its frames fill: kilobytes would become gigabytes. */
function refuseFarFrames(geometry: Geometry, framePixels: number, frameCount: number, name: string): void {
  if (voxelCount(geometry) <= framePixels * (1000 + 50 * frameCount)) return;
  throw new InputError(
    `${name} has ${frameCount} frames so far apart that their grid would be ${geometry.size
      .map((n) => n.toPrecision(3))
      .map(Number)
      .join(
        " × ",
      )} voxels, and frames near each other were expected; correct their positions (Image Position (Patient)) or export it again.`,
  );
}

interface PlacedFrame {
  /** Centre of the frame's first voxel, LPS mm. */
  readonly positionMm: Vector3;
  /** Directions along the rows and along the columns, LPS. */
  readonly orientation: readonly number[];
  /** Between rows, between columns. */
  readonly pixelSpacingMm: readonly number[];
  /** The stated distance between slices; null where it is not stated. */
  readonly betweenMm: number | null;
  readonly thicknessMm: number | null;
  readonly segment: number | null;
}

function placeOfFrame(
  groups: DicomDataset,
  shared: DicomDataset | undefined,
  hasSegments: boolean,
  name: string,
): PlacedFrame {
  const group = (attribute: "PlanePositionSequence" | "PlaneOrientationSequence" | "PixelMeasuresSequence") =>
    itemsOf(groups, attribute)[0] ?? (shared === undefined ? undefined : itemsOf(shared, attribute)[0]);
  const numbersIn = (
    item: DicomDataset | undefined,
    attribute: Parameters<typeof numbersOf>[1],
    count: number,
  ) => {
    const values = item === undefined ? [] : numbersOf(item, attribute);
    if (values.length === count) return values;
    throw new InputError(
      `${name} has a frame with ${values.length} values of ${attribute}, and ${count} were expected; only segmentations with positions in the patient can be read.`,
    );
  };
  const [x, y, z] = numbersIn(group("PlanePositionSequence"), "ImagePositionPatient", 3);
  const measures = group("PixelMeasuresSequence");
  const pixelSpacingMm = numbersIn(measures, "PixelSpacing", 2);
  if (!pixelSpacingMm.every((spacing) => spacing > 0)) {
    throw new InputError(
      `${name} has a pixel spacing of ${pixelSpacingMm.join(" × ")} mm, and two positive numbers were expected; correct its header.`,
    );
  }
  const stated = (attribute: "SpacingBetweenSlices" | "SliceThickness") => {
    const valueMm = measures === undefined ? 0 : (numberOf(measures, attribute) ?? 0);
    return valueMm > 0 ? valueMm : null;
  };
  const [identification] = itemsOf(groups, "SegmentIdentificationSequence");
  const [sharedIdentification] = shared === undefined ? [] : itemsOf(shared, "SegmentIdentificationSequence");
  const segmentItem = identification ?? sharedIdentification;
  const segment = segmentItem === undefined ? undefined : numberOf(segmentItem, "ReferencedSegmentNumber");
  if (hasSegments && segment === undefined) {
    throw new InputError(`${name} has a frame that belongs to no segment; export it again.`);
  }
  return {
    positionMm: [x, y, z],
    orientation: numbersIn(group("PlaneOrientationSequence"), "ImageOrientationPatient", 6),
    pixelSpacingMm,
    betweenMm: stated("SpacingBetweenSlices"),
    thicknessMm: stated("SliceThickness"),
    segment: hasSegments ? (segment ?? null) : null,
  };
}

function refuseMixedFrames(placed: readonly PlacedFrame[], name: string): void {
  const [first] = placed;
  const differs = (a: readonly number[], b: readonly number[]) =>
    a.some((value, n) => Math.abs(value - b[n]) > 1e-4);
  const other = placed.findIndex(
    ({ orientation, pixelSpacingMm }) =>
      differs(orientation, first.orientation) || differs(pixelSpacingMm, first.pixelSpacingMm),
  );
  if (other < 0) return;
  throw new InputError(
    `${name} has frames of different orientation or pixel spacing (frames 1 and ${other + 1}), and a single grid was expected; split it.`,
  );
}
