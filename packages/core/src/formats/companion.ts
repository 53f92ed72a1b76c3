// The file beside a header that holds its voxels (.nhdr, .mhd).
import { InputError } from "../errors.js";

/**
 * The file that a header names for its voxels; null where they follow the header ("LOCAL").
 *
 * @param stated what the header says, such as `scan.raw`, `./scan.raw` or `LOCAL`
 * @param singleFile the ending of the files that hold header and voxels in one
 * @param name the header's file, for messages
 * @throws InputError where nothing, a list of files or a file in another folder is named
 */
export function companionNamed(stated: string, singleFile: ".nrrd" | ".mha", name: string): string | null {
  const value = stated.replace(/^\.\//, "");
  if (value.toUpperCase() === "LOCAL") return null;
  if (value !== "" && !/^LIST\b|%\d*d|[/\\]|^\.\.?$|\p{Cc}/iu.test(value)) return value;
  throw new InputError(
    `${name} names "${stated}" for its voxels, and one file in the same folder was expected; convert it to a single ${singleFile} file.`,
  );
}

/** A path without its last part, up to and with the slash; "" for a name alone. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** @throws InputError where the file that the header names was not given */
export function requireCompanion(
  companion: Uint8Array | undefined,
  companionName: string,
  name: string,
): Uint8Array {
  if (companion !== undefined) return companion;
  throw new InputError(
    `${name} keeps its voxels in ${companionName}, which was not given; put both in one folder.`,
  );
}
