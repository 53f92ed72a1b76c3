// A watched folder: files that lie still are taken in once, and are left where they are.
import { appendFile, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { readBytes } from "@lnsnet/node/disk";
import type { Received } from "./reception.js";
import { repeatedly } from "./repeatedly.js";

export interface WatchedFolderOptions {
  readonly folder: string;
  /** A file that remembers what was taken, so that a restart takes nothing twice. */
  readonly memory: string;
  readonly everySeconds: number;
  readonly take: (bytes: Uint8Array, name: string) => Promise<Received>;
  readonly log: (sentence: string) => void;
  /** Told when the folder cannot be read or a file not be kept, and with null when all went well. */
  readonly trouble: (sentence: string | null) => void;
}

/** Begins to watch, and returns what ends it and waits for the file that is being read. */
export function watchFolder(options: WatchedFolderOptions): () => Promise<void> {
  const { folder, everySeconds, trouble } = options;
  let taken: Set<string> | null = null;
  let before: ReadonlyMap<string, string> = new Map();
  return repeatedly(
    everySeconds,
    async (signal) => {
      taken ??= new Set((await readFile(options.memory, "utf8").catch(() => "")).split("\n"));
      before = await lookThrough(options, before, taken, signal);
    },
    (error) =>
      trouble(
        `The watched folder ${folder} could not be read (${error instanceof Error ? error.message : error}).`,
      ),
  );
}

/** Takes every file that is as it was at the last look, and returns how all are now. */
async function lookThrough(
  { folder, memory, take, log, trouble }: WatchedFolderOptions,
  before: ReadonlyMap<string, string>,
  taken: Set<string>,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const now = new Map<string, string>();
  let failure: string | null = null;
  // Links are not followed: what lies outside the folder was not put into it.
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("."));
  for (const path of paths.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
    if (signal.aborted) break;
    const found = await stat(path).catch(() => null);
    if (found === null) continue;
    const state = `${found.size} ${found.mtimeMs}`;
    now.set(path, state);
    const key = JSON.stringify([path, state]);
    if (taken.has(key) || found.size === 0 || before.get(path) !== state) continue;
    try {
      const { refused } = await take(await readBytes(path), path);
      for (const { reason } of refused) log(reason);
    } catch (error) {
      // Such as a full disk: it is tried again at the next look.
      failure ??= `${path} was not taken in (${error instanceof Error ? error.message : error}); it is tried again.`;
      continue;
    }
    taken.add(key);
    await appendFile(memory, `${key}\n`);
  }
  trouble(failure);
  return now;
}
