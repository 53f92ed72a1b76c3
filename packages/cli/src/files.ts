// Files and folders: reading, and writing that leaves nothing half-written. Failures that the user can mend become sentences.
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputError } from "@lnsnet/core";
import type { z } from "zod";

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
 * file that stood there is replaced only by a complete one.
 *
 * @throws InputError where the disk is full, the folder is missing, or writing is not allowed
 */
export async function writeAtomically(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${process.pid}.partial`;
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fileError(error, path, "write");
  }
}

/** Removes what killed processes left of {@link writeAtomically}, in a folder and all below. No other process may be writing there. */
export async function removeUnfinished(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true });
  for (const name of entries.filter((one) => /\.\d+\.partial$/.test(one))) await rm(join(folder, name));
}

/**
 * Writes JSON that a person can read, whole or not at all.
 *
 * @throws InputError as {@link writeAtomically}
 */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeAtomically(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Makes the folder where it does not exist, and checks that files can be written to it, before work that ends there.
 *
 * @throws InputError where it cannot be made or written to
 */
export async function ensureWritableFolder(path: string): Promise<void> {
  try {
    // First what stands there already: mkdir of Node calls a read-only disk a missing folder.
    await access(await nearestExisting(path), constants.W_OK);
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw fileError(error, path, "write");
  }
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
      `${path} is not JSON (${error instanceof Error ? error.message : error}); mend or replace it.`,
    );
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = issue.path.length === 0 ? "its top level" : `"${issue.path.join(".")}"`;
  throw new InputError(
    `${path} has another form than expected: ${place}: ${issue.message}; mend that entry.`,
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

/** The error as a sentence where the user can mend it, else the error as it is. */
export function fileError(error: unknown, path: string, purpose: "read" | "write"): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ENOENT":
      return new InputError(
        purpose === "read"
          ? `${path} does not exist; check its name.`
          : `${path} cannot be written, since its folder ${dirname(path)} does not exist; make the folder or name another.`,
      );
    case "ENOTDIR":
    case "EEXIST":
      return new InputError(`${path} needs a folder where there is a file; name another path.`);
    case "EISDIR":
      return new InputError(
        `${path} is a folder, and a file is expected; name a file, such as ${join(path, "NAME")}.`,
      );
    case "EACCES":
    case "EPERM":
      return new InputError(
        `${path} may not be ${purpose === "read" ? "read" : "written"} by you; change its permissions or name another path.`,
      );
    case "EROFS":
      return new InputError(
        `${path} cannot be written, since its disk is read-only; name a path on another disk.`,
      );
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new InputError(
        `${path} cannot be written, since the disk or quota is full; free space or name a path on another disk.`,
      );
    case "ERR_FS_FILE_TOO_LARGE":
      return new InputError(`${path} is larger than 2 GiB, which cannot be read at once; crop it first.`);
    case "ENAMETOOLONG":
      return new InputError(`${path} is too long for a file name; name a shorter one.`);
    default:
      return error;
  }
}

/** Whether a path is a file; false where there is none. */
export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isFile(),
    () => false,
  );
}
