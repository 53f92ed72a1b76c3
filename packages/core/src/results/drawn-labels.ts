// Labels that were drawn on a scan, in a SEG, an RTSTRUCT or a volume file, on the scan's grid.
import { InputError } from "../errors.js";
import { folderOf } from "../formats/companion.js";
import { requireDrawnOn } from "../formats/dicom/belonging.js";
import { dicomModality } from "../formats/dicom/modality.js";
import { matchRois } from "../formats/dicom/roi-names.js";
import { readRtstruct } from "../formats/dicom/rtstruct.js";
import { type LabelName, readSeg } from "../formats/dicom/seg.js";
import type { ReadImage } from "../formats/found-images.js";
import { describeGeometry } from "../volume/geometry-text.js";
import { reorientToLps } from "../volume/orientation.js";
import { type IntegerVoxelArray, resampleLabels } from "../volume/resample.js";
import { type Geometry, sameGeometry, type Volume, voxelCount } from "../volume/volume.js";
import {
  contourProblems,
  drawnSpacingMm,
  rasteriseContours,
  rasteriseOnSlices,
  unevenSlicesMm,
} from "../voxels/contours.js";
import { labelMasks, type NamedMask, numberedComponents } from "../voxels/instances.js";
import { requireLabels } from "../voxels/label-check.js";

/** Labels and their names. */
export interface DrawnLabels {
  /** 0 is background; each segment or ROI has its own value, if the source distinguishes them. */
  readonly volume: Volume<IntegerVoxelArray>;
  readonly names: readonly LabelName[];
  /** Sentences or phrases about anything unusual in the source. */
  readonly problems: readonly string[];
}

export interface LabelChoice {
  /** The scan whose grid the labels are put on; null keeps their own grid. */
  readonly reference: Pick<ReadImage, "volume" | "source"> | null;
  /** Which segments or ROIs to take, by name; null takes all. */
  readonly pattern: RegExp | null;
}

/** What kind of DICOM segmentation a file is; null for everything else. */
export function segmentationKind(bytes: Uint8Array, name: string): "SEG" | "RTSTRUCT" | null {
  const modality = dicomModality(bytes, name);
  return modality === "SEG" || modality === "RTSTRUCT" ? modality : null;
}

/**
 * The segments of a SEG or the ROIs of an RTSTRUCT. Where they overlap, the first keeps the voxel.
 *
 * @param name of the file, for messages
 * @throws InputError where the file is neither or damaged, no name matches the pattern or nothing has a voxel, an RTSTRUCT
 *   comes without a reference, or the object was drawn on another series or in another frame of reference
 */
export async function labelsOfObject(
  bytes: Uint8Array,
  name: string,
  choice: LabelChoice,
): Promise<DrawnLabels> {
  return segmentationKind(bytes, name) === "RTSTRUCT"
    ? fromRtstruct(bytes, name, choice)
    : fromSeg(bytes, name, choice);
}

/**
 * The labels of a volume file.
 *
 * @param names of its values, where the file states them
 * @param name of the file, for messages
 * @throws InputError where the voxels cannot be labels, do not have the grid of the reference, or names are to be chosen
 *   and there are none
 */
export function labelsOfVolume(
  volume: Volume,
  names: readonly LabelName[],
  name: string,
  { reference, pattern }: LabelChoice,
): DrawnLabels {
  const labels = requireLabels(volume, name);
  const placed = reference === null ? labels : onGridOf(labels, reference.volume, name);
  if (pattern === null) return { volume: placed, names, problems: [] };
  if (names.length === 0)
    throw new InputError(
      `${name} holds labels without names, so the option roi cannot choose any; leave the option roi out, or use a SEG, an RTSTRUCT or a .seg.nrrd.`,
    );
  const kept = matchRois(
    names.map((label) => label.name),
    pattern,
    name,
  ).map((n) => names[n]);
  const values = new Set(kept.map(({ label }) => label));
  const data = placed.data.map((value) => (values.has(value) ? value : 0));
  return { volume: { ...placed, data }, names: kept, problems: [] };
}

/**
 * A value for each node: labels of several values are kept, labels of a single value are numbered by
 * {@link numberedComponents}, as in measurements.
 */
export function asInstances(labels: Volume<IntegerVoxelArray>): Volume<IntegerVoxelArray> {
  return hasSeveralValues(labels) ? labels : numberedComponents(labels);
}

/** Whether labels have more than one value. */
export function hasSeveralValues({ data }: Volume): boolean {
  const first = data.find((value) => value !== 0);
  return data.some((value) => value !== 0 && value !== first);
}

/**
 * Labels on another grid of the same voxels: axes in another order or direction, as other tools write them.
 *
 * @throws InputError where the grids differ by more
 */
function onGridOf(
  labels: Volume<IntegerVoxelArray>,
  grid: Geometry,
  name: string,
): Volume<IntegerVoxelArray> {
  if (sameGeometry(labels, grid)) return labels;
  const empty = { ...grid, data: new Uint8Array(voxelCount(grid)) };
  if (!sameGeometry(reorientToLps(labels), reorientToLps(empty)))
    throw new InputError(
      `${name} (${describeGeometry(labels)}) does not have the same geometry as its scan (${describeGeometry(grid)}); choose the scan that it was drawn on, or resample it.`,
    );
  return resampleLabels(labels, grid);
}

interface NamedRegion {
  readonly name: string;
  /** 1 inside, on the grid of the result. */
  readonly mask: () => Uint8Array;
}

async function fromSeg(
  bytes: Uint8Array,
  path: string,
  { reference, pattern }: LabelChoice,
): Promise<DrawnLabels> {
  const object = await readSeg(bytes, path);
  const problems = object.problems.map((phrase) => `${fileName(path)}: ${phrase}`);
  problems.push(...belongingProblems(object, reference));
  const grid = reference?.volume ?? object.geometry;
  const moved = !sameGeometry(grid, object.geometry);
  const guess = object.depthGuess === null ? null : `${fileName(path)}: ${object.depthGuess}`;
  const regions = object.segments.map(
    ({ label, mask, maskOn }): NamedRegion => ({
      name: label,
      mask: () => {
        const onSlices = reference?.source == null ? null : maskOn(reference.source);
        if (onSlices !== null) return onSlices;
        if (guess !== null && !problems.includes(guess)) problems.push(guess);
        const voxels = mask();
        if (!moved) return voxels;
        const { data } = resampleLabels({ ...object.geometry, data: voxels }, grid);
        return data instanceof Uint8Array ? data : Uint8Array.from(data);
      },
    }),
  );
  return paint(chosen(regions, pattern, path), grid, problems, path);
}

function fromRtstruct(bytes: Uint8Array, path: string, { reference, pattern }: LabelChoice): DrawnLabels {
  if (reference === null)
    throw new InputError(
      `${path} holds contours, which have no grid of their own; give the scan that they were drawn on with the option reference.`,
    );
  const object = readRtstruct(bytes, path);
  const problems = object.problems.map((phrase) => `${fileName(path)}: ${phrase}`);
  problems.push(...belongingProblems(object, reference));
  const grid = reference.volume;
  // On the slices that were drawn on, one without a contour has none; another grid has slices between.
  const everyContour = object.rois.flatMap(({ contours }) => contours);
  const isDrawnGrid = (reference.source?.slices ?? null) !== null;
  const slicesMm = isDrawnGrid ? null : (reference.source?.distancesMm ?? unevenSlicesMm(everyContour, grid));
  const spacingMm = isDrawnGrid || slicesMm !== null ? 0 : (drawnSpacingMm(everyContour, grid) ?? 0);
  const regions = object.rois.map(
    ({ name, contours, drawnEveryMm }): NamedRegion => ({
      name,
      mask: () => {
        const isOnPlanes = drawnEveryMm !== null && Math.abs(drawnEveryMm - grid.spacingMm[2]) < 1e-3;
        const drawnOn = isOnPlanes ? null : slicesMm;
        for (const phrase of contourProblems(contours, grid, spacingMm, drawnOn))
          problems.push(`"${name}": ${phrase}`);
        return drawnOn === null
          ? rasteriseContours(contours, grid, spacingMm)
          : rasteriseOnSlices(contours, grid, drawnOn);
      },
    }),
  );
  return paint(chosen(regions, pattern, path), grid, problems, path);
}

/** What cannot be checked of where an object belongs. @throws InputError where it belongs elsewhere */
function belongingProblems(
  object: Parameters<typeof requireDrawnOn>[0],
  reference: LabelChoice["reference"],
): string[] {
  if (reference === null) return [];
  if (reference.source === null)
    return ["The reference is a volume file, so it is not known whether the object was drawn on it."];
  requireDrawnOn(object, reference.source);
  return [];
}

function chosen(
  regions: readonly NamedRegion[],
  pattern: RegExp | null,
  path: string,
): readonly NamedRegion[] {
  if (pattern === null) return regions;
  return matchRois(
    regions.map(({ name }) => name),
    pattern,
    path,
  ).map((n) => regions[n]);
}

function paint(
  regions: readonly NamedRegion[],
  grid: Geometry,
  problems: string[],
  path: string,
): DrawnLabels {
  const { size, spacingMm, originMm, direction } = grid;
  const { labels, regions: names, overlaps, empty } = labelMasks(masksOf(regions), size);
  for (const { first, second, voxels } of overlaps)
    problems.push(
      `"${second}": ${voxels === 1 ? "1 voxel belongs" : `${voxels} voxels belong`} to "${first}" as well, which keeps them`,
    );
  for (const name of empty) problems.push(`"${name}" has no voxel on the grid, or none of its own`);
  if (names.length === 0)
    throw new InputError(
      `${path} has no voxel of ${regions.map(({ name }) => `"${name}"`).join(", ")} on the grid of its scan; check that the two belong together.`,
    );
  return { volume: { size, spacingMm, originMm, direction, data: labels }, names, problems };
}

/** One at a time, since each is as large as the scan. */
function* masksOf(regions: readonly NamedRegion[]): Generator<NamedMask> {
  for (const { name, mask } of regions) yield { name, mask: mask() };
}

const fileName = (path: string): string => path.slice(folderOf(path).length);
