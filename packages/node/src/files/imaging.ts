// Finds and reads the images at a path: files, folders and zip archives of any format.
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import {
  chooseSeries,
  type DicomSeries,
  InputError,
  isCtScan,
  listSeries,
  type NamedFile,
  readSeries,
  readVolume,
  type SeriesListing,
  type SourceSeries,
  type Volume,
} from "@lnsnet/core";
import {
  dicomModality,
  folderOf,
  isZip,
  listZip,
  volumeCompanion,
  volumeFormatOf,
} from "@lnsnet/core/formats";
import { fileError, isFolder, readBytes, requirePath } from "./disk.js";
import { isMarkupsName, knownAs } from "./no-image.js";

/** An image that was read, with what it came from. */
export interface ReadImage {
  readonly volume: Volume;
  /** The DICOM series; null for a volume file. */
  readonly source: SourceSeries | null;
  /** What is odd about it and was dealt with, a sentence each. */
  readonly problems: readonly string[];
}

/** What is at a path. */
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

/**
 * Everything that is an image at a path: a file, a folder with all below it, or a zip archive. Links are followed only
 * where they stay within the folder. Headers of DICOM files are read, voxels are not.
 *
 * @throws InputError where nothing is there, it cannot be read, or an archive is a bomb or leads out of itself
 */
export async function findImages(path: string): Promise<FoundImages> {
  const { files, others, beside } = await filesAt(path);
  const volumes = files.filter(({ name }) => volumeFormatOf(name) !== null);
  const headers = new Set(volumes.map(({ name }) => name.replace(/\.(mhd|nhdr|hdr|hdr\.gz)$/i, "")));
  const isVoxelFile = (name: string) =>
    /\.(raw|zraw|img)(\.gz)?$/i.test(name) && headers.has(name.replace(/\.\w+(\.gz)?$/, ""));
  const isVolume = new Set(volumes.map(({ name }) => name));
  const candidates = files.filter(({ name }) => !isVolume.has(name) && !isVoxelFile(name));
  // What could not even be opened may be a slice, as a damaged file may be.
  const unopened = others.filter(({ name }) => volumeFormatOf(name) === null);
  const markups = candidates.filter(({ name }) => isMarkupsName(name));
  const listing = await listSeries([
    ...candidates.filter((file) => !markups.includes(file)),
    ...unopened.map(unreadable),
  ]);
  const noImages = await Promise.all(listing.others.map((fileItem) => toldByName(fileItem, candidates)));
  const points = markups.map(({ name }) => ({ name, reason: knownAs(name) ?? "" }));
  return {
    series: listing.series,
    volumes: volumes.map((file) => ({ name: file.name, read: () => readVolumeFile(file, beside) })),
    markups,
    others: [...noImages, ...points, ...others.filter((entry) => !unopened.includes(entry))],
  };
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

/**
 * The only image at a path, or the chosen series.
 *
 * @param wanted which series, if there are several: its number in the list, its UID, or a part of its description
 * @throws InputError where there is none, the choice is not clear, or it cannot be read as a regular volume
 */
export async function readImage(path: string, wanted?: string): Promise<ReadImage> {
  await requirePath(path);
  if (wanted === undefined && !(await isFolder(path)) && volumeFormatOf(path) !== null)
    return readVolumeFile(onDisk(path), onDisk);
  const found = await findImages(path);
  if (
    found.series.length === 0 ||
    (wanted !== undefined && found.volumes.some(({ name }) => name === wanted))
  )
    return chooseVolume(path, found, wanted).read();
  if (found.volumes.length > 0 && wanted === undefined)
    throw new InputError(
      `${path} holds ${found.series.length} DICOM series and ${found.volumes.length} volume files, and one image is expected; choose the file, or choose the series with the option series.`,
    );
  const series = chooseSeries({ series: found.series, others: found.others }, wanted);
  return readChosen(series);
}

/** @throws InputError as {@link readImage} */
export async function readScan(path: string): Promise<Volume> {
  return (await readImage(path)).volume;
}

/** Reads a series of a listing. @throws InputError where it is refused */
export async function readChosen(series: DicomSeries): Promise<ReadImage> {
  const { volume, source, problems } = await readSeries(series);
  return { volume, source, problems: problems.map(({ message }) => message) };
}

/** Finds a file that a header names, by its whole name. */
type Lookup = (name: string) => NamedFile | undefined;

const onDisk = (path: string): NamedFile => ({ name: path, read: () => readBytes(path) });

async function readVolumeFile({ name, read }: NamedFile, beside: Lookup): Promise<ReadImage> {
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

function chooseVolume(
  path: string,
  { volumes, others }: FoundImages,
  wanted: string | undefined,
): VolumeFile {
  const candidates = wanted === undefined ? volumes : volumes.filter(({ name }) => name.includes(wanted));
  if (candidates.length === 1) return candidates[0];
  if (candidates.length > 1)
    throw new InputError(
      `${path} holds ${candidates.length} volume files (${candidates
        .slice(0, 5)
        .map(({ name }) => basename(name))
        .join(", ")}), and one image is expected; choose one of them.`,
    );
  const [other] = others;
  const why = other === undefined ? "" : ` (${other.reason.replace(/\.$/, "")})`;
  throw new InputError(
    `${path} holds no image${wanted === undefined ? "" : ` "${wanted}"`}${why}, and a volume file or DICOM series is expected; choose another path.`,
  );
}

/** Files of a path, and what was left out with the reason. */
export interface Files {
  readonly files: readonly NamedFile[];
  readonly others: FoundImages["others"];
}

async function filesAt(path: string): Promise<Files & { readonly beside: Lookup }> {
  await requirePath(path);
  if (await isFolder(path)) {
    const found = await filesBelow(path);
    return { ...found, beside: among(found.files) };
  }
  if (volumeFormatOf(path) !== null || !/\.zip$/i.test(path))
    return { files: [onDisk(path)], others: [], beside: onDisk };
  const bytes = await readBytes(path);
  if (!isZip(bytes))
    throw new InputError(`${path} is no zip archive, though its name ends in .zip; check the file.`);
  const entries = listZip(bytes, path).map(({ name, read }) => ({ name, read: async () => read() }));
  return { files: entries, others: [], beside: among(entries) };
}

/** A header may name files of its own folder or archive alone. */
function among(files: readonly NamedFile[]): Lookup {
  const byName = new Map(files.map((file) => [file.name, file]));
  return (name) => byName.get(name);
}

/**
 * Every file below a folder, by name, without hidden ones. Links that lead out of it or nowhere, and what may not be
 * read, are left out with the reason; they stop no other file.
 */
export async function filesBelow(root: string): Promise<Files> {
  const realRoot = await realpath(root);
  const files: NamedFile[] = [];
  const others: { name: string; reason: string }[] = [];
  const visited = new Set<string>();
  const leaveOut = (name: string, error: unknown) => {
    const known = fileError(error, name, "read");
    if (!(known instanceof InputError)) throw known;
    others.push({ name, reason: known.message });
  };
  const visit = async (folder: string): Promise<void> => {
    // A link to a folder above would lead round in a circle.
    const real = await realpath(folder);
    if (visited.has(real)) return;
    visited.add(real);
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".")) continue;
      const path = join(folder, entry.name);
      try {
        if (entry.isSymbolicLink() && !(await staysWithin(realRoot, path)))
          throw new InputError(
            `${path} is a link that leads nowhere or out of ${root}, and files of that folder alone are read; copy the file into it.`,
          );
        const status = await stat(path);
        if (status.isDirectory()) await visit(path);
        else if (status.isFile()) files.push(onDisk(path));
      } catch (error) {
        leaveOut(path, error);
      }
    }
  };
  await visit(root).catch((error: unknown) => {
    throw fileError(error, root, "read");
  });
  return { files, others };
}

/** What of a folder is no scan to work on: series one by one, files that are no images together. */
export function leftOutOf(path: string, { series, others }: FoundImages): string[] {
  const ofSeries = series.flatMap((candidate) => {
    if (isCtScan(candidate)) return [];
    const why = candidate.problems.find(({ isRefused }) => isRefused)?.message ?? "it is no CT of the body.";
    return [
      `${candidate.modality || "Image"} series ${candidate.number ?? "without number"} "${candidate.description}" is left out: ${why}`,
    ];
  });
  const [first] = others;
  if (first === undefined) return ofSeries;
  const files = `${path}: ${others.length === 1 ? "1 file is" : `${others.length} files are`} left out`;
  return [...ofSeries, `${files}, such as ${basename(first.name)}: ${first.reason}`];
}

async function staysWithin(realRoot: string, link: string): Promise<boolean> {
  const target = await realpath(link).catch(() => null);
  if (target === null) return false;
  const way = relative(realRoot, target);
  return way !== ".." && !way.startsWith(`..${sep}`);
}
