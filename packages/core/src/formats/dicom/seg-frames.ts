// Where the frames of a Segmentation object lie: their functional groups as one grid.
import { InputError } from "../../errors.js";
import { cross, directionOf, dot, subtract } from "../../volume/vector.js";
import { type Geometry, pointOfIndex, type Vector3 } from "../../volume/volume.js";
import { type Dataset, itemsOf, numberOf, numbersOf } from "./dataset.js";
import type { PixelDescription } from "./pixel-data.js";

/** Frames on a grid: k runs along the normal (i × j), whatever their order in the file. */
export interface FrameStack {
  readonly geometry: Geometry;
  /** For each frame: its slice, and the segment it belongs to; null where its values say so. */
  readonly frames: readonly { readonly k: number; readonly segment: number | null }[];
}

/**
 * The grid that the frames span, from the first to the last. Slices without a frame in between are part of it.
 *
 * @param hasSegments - whether each frame states the segment it belongs to
 * @throws InputError where a frame has no place, or frames are not parallel, straight above each other and evenly spaced
 */
export function frameStackOf(
  dataset: Dataset,
  { columns, rows, frameCount }: PixelDescription,
  hasSegments: boolean,
): FrameStack {
  const { name } = dataset;
  const perFrame = itemsOf(dataset, "PerFrameFunctionalGroupsSequence");
  const [shared] = itemsOf(dataset, "SharedFunctionalGroupsSequence");
  if (perFrame.length !== frameCount) {
    throw new InputError(
      `${name} has ${frameCount} frames and places for ${perFrame.length}, and one each was expected; export it again.`,
    );
  }
  const placed = perFrame.map((groups) => placeOfFrame(groups, shared, hasSegments, name));
  const [first] = placed;
  const i: Vector3 = [first.orientation[0], first.orientation[1], first.orientation[2]];
  const j: Vector3 = [first.orientation[3], first.orientation[4], first.orientation[5]];
  if (Math.abs(Math.hypot(...i) - 1) + Math.abs(Math.hypot(...j) - 1) + Math.abs(dot(i, j)) > 1e-3) {
    throw new InputError(
      `${name} has the orientation ${first.orientation.join(", ")}, and two perpendicular directions of length 1 were expected; export it again.`,
    );
  }
  const normal = cross(i, j);
  refuseMixedFrames(placed, name);
  const offsets = placed.map(({ positionMm }) => dot(subtract(positionMm, first.positionMm), normal));
  const lowest = offsets.indexOf(Math.min(...offsets));
  const stepMm = sliceStep(offsets, first, name);
  const slices = offsets.map((offset) => Math.round((offset - offsets[lowest]) / stepMm));
  const geometry: Geometry = {
    size: [columns, rows, Math.max(...slices) + 1],
    spacingMm: [first.pixelSpacingMm[1], first.pixelSpacingMm[0], stepMm],
    originMm: placed[lowest].positionMm,
    direction: directionOf(i, j, normal),
  };
  placed.forEach(({ positionMm }, frame) => {
    const aside = Math.hypot(...subtract(positionMm, pointOfIndex(geometry, [0, 0, slices[frame]])));
    if (aside > 0.05 * Math.min(...geometry.spacingMm)) {
      throw new InputError(
        `${name} has a frame ${frame + 1} that lies ${aside.toFixed(2)} mm aside of an even, straight stack, and frames of one grid were expected; resample it first.`,
      );
    }
  });
  return { geometry, frames: placed.map(({ segment }, frame) => ({ k: slices[frame], segment })) };
}

interface PlacedFrame {
  /** Centre of the frame's first voxel, LPS mm. */
  readonly positionMm: Vector3;
  /** Directions of the rows' and the columns' run, LPS. */
  readonly orientation: readonly number[];
  /** Between rows, between columns. */
  readonly pixelSpacingMm: readonly number[];
  /** Between slices as stated; null where it is not. */
  readonly betweenMm: number | null;
  readonly thicknessMm: number | null;
  readonly segment: number | null;
}

function placeOfFrame(
  groups: Dataset,
  shared: Dataset | undefined,
  hasSegments: boolean,
  name: string,
): PlacedFrame {
  const group = (attribute: "PlanePositionSequence" | "PlaneOrientationSequence" | "PixelMeasuresSequence") =>
    itemsOf(groups, attribute)[0] ?? (shared === undefined ? undefined : itemsOf(shared, attribute)[0]);
  const numbersIn = (
    item: Dataset | undefined,
    attribute: Parameters<typeof numbersOf>[1],
    count: number,
  ) => {
    const values = item === undefined ? [] : numbersOf(item, attribute);
    if (values.length === count) return values;
    throw new InputError(
      `${name} has a frame with ${values.length} values of ${attribute}, and ${count} were expected; only segmentations placed in the patient can be read.`,
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
    `${name} has a frame ${other + 1} of another orientation or pixel spacing than its first, and one grid was expected; split it.`,
  );
}

/**
 * The distance between slices: as stated where the frames keep to it, else the least between two frames where it occurs
 * twice, else their thickness, which may be less where slices lie apart, else the least.
 */
function sliceStep(
  offsets: readonly number[],
  { betweenMm, thicknessMm }: Pick<PlacedFrame, "betweenMm" | "thicknessMm">,
  name: string,
): number {
  const sorted = [...offsets].sort((a, b) => a - b);
  const distances = sorted
    .slice(1)
    .flatMap((offset, n) => (offset - sorted[n] > 1e-3 ? [offset - sorted[n]] : []));
  const fits = (step: number) =>
    distances.every((distance) => {
      const slices = Math.round(distance / step);
      return slices > 0 && Math.abs(distance - slices * step) < 0.05 * step;
    });
  const [least, second] = [...distances].sort((a, b) => a - b);
  if (least === undefined) return betweenMm ?? thicknessMm ?? 1;
  const isRepeated = second !== undefined && second < 1.05 * least;
  const candidates = [betweenMm, isRepeated ? least : null, thicknessMm, least];
  const step = candidates.find((candidate): candidate is number => candidate !== null && fits(candidate));
  if (step === undefined) {
    throw new InputError(
      `${name} has frames at uneven distances (${distances.map((d) => d.toFixed(2)).join(", ")} mm), and an even grid was expected; resample it first.`,
    );
  }
  // The exact distance is averaged over the whole stack, since a stated one is rounded.
  const whole = sorted[sorted.length - 1] - sorted[0];
  return whole / Math.round(whole / step);
}
