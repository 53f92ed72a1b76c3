// The table of volume formats: recognises a file's format by its name and content, and reads and writes it.
import { InputError } from "../errors.js";
import type { Vector3, Volume } from "../volume/volume.js";
import { isGzip } from "./gzip.js";
import { metaImageCompanion, metaImageSize, readMetaImage, writeMetaImage } from "./meta-image.js";
import { isNifti, niftiSize, readNifti, writeNifti } from "./nifti.js";
import { nrrdCompanion, nrrdSize, readNrrd, writeNrrd } from "./nrrd.js";
import type { ReportProblem } from "./place.js";

/** A format of files that hold one volume. */
export interface VolumeFormat {
  readonly name: "NIfTI" | "NRRD" | "MetaImage";
  /** Endings of file names that are read, in lower case. */
  readonly endings: readonly string[];
  /** The subset of these endings that is also written. */
  readonly writtenEndings: readonly string[];
  /** Endings that the format's reader refuses with its own message, such as the header of a NIfTI pair. */
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

/** The format that belongs to a file's ending; null if the ending is unknown. */
export function volumeFormatOf(fileName: string): VolumeFormat | null {
  const lower = fileName.toLowerCase();
  return (
    volumeFormats.find(({ endings, refusedEndings = [] }) =>
      [...endings, ...refusedEndings].some((ending) => lower.endsWith(ending)),
    ) ?? null
  );
}

/**
 * The volume in a file of any of the formats. If the ending is unknown, the content decides.
 *
 * @param name The file, for its ending and for messages.
 * @param companion The bytes of the file that {@link volumeCompanion} names.
 * @param report Called with a sentence about everything unusual in a file that can still be read.
 * @throws InputError where the content does not match the ending or is of no known format, and where the format's own
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
 * The voxels (i, j, k) that the header of a volume file states: how large it is, before its voxels are unpacked.
 *
 * @throws InputError as {@link readVolume} does for a header that cannot be read
 */
export function volumeSize(bytes: Uint8Array, name: string): Vector3 {
  switch (checkedFormat(bytes, name)) {
    case "NIfTI":
      return niftiSize(bytes, name);
    case "NRRD":
      return nrrdSize(bytes, name);
    case "MetaImage":
      return metaImageSize(bytes, name);
  }
}

/**
 * The name of the data file of a detached header (.nhdr, .mhd); null where the file itself holds the voxels.
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
 * The bytes of a volume file; the ending of the name chooses the format. Voxels and geometry are exact (NIfTI rounds
 * the geometry to float32).
 *
 * @throws InputError where no format is written with that ending
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
        `${fileName} has an ending that no volume format uses, and ${listed(volumeFormats.flatMap((f) => f.writtenEndings))} was expected; choose one of these.`,
      );
  }
}

/** The format by the ending, unless the content contradicts it; by the content if the ending is unknown. */
function checkedFormat(bytes: Uint8Array, name: string): VolumeFormat["name"] {
  const byContent = contentOf(bytes);
  if (byContent === "DICOM") {
    throw new InputError(
      `${name} is a DICOM file, and a volume file was expected; choose the folder of its series instead.`,
    );
  }
  const format = volumeFormatOf(name)?.name ?? byContent;
  if (format === null) {
    throw new InputError(
      `${name} is not a volume file, and a file that ends in ${listed(volumeFormats.flatMap((f) => f.endings))} was expected; check the path, or convert the scan.`,
    );
  }
  if (byContent !== null && byContent !== format) {
    throw new InputError(
      `${name} holds a ${byContent} file, and ${format} was expected by its ending; rename it to end in ${endingsOf(byContent)}.`,
    );
  }
  return format;
}

/** The format that a file's first bytes show; null where they show none. */
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
