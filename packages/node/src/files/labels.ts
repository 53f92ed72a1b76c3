// Reads labels from a volume file, a DICOM SEG or an RTSTRUCT, on the grid of their scan.
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import {
  type Geometry,
  InputError,
  readRtstruct,
  readSeg,
  reorientToLps,
  sameGeometry,
  type Volume,
} from "@lnsnet/core";
import {
  dicomModality,
  type LabelName,
  matchRois,
  nrrdSegments,
  type ReadImage,
  requireDrawnOn,
  volumeFormatOf,
} from "@lnsnet/core/formats";
import { describeGeometry, type IntegerVoxelArray, resampleLabels, voxelCount } from "@lnsnet/core/volume";
import {
  contourProblems,
  drawnSpacingMm,
  labelMasks,
  type NamedMask,
  numberedComponents,
  rasteriseContours,
  rasteriseOnSlices,
  requireLabels,
  unevenSlicesMm,
} from "@lnsnet/core/voxels";
import { isFile, readBytes, requirePath } from "./disk.js";
import { readImage } from "./imaging.js";

/** Labels and their names. */
export interface ReadLabels {
  /** 0 is background; each segment or ROI has its own value, if the source distinguishes them. */
  readonly volume: Volume<IntegerVoxelArray>;
  readonly names: readonly LabelName[];
  /** Sentences or phrases about anything unusual in the source. */
  readonly problems: readonly string[];
}

export interface LabelChoice {
  /** The scan whose grid the labels are put on; null keeps their own grid. */
  readonly reference: ReadImage | null;
  /** Which segments or ROIs to take, by name; null takes all. */
  readonly pattern: RegExp | null;
}

/** The modality of a file that is a DICOM segmentation; null for everything else. */
export async function segmentationKind(path: string): Promise<"SEG" | "RTSTRUCT" | null> {
  await requirePath(path);
  if (!(await isFile(path)) || volumeFormatOf(path) !== null) return null;
  const modality = dicomModality(await readBytes(path), path);
  return modality === "SEG" || modality === "RTSTRUCT" ? modality : null;
}

/**
 * The labels at a path. Where segments or ROIs overlap, the first keeps the voxel.
 *
 * @throws InputError where the file cannot be used, no name matches the pattern or nothing has a voxel, an RTSTRUCT comes
 *   without a reference, an object was drawn on another series or in another frame of reference, or a volume does not
 *   have the grid of the reference
 */
export async function readLabels(path: string, choice: LabelChoice): Promise<ReadLabels> {
  switch (await segmentationKind(path)) {
    case "SEG":
      return fromSeg(path, choice);
    case "RTSTRUCT":
      return fromRtstruct(path, choice);
    case null:
      return fromVolume(path, choice);
  }
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

async function fromSeg(path: string, { reference, pattern }: LabelChoice): Promise<ReadLabels> {
  const object = await readSeg(await readBytes(path), path);
  const problems = object.problems.map((phrase) => `${basename(path)}: ${phrase}`);
  problems.push(...belongingProblems(object, reference));
  const grid = reference?.volume ?? object.geometry;
  const moved = !sameGeometry(grid, object.geometry);
  const guess = object.depthGuess === null ? null : `${basename(path)}: ${object.depthGuess}`;
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

async function fromRtstruct(path: string, { reference, pattern }: LabelChoice): Promise<ReadLabels> {
  if (reference === null)
    throw new InputError(
      `${path} holds contours, which have no grid of their own; give the scan that they were drawn on with the option reference.`,
    );
  const object = readRtstruct(await readBytes(path), path);
  const problems = object.problems.map((phrase) => `${basename(path)}: ${phrase}`);
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

async function fromVolume(path: string, { reference, pattern }: LabelChoice): Promise<ReadLabels> {
  const { volume, problems } = await readImage(path);
  const labels = requireLabels(volume, path);
  const names = /\.nrrd$/i.test(path) ? nrrdSegments(await readFile(path), path) : [];
  const placed = reference === null ? labels : onGridOf(labels, reference.volume, path);
  if (pattern === null) return { volume: placed, names, problems };
  if (names.length === 0)
    throw new InputError(
      `${path} holds labels without names, so the option roi cannot choose any; leave the option roi out, or use a SEG, an RTSTRUCT or a .seg.nrrd.`,
    );
  const kept = matchRois(
    names.map(({ name }) => name),
    pattern,
    path,
  ).map((n) => names[n]);
  const values = new Set(kept.map(({ label }) => label));
  const data = placed.data.map((value) => (values.has(value) ? value : 0));
  return { volume: { ...placed, data }, names: kept, problems };
}

/** What cannot be checked of where an object belongs. @throws InputError where it belongs elsewhere */
function belongingProblems(
  object: Parameters<typeof requireDrawnOn>[0],
  reference: ReadImage | null,
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
): ReadLabels {
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
