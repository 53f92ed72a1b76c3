// The volume formats in one table: which one a file has, by its name and its content, and how it is read and written.
import { InputError } from "../errors.js";
import type { Volume } from "../volume/volume.js";
import { isGzip } from "./gzip.js";
import { metaImageCompanion, readMetaImage, writeMetaImage } from "./meta-image.js";
import { isNifti, readNifti, writeNifti } from "./nifti.js";
import { nrrdCompanion, readNrrd, writeNrrd } from "./nrrd.js";
import type { ReportProblem } from "./place.js";

/** A format of files that hold one volume. */
export interface VolumeFormat {
  readonly name: "NIfTI" | "NRRD" | "MetaImage";
  /** Endings of file names that are read, in lower case. */
  readonly endings: readonly string[];
  /** Those of them that are also written. */
  readonly writtenEndings: readonly string[];
  /** Endings that the format's reader knows and refuses in its own words, such as the header of a pair of files. */
  readonly refusedEndings?: readonly string[];
}

/** Every format that {@link readVolume} reads. */
export const volumeFormats: readonly VolumeFormat[] = [
  {
    name: "NIfTI",
    endings: [".nii.gz", ".nii"],
    writtenEndings: [".nii.gz", ".nii"],
    refusedEndings: [".hdr", ".hdr.gz"],
  },
  { name: "NRRD", endings: [".nrrd", ".nhdr"], writtenEndings: [".nrrd"] },
  { name: "MetaImage", endings: [".mha", ".mhd"], writtenEndings: [".mha"] },
];

/** The format that a file's ending names; null where it names none of them. */
export function volumeFormatOf(fileName: string): VolumeFormat | null {
  const lower = fileName.toLowerCase();
  return (
    volumeFormats.find(({ endings, refusedEndings = [] }) =>
      [...endings, ...refusedEndings].some((ending) => lower.endsWith(ending)),
    ) ?? null
  );
}

/**
 * The volume in a file of any of the formats. A file whose ending names none of them is read by its content.
 *
 * @param name The file, for its ending and for messages.
 * @param companion The bytes of the file that {@link volumeCompanion} names.
 * @param report Told of everything odd that does not keep the file from being read, a sentence each.
 * @throws InputError where the content is of another format than the ending says or of none, and where the format's own
 * reader refuses it ({@link readNifti}, `readNrrd`, `readMetaImage`)
 */
export function readVolume(
  bytes: Uint8Array,
  name: string,
  companion?: Uint8Array,
  report?: ReportProblem,
): Volume {
  switch (checkedFormat(bytes, name)) {
    case "NIfTI":
      return readNifti(bytes, name, report);
    case "NRRD":
      return readNrrd(bytes, name, companion, report);
    case "MetaImage":
      return readMetaImage(bytes, name, companion, report);
  }
}

/**
 * The name of the file beside this one that holds its voxels (.nhdr, .mhd); null where one file holds everything.
 *
 * @throws InputError as {@link readVolume} does for a header that cannot be read
 */
export function volumeCompanion(bytes: Uint8Array, name: string): string | null {
  switch (checkedFormat(bytes, name)) {
    case "NIfTI":
      return null;
    case "NRRD":
      return nrrdCompanion(bytes, name);
    case "MetaImage":
      return metaImageCompanion(bytes, name);
  }
}

/**
 * The bytes of a file of the format that its name ends in, voxels and geometry as they are (NIfTI rounds the geometry to
 * float32).
 *
 * @throws InputError where no format is written under that ending
 */
export function writeVolume(
  volume: Volume,
  fileName: string,
  options: { description?: string } = {},
): Uint8Array {
  const lower = fileName.toLowerCase();
  const format = volumeFormats.find(({ writtenEndings }) =>
    writtenEndings.some((ending) => lower.endsWith(ending)),
  );
  switch (format?.name) {
    case "NIfTI":
      return writeNifti(volume, { ...options, compress: lower.endsWith(".gz") });
    case "NRRD":
      return writeNrrd(volume);
    case "MetaImage":
      return writeMetaImage(volume);
    case undefined:
      throw new InputError(
        `${fileName} has an ending that no volume is written under, and ${listed(volumeFormats.flatMap((f) => f.writtenEndings))} was expected; name the file so.`,
      );
  }
}

/** The format by the ending, where the content does not contradict it; by the content where the ending says nothing. */
function checkedFormat(bytes: Uint8Array, name: string): VolumeFormat["name"] {
  const byContent = contentOf(bytes);
  if (byContent === "DICOM") {
    throw new InputError(
      `${name} is a DICOM file, and a volume file was expected; name the folder of its series instead.`,
    );
  }
  const format = volumeFormatOf(name)?.name ?? byContent;
  if (format === null) {
    throw new InputError(
      `${name} is no volume file, and one that ends in ${listed(volumeFormats.flatMap((f) => f.endings))} was expected; check the path, or convert the scan.`,
    );
  }
  if (byContent !== null && byContent !== format) {
    throw new InputError(
      `${name} holds a ${byContent} file, and ${format} was expected by its ending; rename it to end in ${endingsOf(byContent)}.`,
    );
  }
  return format;
}

/** What a file's first bytes say it is; null where they say nothing. */
function contentOf(bytes: Uint8Array): VolumeFormat["name"] | "DICOM" | null {
  const text = String.fromCharCode(...bytes.subarray(0, 256));
  if (text.startsWith("NRRD000")) return "NRRD";
  if (text.slice(128, 132) === "DICM") return "DICOM";
  if (/^\s*(ObjectType|NDims|Comment)\s*=/i.test(text)) return "MetaImage";
  return isGzip(bytes) || isNifti(bytes) ? "NIfTI" : null;
}

function endingsOf(name: VolumeFormat["name"]): string {
  return listed(volumeFormats.filter((format) => format.name === name).flatMap((format) => format.endings));
}

/** ".a, .b or .c" */
function listed(endings: readonly string[]): string {
  return `${endings.slice(0, -1).join(", ")} or ${endings.at(-1)}`;
}
