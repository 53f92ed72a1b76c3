// Reads and writes files and folders; nothing is left half-written, and errors that the user can fix become one sentence.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import {
  access,
  appendFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import type { z } from "zod";
import { isOwnMark, makerOf, markedName } from "./process-mark.js";

/** @throws InputError where the file does not exist or cannot be read */
export async function readBytes(path: string): Promise<Uint8Array> {
  const { buffer, byteOffset, length } = await readFile(path).catch((error: unknown) => {
    throw fileError(error, path, "read");
  });
  // Buffer's slice() gives a view where that of Uint8Array gives a copy.
  return new Uint8Array(buffer, byteOffset, length);
}

/** @throws InputError where the file does not exist or cannot be read */
export async function hashOfFile(path: string): Promise<string> {
  return createHash("sha256")
    .update(await readBytes(path))
    .digest("hex");
}

/**
 * Writes a file whole or not at all: under a temporary name in the same folder, flushed to the disk, then renamed. A
 * file that stood there is replaced only by a complete one, which keeps its permissions. Through a link the file that
 * it points to is written; a device or pipe, such as /dev/stdout, is written to as it is.
 *
 * @throws InputError where the disk is full, the folder is missing, the path is a folder, or writing is not allowed
 */
export async function writeAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  try {
    if (await isStream(path)) return await appendFile(path, bytes);
    await replaceFile(await behindLinks(path), bytes);
  } catch (error) {
    throw fileError(error, path, "write");
  }
}

async function replaceFile(path: string, bytes: Uint8Array | string): Promise<void> {
  const before = await stat(path).catch(() => null);
  if (before?.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: "EISDIR" });
  const temporary = join(dirname(path), markedName("partial"));
  try {
    const file = await open(temporary, "wx");
    try {
      await file.writeFile(bytes);
      // Not every disk keeps permissions.
      if (before !== null) await file.chmod(before.mode).catch(() => undefined);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Whether a path is a device, a pipe or a socket; so is a file that stands open as one, such as /dev/stdout. */
async function isStream(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (found === null || found.isDirectory()) return false;
  return !found.isFile() || /^\/(dev|proc)\//.test(resolve(path));
}

/** The path that a link leads to, whether anything is there or not; the path itself where it is no link. */
async function behindLinks(path: string): Promise<string> {
  let at = path;
  // As many as Linux follows.
  for (let followed = 0; followed < 40; followed++) {
    const found = await lstat(at).catch(() => null);
    if (!found?.isSymbolicLink()) return at;
    at = resolve(await realpath(dirname(at)), await readlink(at));
  }
  throw Object.assign(new Error(`${path} leads in a circle`), { code: "ELOOP" });
}

/** Of a process on another machine nothing is known, but no file is this long in the writing. */
const UNFINISHED_AFTER_MS = 24 * 3600 * 1000;

/**
 * Removes what killed processes left of {@link writeAtomically} at the top of a folder. A file of a process that may
 * still run stays, and so does every file of another name.
 *
 * @param isOurs whether nobody else in this process writes to the folder, as while it is held: then what its stopped threads
 *   left goes too
 */
export async function removeUnfinished(folder: string, { isOurs = false } = {}): Promise<void> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  for (const name of names) {
    const path = join(folder, name);
    const maker = makerOf(name, "partial");
    const isStopped = isOurs && maker === "alive" && isOwnMark(name);
    if (isStopped || maker === "gone" || (maker === "unknown" && (await isOld(path))))
      await rm(path, { recursive: true, force: true });
  }
}

async function isOld(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => null);
  return found !== null && Date.now() - found.mtimeMs > UNFINISHED_AFTER_MS;
}

/**
 * Writes JSON that a person can read, whole or not at all.
 *
 * @throws InputError as {@link writeAtomically}
 */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** The folders of a data set in nnU-Net's layout, in which every file is taken for a case. */
export const datasetFolders: readonly string[] = ["Tr", "Ts"].flatMap((subset) =>
  ["images", "labels", "instances"].map((kind) => `${kind}${subset}`),
);

/**
 * Makes the folder where it does not exist, and checks that files can be written to it, before work that ends there.
 *
 * @returns the uppermost folder that was made, for {@link removeEmptyFolders}; null where the folder stood there
 * @throws InputError where it cannot be made or written to, or lies within the images or labels of a data set
 */
export async function ensureWritableFolder(path: string): Promise<string | null> {
  await refuseDatasetFolders(path);
  try {
    // First what stands there already: mkdir of Node calls a read-only disk a missing folder.
    await access(await nearestExisting(path), constants.W_OK);
    const made = await mkdir(path, { recursive: true });
    await access(path, constants.W_OK | constants.X_OK);
    return made ?? null;
  } catch (error) {
    throw fileError(error, path, "write");
  }
}

/** Removes folders that {@link ensureWritableFolder} made, as far as nothing was written to them. */
export async function removeEmptyFolders(path: string, uppermost: string): Promise<void> {
  const end = dirname(resolve(uppermost));
  try {
    for (let at = resolve(path); at !== end; at = dirname(at)) await rmdir(at);
  } catch {
    // Something stands there, or it is gone already.
  }
}

/** @throws InputError where results would lie among a data set's cases */
async function refuseDatasetFolders(path: string): Promise<void> {
  const existing = await nearestExisting(path);
  // Whatever links lead there.
  const place = join(await realpath(existing), relative(existing, resolve(path)));
  for (let at = place; dirname(at) !== at; at = dirname(at))
    if (datasetFolders.includes(basename(at)) && (await isFile(join(dirname(at), "dataset.json"))))
      throw new InputError(
        `${path} lies within ${basename(at)} of the data set ${dirname(at)}, where results would be taken for cases; choose a folder outside the data set.`,
      );
}

/**
 * A JSON file of known form.
 *
 * @throws InputError where the file is missing, is not JSON, or has another form
 */
export async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const text = new TextDecoder().decode(await readBytes(path));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `${path} is not JSON (${error instanceof Error ? error.message : error}); correct or replace it.`,
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue.path.length === 0 ? "its top level" : `"${issue.path.join(".")}"`;
  throw new InputError(
    `${path} has another form than expected: ${place}: ${issue.message}; correct that entry.`,
  );
}

/** Whether a path is a folder; false where nothing is there. */
export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (entry) => entry.isDirectory(),
    () => false,
  );
}

/** @throws InputError where nothing is at the path */
export async function requirePath(path: string): Promise<void> {
  await stat(path).catch((error: unknown) => {
    throw fileError(error, path, "read");
  });
}

/** The path itself, or the nearest folder above it that exists. */
async function nearestExisting(path: string): Promise<string> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const exists = await stat(at).then(
      () => true,
      () => false,
    );
    if (exists || dirname(at) === at) return at;
  }
}

/** The error as a sentence if the user can fix it, else the error itself. */
export function fileError(error: unknown, path: string, purpose: "read" | "write"): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return new InputError(
        purpose === "read"
          ? `${path} does not exist; check its name.`
          : `${path} cannot be written, since its folder ${dirname(path)} does not exist; make the folder or choose another.`,
      );
    case "ENOTDIR":
    case "EEXIST":
      return new InputError(`${path} needs a folder where there is a file; choose another path.`);
    case "EISDIR":
      return new InputError(
        `${path} is a folder, and a file is expected; choose a file, such as ${join(path, "NAME")}.`,
      );
    case "EACCES":
    case "EPERM":
      return new InputError(
        `${path} may not be ${purpose === "read" ? "read" : "written"} by you; change its permissions or choose another path.`,
      );
    case "EROFS":
      return new InputError(
        `${path} cannot be written, since its disk is read-only; choose a path on another disk.`,
      );
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new InputError(
        `${path} cannot be written, since the disk or quota is full; free space or choose a path on another disk.`,
        { cause: error },
      );
    case "ERR_FS_FILE_TOO_LARGE":
      return new InputError(`${path} is larger than 2 GiB, which cannot be read at once; crop it first.`);
    case "ELOOP":
      return new InputError(
        `${path} is a link that leads back to itself; correct the link, or choose the file itself.`,
      );
    case "ENXIO":
      return new InputError(
        `${path} is a socket or pipe without a listener; choose a file, or start the listener.`,
      );
    case "ENAMETOOLONG":
      return new InputError(`${path} is too long for a file name; choose a shorter name.`);
    default:
      return error;
  }
}

/** Whether an error, or what caused it, is a disk or quota that is full. */
export function isFullDisk(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const isItself = "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
  return isItself || isFullDisk(error.cause);
}

/** Whether a path is a file; false where there is none. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}
