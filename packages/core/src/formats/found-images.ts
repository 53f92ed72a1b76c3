// The images among files of any format: DICOM series, volume files with their companions, and what is neither.
import { InputError } from "../errors.js";
import type { Volume } from "../volume/volume.js";
import { folderOf } from "./companion.js";
import { dicomModality } from "./dicom/modality.js";
import { type DicomSeries, listSeries, readSeries, type SeriesListing } from "./dicom/series.js";
import type { NamedFile } from "./dicom/slices.js";
import type { SourceSeries } from "./dicom/source-series.js";
import { readVolume, volumeCompanion, volumeFormatOf } from "./volume-file.js";
import { isZip, listZip } from "./zip.js";

/** An image that was read, with what it came from. */
export interface ReadImage {
  readonly volume: Volume;
  /** The DICOM series; null for a volume file. */
  readonly source: SourceSeries | null;
  /** What is odd about it and was dealt with, a sentence each. */
  readonly problems: readonly string[];
}

/** The images among files. */
export interface FoundImages {
  readonly series: SeriesListing["series"];
  /** Volume files, by name. */
  readonly volumes: readonly VolumeFile[];
  /** Files of points; they stand among `others` too. */
  readonly markups: readonly NamedFile[];
  /** Files that are no image, with the reason. */
  readonly others: SeriesListing["others"];
}

/** A file of a volume format, read when asked. */
export interface VolumeFile {
  readonly name: string;
  readonly read: () => Promise<ReadImage>;
}

/** Finds a file that a header names, by its whole name. */
export type FileLookup = (name: string) => NamedFile | undefined;

/**
 * Everything that is an image among files. Headers of DICOM files are read, voxels are not.
 *
 * @param unopened files that could not be opened, with the reason; they may be slices that a series lacks
 * @param beside where a header finds the file of its voxels; among the files by default
 */
export async function imagesAmong(
  files: readonly NamedFile[],
  unopened: FoundImages["others"] = [],
  beside: FileLookup = lookupAmong(files),
): Promise<FoundImages> {
  const volumes = files.filter(({ name }) => volumeFormatOf(name) !== null);
  const headers = new Set(volumes.map(({ name }) => name.replace(/\.(mhd|nhdr|hdr|hdr\.gz)$/i, "")));
  const isVoxelFile = (name: string) =>
    /\.(raw|zraw|img)(\.gz)?$/i.test(name) && headers.has(name.replace(/\.\w+(\.gz)?$/, ""));
  const isVolume = new Set(volumes.map(({ name }) => name));
  const candidates = files.filter(({ name }) => !isVolume.has(name) && !isVoxelFile(name));
  // What could not even be opened may be a slice, as a damaged file may be.
  const maybeSlices = unopened.filter(({ name }) => volumeFormatOf(name) === null);
  const markups = candidates.filter(({ name }) => isMarkupsName(name));
  const listing = await listSeries([
    ...candidates.filter((file) => !markups.includes(file)),
    ...maybeSlices.map(unreadable),
  ]);
  const noImages = await Promise.all(listing.others.map((fileItem) => toldByName(fileItem, candidates)));
  const points = markups.map(({ name }) => ({ name, reason: knownAs(name) ?? "" }));
  return {
    series: listing.series,
    volumes: volumes.map((file) => ({ name: file.name, read: () => readVolumeFile(file, beside) })),
    markups,
    others: [...noImages, ...points, ...unopened.filter((entry) => !maybeSlices.includes(entry))],
  };
}

/** Reads a series of a listing. @throws InputError where it is refused */
export async function readChosen(series: DicomSeries): Promise<ReadImage> {
  const { volume, source, problems } = await readSeries(series);
  return { volume, source, problems: problems.map(({ message }) => message) };
}

/**
 * Reads a volume file, and the file of its voxels where they stand apart.
 *
 * @throws InputError where it cannot be read, or that file is not there
 */
export async function readVolumeFile({ name, read }: NamedFile, beside: FileLookup): Promise<ReadImage> {
  const bytes = await read();
  const companionName = volumeCompanion(bytes, name);
  const companion = companionName === null ? undefined : beside(`${folderOf(name)}${companionName}`);
  if (companionName !== null && companion === undefined)
    throw new InputError(
      `${name} needs ${companionName} beside it, which is not there; put the two together.`,
    );
  const problems: string[] = [];
  const volume = readVolume(bytes, name, await companion?.read(), (sentence) => problems.push(sentence));
  return { volume, source: null, problems };
}

/** The files of a zip archive. @throws InputError where it is none, or a bomb, or leads out of itself */
export function filesOfZip(bytes: Uint8Array, name: string): NamedFile[] {
  if (!isZip(bytes))
    throw new InputError(`${name} is no zip archive, though its name ends in .zip; check the file.`);
  return listZip(bytes, name).map((entry) => ({ name: entry.name, read: async () => entry.read() }));
}

/** A header may name files of its own folder or archive alone. */
export function lookupAmong(files: readonly NamedFile[]): FileLookup {
  const byName = new Map(files.map((file) => [file.name, file]));
  return (name) => byName.get(name);
}

/** A file that is no image, and what it is by its name where it is no DICOM object either. */
async function toldByName(
  file: FoundImages["others"][number],
  files: readonly NamedFile[],
): Promise<FoundImages["others"][number]> {
  const reason = knownAs(file.name);
  if (reason === null) return file;
  const bytes = await files
    .find(({ name }) => name === file.name)
    ?.read()
    .catch(() => undefined);
  return bytes === undefined || dicomModality(bytes, file.name) !== null ? file : { ...file, reason };
}

function unreadable({ name, reason }: { readonly name: string; readonly reason: string }): NamedFile {
  return { name, read: () => Promise.reject(new InputError(reason)) };
}

/** Whether a file holds points of 3D Slicer. */
function isMarkupsName(name: string): boolean {
  return /\.(fcsv|mrk\.json)$/i.test(name);
}

/** What a file is that could not be read as an image, a sentence; null where its name does not tell. */
function knownAs(name: string): string | null {
  if (isMarkupsName(name)) return `${name} holds points of 3D Slicer, not an image.`;
  if (/\.img(\.gz)?$/i.test(name))
    return `${name} is half of a NIfTI pair (.hdr and .img) by its name, and one file with header and voxels was expected; convert the pair to .nii.gz.`;
  if (/\.z?raw(\.gz)?$/i.test(name))
    return `${name} holds voxels without their header by its name; choose the header in its place (.mhd or .nhdr).`;
  return null;
}
