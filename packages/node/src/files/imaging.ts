// Finds and reads the images at a path: files, folders and zip archives of any format.
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, join, relative, sep } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import {
  chooseSeries,
  type FileLookup,
  type FoundImages,
  filesOfZip,
  imagesAmong,
  isCtScan,
  lookupAmong,
  type NamedFile,
  type ReadImage,
  readChosen,
  readVolumeFile,
  type VolumeFile,
  volumeFormatOf,
} from "@lnsnet/core/formats";
import type { Volume } from "@lnsnet/core/volume";
import { requireLabels } from "@lnsnet/core/voxels";
import { fileError, isFolder, readBytes, requirePath } from "./disk.js";

/**
 * Everything that is an image at a path: a file, a folder with all below it, or a zip archive. Links are followed only
 * where they stay within the folder. Headers of DICOM files are read, voxels are not.
 *
 * @throws InputError where nothing is there, it cannot be read, or an archive is a bomb or leads out of itself
 */
export async function findImages(path: string): Promise<FoundImages> {
  const { files, others, beside } = await filesAt(path);
  return imagesAmong(files, others, beside);
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

/** A volume of drawn labels. @throws InputError as {@link readScan} and `requireLabels` */
export const readLabelVolume = async (path: string) => requireLabels(await readScan(path), path);

const onDisk = (path: string): NamedFile => ({ name: path, read: () => readBytes(path) });

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

async function filesAt(path: string): Promise<Files & { readonly beside: FileLookup }> {
  await requirePath(path);
  if (await isFolder(path)) {
    const found = await filesBelow(path);
    return { ...found, beside: lookupAmong(found.files) };
  }
  if (volumeFormatOf(path) !== null || !/\.zip$/i.test(path))
    return { files: [onDisk(path)], others: [], beside: onDisk };
  const entries = filesOfZip(await readBytes(path), path);
  return { files: entries, others: [], beside: lookupAmong(entries) };
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
