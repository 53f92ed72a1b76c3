// The separate file that holds the voxels of a detached header (.nhdr, .mhd).
import { InputError } from "../errors.js";

/**
 * The name of the data file that a header states; null where the voxels follow the header ("LOCAL").
 *
 * @param stated what the header says, such as `scan.raw`, `./scan.raw` or `LOCAL`
 * @param singleFile the ending of files that hold both header and voxels
 * @param name the header's file, for messages
 * @throws InputError where nothing, a list of files or a file in another folder is named
 */
export function companionNamed(stated: string, singleFile: ".nrrd" | ".mha", name: string): string | null {
  const value = stated.replace(/^\.\//, "");
  if (value.toUpperCase() === "LOCAL") return null;
  if (value !== "" && !/^LIST\b|%\d*d|[/\\]|^\.\.?$|\p{Cc}/iu.test(value)) return value;
  throw new InputError(
    `${name} names "${stated}" as its data file, and one file in the same folder was expected; convert it to a single ${singleFile} file.`,
  );
}

/** The folder part of a path, with its final slash; "" for a bare file name. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** @throws InputError where the data file that the header names was not given */
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
