// Files that a person chose or dropped, as the library reads them: those of folders and of zip archives too.
import { InputError, type NamedFile } from "@lnsnet/core";
import { filesOfZip } from "@lnsnet/core/formats";
import type { ChosenFile, EngineJob } from "./answers.js";

/** A chosen file, read when it is asked for; a stopped job reads no more. */
function namedFile({ path, file }: ChosenFile, { signal }: EngineJob): NamedFile {
  return {
    name: path,
    async read() {
      signal?.throwIfAborted();
      return bytesOf(file, path);
    },
  };
}

/** @throws InputError where the file cannot be read any more, or is larger than memory */
export async function bytesOf(file: Blob, path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch (cause) {
    throw new InputError(`${path} cannot be read; check that it is still there, and choose it again.`, {
      cause,
    });
  }
}

/** All files, with those in zip archives in place of the archives. @throws InputError where an archive is damaged */
export async function unpacked(files: readonly ChosenFile[], job: EngineJob): Promise<NamedFile[]> {
  const all: NamedFile[] = [];
  for (const chosen of files) {
    const file = namedFile(chosen, job);
    if (isHidden(chosen.path)) continue;
    if (!/\.zip$/i.test(chosen.path)) all.push(file);
    else all.push(...filesOfZip(await file.read(), chosen.path));
  }
  return all;
}

const isHidden = (path: string): boolean => path.split("/").some((part) => part.startsWith("."));
