// Zip archives: lists what they hold, refuses bombs and names that lead elsewhere, and inflates one file at a time.
import { type UnzipFileInfo, unzipSync } from "fflate";
import { InputError } from "../errors.js";
import { contentLimits, greatestContent } from "./gzip.js";

/** A file in an archive. */
export interface ZipEntry {
  /** Path in the archive, with slashes. */
  readonly name: string;
  /** Its content, inflated anew each time. @throws InputError where it is damaged, encrypted or of an unknown method */
  readonly read: () => Uint8Array;
}

/** What an archive may hold. */
export const zipLimits = { ...contentLimits, entries: 100_000 } as const;

/** Whether these bytes begin as a zip archive does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/**
 * The files of an archive, without folders, hidden files and what macOS adds. Nothing is inflated yet. Names are only
 * names: nobody may write a file by them.
 *
 * @param name The archive, for messages.
 * @throws InputError where it is damaged, larger than {@link zipLimits}, holds a name twice, or one that leads out of
 *   the folder that the archive stands for (a leading slash, a drive, or "..")
 */
export function listZip(bytes: Uint8Array, name: string): ZipEntry[] {
  const files = directoryOf(bytes, name);
  refuseBomb(files, bytes.length, name);
  const seen = new Set<string>();
  for (const file of files) {
    if (leadsOut(file.name)) {
      throw new InputError(
        `${name} holds "${file.name}", a name that leads out of the archive, and plain relative names were expected; do not trust this archive.`,
      );
    }
    if (seen.has(file.name)) {
      throw new InputError(
        `${name} holds "${file.name}" twice, and each name once was expected; make the archive again.`,
      );
    }
    seen.add(file.name);
  }
  return files
    .filter(({ name: entry }) => !entry.endsWith("/") && !isHidden(entry))
    .map(({ name: entry }) => ({ name: entry, read: () => inflate(bytes, entry, name) }));
}

function directoryOf(bytes: Uint8Array, name: string): UnzipFileInfo[] {
  const files: UnzipFileInfo[] = [];
  try {
    unzipSync(bytes, {
      filter: (file) => {
        if (files.push(file) > zipLimits.entries) throw new RangeError("too many entries");
        return false;
      },
    });
  } catch (cause) {
    if (cause instanceof RangeError && files.length > zipLimits.entries) {
      throw new InputError(
        `${name} holds more than ${zipLimits.entries} files; unpack it and name the folder of one study.`,
      );
    }
    throw new InputError(
      `${name} is a zip archive that is cut short or damaged, and a complete one was expected; copy or download it again.`,
      { cause },
    );
  }
  return files;
}

function refuseBomb(files: readonly UnzipFileInfo[], archiveBytes: number, name: string): void {
  const total = files.reduce((sum, { originalSize }) => sum + originalSize, 0);
  if (total <= greatestContent(archiveBytes)) return;
  throw new InputError(
    `${name} would unpack to ${(total / 2 ** 30).toFixed(1)} GiB, ${(total / archiveBytes).toFixed(0)} times its size, and at most ${zipLimits.totalBytes / 2 ** 30} GiB and ${zipLimits.ratio} times were expected; unpack it yourself if you trust it, and name the folder.`,
  );
}

function leadsOut(entry: string): boolean {
  const parts = entry.split(/[/\\]/);
  return parts.includes("..") || parts[0] === "" || /^[a-z]:/i.test(entry) || entry.includes("\0");
}

function isHidden(entry: string): boolean {
  return entry.split("/").some((part) => part.startsWith(".") || part === "__MACOSX");
}

function inflate(bytes: Uint8Array, entry: string, name: string): Uint8Array {
  let files: Record<string, Uint8Array>;
  try {
    // The result has the size that the directory states, whatever the stream says: no more memory than was checked.
    files = unzipSync(bytes, { filter: (file) => file.name === entry });
  } catch (cause) {
    throw new InputError(
      `${name} holds "${entry}", which is damaged, encrypted or packed by an unknown method; unpack the archive yourself and name the folder.`,
      { cause },
    );
  }
  return files[entry];
}
