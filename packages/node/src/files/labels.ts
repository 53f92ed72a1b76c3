// Reads drawn labels from files, on the grid of their scan.
import { nrrdSegments, volumeFormatOf } from "@lnsnet/core/formats";
import {
  type DrawnLabels,
  type LabelChoice,
  labelsOfObject,
  labelsOfVolume,
  segmentationKind,
} from "@lnsnet/core/results";
import { isFile, readBytes, requirePath } from "./disk.js";
import { readImage } from "./imaging.js";

/** Whether a path is a file with a SEG or an RTSTRUCT. */
export async function isSegmentationObject(path: string): Promise<boolean> {
  await requirePath(path);
  if (!(await isFile(path)) || volumeFormatOf(path) !== null) return false;
  return segmentationKind(await readBytes(path), path) !== null;
}

/**
 * The labels at a path: a SEG, an RTSTRUCT, a volume file or a series.
 *
 * @throws InputError as {@link labelsOfObject} and {@link labelsOfVolume}
 */
export async function readLabels(path: string, choice: LabelChoice): Promise<DrawnLabels> {
  if (await isSegmentationObject(path)) return labelsOfObject(await readBytes(path), path, choice);
  const { volume, problems } = await readImage(path);
  const names = /\.nrrd$/i.test(path) ? nrrdSegments(await readBytes(path), path) : [];
  const labels = labelsOfVolume(volume, names, path, choice);
  return { ...labels, problems: [...problems, ...labels.problems] };
}
