// What is at a path: images, segmentations, reports and points, with every problem.

import { InputError } from "@lnsnet/core/errors";
import {
  type FoundImages,
  type NamedFile,
  type ObjectSummary,
  objectSummary,
  problemsOfReading,
  readMarkups,
  type VolumeFile,
} from "@lnsnet/core/formats";
import type { Geometry } from "@lnsnet/core/volume";
import { isFile, readBytes } from "./disk.js";
import { findImages } from "./imaging.js";

export interface InspectedSeries {
  readonly series: FoundImages["series"][number];
  readonly problems: Awaited<ReturnType<typeof problemsOfReading>>;
}

export interface InspectedVolume {
  readonly name: string;
  /** Array type of the voxels; null where the file cannot be read. */
  readonly type: string | null;
  readonly grid: Geometry | null;
  readonly problems: readonly string[];
}

/** A DICOM SEG, RTSTRUCT or SR. */
export interface InspectedObject extends ObjectSummary {
  readonly name: string;
}

/** A file of 3D Slicer's points. */
export interface InspectedMarkups {
  readonly name: string;
  /** How many are placed; null where the file cannot be read. */
  readonly points: number | null;
  readonly problems: readonly string[];
}

export interface Inspection {
  readonly series: readonly InspectedSeries[];
  readonly volumes: readonly InspectedVolume[];
  readonly objects: readonly InspectedObject[];
  readonly markups: readonly InspectedMarkups[];
  /** Files that are nothing of this, with the reason. */
  readonly others: FoundImages["others"];
}

/**
 * Lists the images, segmentations, reports and points of a file, a folder or a zip archive.
 *
 * @throws InputError where the path is missing, or nothing there can be read
 */
export async function inspectPath(path: string): Promise<Inspection> {
  const found = await findImages(path);
  const volumes: InspectedVolume[] = [];
  for (const file of found.volumes) volumes.push(await describeVolume(file));
  const markups = await Promise.all(found.markups.map(describeMarkups));
  const { objects, others } = await describeObjects(
    found.others.filter((entry) => !found.markups.some(({ name }) => name === entry.name)),
  );
  const [firstOther] = others;
  if (found.series.length + volumes.length + objects.length + markups.length === 0)
    throw new InputError(
      `${path} holds no image${firstOther === undefined ? "" : ` (${firstOther.reason.replace(/\.$/, "")})`}, and a volume file or DICOM series is expected; choose another path.`,
    );
  // Where nothing can be read, the reason is the answer.
  const unreadable = volumes.find(({ type }) => type === null);
  if (
    found.series.length + objects.length + markups.length === 0 &&
    unreadable !== undefined &&
    volumes.every(({ type }) => type === null)
  )
    throw new InputError(unreadable.problems[0]);
  const series = await Promise.all(
    found.series.map(async (listed) => ({ series: listed, problems: await problemsOfReading(listed) })),
  );
  return { series, volumes, objects, markups, others };
}

async function describeMarkups({ name, read }: NamedFile): Promise<InspectedMarkups> {
  try {
    const points = readMarkups(new TextDecoder().decode(await read()), name).length;
    return { name, points, problems: [] };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { name, points: null, problems: [error.message] };
  }
}

/** The SEG, RTSTRUCT and SR files among those that are no images; one that cannot be read keeps its reason. */
async function describeObjects(
  files: FoundImages["others"],
): Promise<{ objects: InspectedObject[]; others: { name: string; reason: string }[] }> {
  const objects: InspectedObject[] = [];
  const others: { name: string; reason: string }[] = [];
  for (const { name, reason } of files) {
    try {
      // Files of an archive are not on the disk.
      const summary = (await isFile(name)) ? await objectSummary(await readBytes(name), name) : null;
      if (summary === null) others.push({ name, reason });
      else objects.push({ name, ...summary });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      others.push({ name, reason: reason.includes("not an image") ? error.message : reason });
    }
  }
  return { objects, others };
}

/** A volume file; one that cannot be read is listed with the reason, as a series is. */
async function describeVolume({ name, read }: VolumeFile): Promise<InspectedVolume> {
  try {
    const { volume, problems } = await read();
    const type = volume.data.constructor.name.replace("Array", "").toLowerCase();
    const { size, spacingMm, originMm, direction } = volume;
    const grid = { size, spacingMm, originMm, direction };
    return { name, type, grid, problems };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { name, type: null, problems: [error.message], grid: null };
  }
}
