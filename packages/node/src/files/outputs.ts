// Checks output paths: never overwrites an input, or a file that lnsnet did not write.
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { foldedName } from "@lnsnet/core/text";
import { fileError } from "./disk.js";

/**
 * Checks, before any work, that a file named by the user may be written. Where something stands, that is refused unless
 * `force` is set; an input is refused with it too. Devices and pipes, such as /dev/stdout, may always be written to.
 *
 * @param inputs files and folders that the command reads; a file inside such a folder is an input
 * @throws InputError where the path is taken, or is a folder
 */
export async function requireFreeFile(
  path: string,
  { inputs = [], force = false }: { readonly inputs?: readonly string[]; readonly force?: boolean } = {},
): Promise<void> {
  const found = await stat(path).catch((error: unknown) => notThere(error, path));
  if (found === null) {
    // A link that leads nowhere is written through, which makes a file where it points; with --force alone.
    if (force || (await isAbsent(path))) return;
    throw new InputError(
      `${path} is a link that leads nowhere; choose another file, or give the option force.`,
    );
  }
  if (found.isDirectory()) throw fileError(Object.assign(new Error(), { code: "EISDIR" }), path, "write");
  if (!found.isFile()) return;
  for (const input of inputs) {
    if (await isPartOf(path, found, input))
      throw new InputError(
        `${path} is an input of this command${resolve(path) === resolve(input) ? "" : ` (${input})`}, and would be overwritten; choose another file.`,
      );
  }
  if (!force)
    throw new InputError(
      `${path} exists already; choose another file, or give the option force to replace it.`,
    );
}

/**
 * Checks, before any work, that the files of one command may be written: each as {@link requireFreeFile} does, in a folder
 * that exists, and no two by one name.
 *
 * @throws InputError where they may not
 */
export async function requireFreeFiles(
  paths: readonly string[],
  options: { readonly inputs?: readonly string[]; readonly force?: boolean } = {},
): Promise<void> {
  const known = new Set<string>();
  for (const path of paths) {
    const name = foldedName(resolve(path));
    if (known.has(name))
      throw new InputError(`Two results would be written to ${path}; choose a file of its own for each.`);
    known.add(name);
    await requireFreeFile(path, options);
    if (await isAbsent(dirname(path)))
      throw fileError(Object.assign(new Error(), { code: "ENOENT" }), path, "write");
  }
}

/**
 * Checks, before any work, that names in an output folder are free or ours: files, folders and links all count. A name
 * that differs from one in the folder in capitals or in Unicode's forms alone is taken: some disks know only one of them.
 *
 * @param isOurs whether a name that stands there was written by us, as a record of ours says
 * @throws InputError that tells the names which are taken
 */
export async function requireFreeNames(
  folder: string,
  names: readonly string[],
  isOurs: (name: string) => boolean | Promise<boolean> = () => false,
): Promise<void> {
  const taken: string[] = [];
  const entriesOf = entriesByFoldedName();
  for (const name of names) {
    if (!(await isAbsent(join(folder, name)))) {
      if (!(await isOurs(name))) taken.push(name);
      continue;
    }
    const alike = (await entriesOf(dirname(join(folder, name)))).get(foldedName(basename(name)));
    if (alike !== undefined) taken.push(`${alike} (which is ${name} on some disks)`);
  }
  if (taken.length === 0) return;
  const more = taken.length > 3 ? ` and ${taken.length - 3} more` : "";
  throw new InputError(
    `${folder} holds ${taken.slice(0, 3).join(", ")}${more}, which this command would overwrite but did not write; move them away, or choose another folder.`,
  );
}

/** The entries of folders, each read once; none where there is no such folder. */
function entriesByFoldedName(): (folder: string) => Promise<ReadonlyMap<string, string>> {
  const known = new Map<string, ReadonlyMap<string, string>>();
  return async (folder) => {
    const before = known.get(folder);
    if (before !== undefined) return before;
    const entries = new Map((await readdir(folder).catch(() => [])).map((name) => [foldedName(name), name]));
    known.set(folder, entries);
    return entries;
  };
}

/** Whether nothing has the name, not even a link that leads nowhere. */
export async function isAbsent(path: string): Promise<boolean> {
  return (await lstat(path).catch((error: unknown) => notThere(error, path))) === null;
}

/** Whether an existing file is the input, or lies in it, by whatever name or link. */
async function isPartOf(
  path: string,
  { dev, ino }: { readonly dev: number; readonly ino: number },
  input: string,
): Promise<boolean> {
  const [file, source] = await Promise.all([realpath(path), realpath(input)]).catch(() => [null, null]);
  if (file === null || source === null) return false;
  const below = relative(source, file);
  if (below === "" || (below !== ".." && !below.startsWith(`..${sep}`))) return true;
  for (const contained of await filesOf(source)) {
    const other = await stat(contained).catch(() => null);
    if (other?.dev === dev && other.ino === ino) return true;
  }
  return false;
}

/** The file itself, or all files of a folder. */
async function filesOf(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true }).catch(() => []);
  return entries.map((name) => join(path, name));
}

/** Null where nothing is at the path. @throws what else went wrong, as a sentence */
function notThere(error: unknown, path: string): null {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return null;
  throw fileError(error, path, "write");
}
