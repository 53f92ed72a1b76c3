// data.json: the files that a training or an experiment rests on, as they were, so that a changed one is noticed.
import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { z } from "zod";
import { fileError, hashOfFile, isFile, readJson, writeJson } from "../files/disk.js";
import type { Job } from "../work/job.js";
import { type Case, imagePathsOf } from "./dataset.js";

export const fileStateSchema = z.object({
  name: z.string(),
  bytes: z.number(),
  /** Time of the last change in milliseconds; with name and size it spares reading the file again. */
  changed: z.number(),
  sha256: z.string(),
});

/** The files of each part of a case, by what it is called in a sentence. */
const parts = {
  image: imagePathsOf,
  label: ({ labelPath }: Case) => (labelPath === null ? [] : [labelPath]),
  instances: ({ instancesPath }: Case) => (instancesPath === null ? [] : [instancesPath]),
  "look-alikes": ({ lookAlikesPath }: Case) => (lookAlikesPath === undefined ? [] : [lookAlikesPath]),
} as const;
export type Part = keyof typeof parts;
const partNames = Object.keys(parts) as Part[];

const caseSchema = z.partialRecord(z.enum(partNames), fileStateSchema.nullable());
const schema = z.object({ kind: z.literal("lnsnet-data"), cases: z.record(z.string(), caseSchema) });

export type FileState = z.infer<typeof fileStateSchema>;
type CaseState = z.infer<typeof caseSchema>;

/** The files of each case, by its id. */
export type DataState = Readonly<Record<string, CaseState>>;

export const dataStatePath = (folder: string): string => join(folder, "data.json");

/** What a folder's record says; null where there is none of ours. */
export async function readDataState(folder: string): Promise<DataState | null> {
  const path = dataStatePath(folder);
  if (!(await isFile(path))) return null;
  return readJson(path, schema).then(
    ({ cases }) => cases,
    () => null,
  );
}

export async function writeDataState(folder: string, cases: DataState): Promise<void> {
  const content: z.infer<typeof schema> = { kind: "lnsnet-data", cases };
  await writeJson(dataStatePath(folder), content);
}

/**
 * The cases' files as they are. They are hashed, so that a copy with another time is the same file; a file of the name,
 * size and time that `before` has is not read again.
 *
 * @param wanted the parts that the work rests on
 * @throws InputError where a file is missing; the signal's reason
 */
export async function currentDataState(
  cases: readonly Case[],
  before: DataState | null,
  wanted: readonly Part[] = partNames,
  job: Job = {},
): Promise<DataState> {
  const states: Record<string, CaseState> = {};
  const stage = { stage: "look for changes", unit: "scan", total: cases.length };
  if (before === null && cases.length > 0) job.onProgress?.({ ...stage, done: 0 });
  for (const [done, scan] of cases.entries()) {
    job.signal?.throwIfAborted();
    const stateOf = (part: Part) => {
      const paths = parts[part](scan);
      return paths.length === 0 ? null : fileState(paths, before?.[scan.id]?.[part] ?? null);
    };
    const found = wanted.map(async (part) => [part, await stateOf(part)] as const);
    states[scan.id] = Object.fromEntries(await Promise.all(found));
    if (before === null) job.onProgress?.({ ...stage, done: done + 1, text: scan.id });
  }
  return states;
}

/**
 * The cases of both states whose content differs, each with its changed parts: "p_001 (label)". Cases and parts that
 * `before` does not rest on are not compared.
 */
export function changedCases(before: DataState, now: DataState): string[] {
  return Object.keys(now).flatMap((id) => {
    if (!Object.hasOwn(before, id)) return [];
    const held = partNames.filter((part) => before[id][part] !== undefined);
    const changed = held.filter((part) => before[id][part]?.sha256 !== now[id][part]?.sha256);
    return changed.length === 0 ? [] : `${id} (${changed.join(", ")})`;
  });
}

/** A hash of all that a case holds. */
export function hashOfCase(state: CaseState): string {
  // Look-alikes only where there are some, so that the hashes of earlier versions stay.
  const held = partNames.filter((part) => part !== "look-alikes" || state[part]);
  const hashes = held.map((part) => state[part]?.sha256 ?? "none");
  return createHash("sha256").update(hashes.join(" ")).digest("hex");
}

/**
 * The state of files together, such as channels: the first one's name, all their bytes, the latest change and a hash of
 * their hashes. What has the name, size and time of `before` is not read again.
 *
 * @throws InputError if a file is missing
 */
export async function fileState(paths: readonly string[], before: FileState | null): Promise<FileState> {
  const found = await Promise.all(
    paths.map((path) =>
      stat(path).catch((error: unknown) => {
        throw fileError(error, path, "read");
      }),
    ),
  );
  const name = basename(paths[0]);
  const bytes = found.reduce((sum, { size }) => sum + size, 0);
  const changed = Math.max(...found.map(({ mtimeMs }) => mtimeMs));
  const isSame = before?.name === name && before.bytes === bytes && before.changed === changed;
  return { name, bytes, changed, sha256: isSame ? before.sha256 : await hashOfFiles(paths) };
}

async function hashOfFiles(paths: readonly string[]): Promise<string> {
  const hashes = [];
  for (const path of paths) hashes.push(await hashOfFile(path));
  return hashes.length === 1 ? hashes[0] : createHash("sha256").update(hashes.join(" ")).digest("hex");
}
