// Segments a job in a process of its own, and lists what it wrote.
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { hashOfFile, isFile, readJson, writeJson } from "@lnsnet/node/disk";
import { z } from "zod";
import { inOwnProcess, type ProcessHost } from "../processes/own-process.js";
import { type SegmentTask, segmentedSchema } from "./tasks.js";

export interface SegmentedFolder {
  readonly nodes: number;
  readonly seconds: number;
  readonly remarks: readonly string[];
  readonly files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[];
}

/**
 * Runs a task to its end. The results folder appears whole or not at all, and the first one stays: a task done twice, even
 * at the same time by two processes, has one result.
 *
 * @throws InputError where the input cannot be segmented; Error where the process failed or was killed; the signal's reason
 */
export async function segmentInProcess(
  task: SegmentTask,
  host: Omit<ProcessHost, "onRemark">,
): Promise<SegmentedFolder> {
  host.signal.throwIfAborted();
  const standing = await segmentedFolder(task.results);
  if (standing !== null) return standing;
  const own = join(dirname(task.results), `.${basename(task.results)}-${randomUUID()}`);
  try {
    await mkdir(own, { recursive: true });
    const remarks: string[] = [];
    const onRemark = (sentence: string) => remarks.push(sentence);
    const told = await inOwnProcess(script, { ...task, results: own }, { ...host, onRemark });
    const { nodes, seconds } = segmentedSchema.parse(told);
    await writeJson(join(own, summaryName), { nodes, seconds, remarks } satisfies z.infer<
      typeof summarySchema
    >);
    // A folder that holds files is not replaced: another process was first.
    await rename(own, task.results).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  const segmented = await segmentedFolder(task.results);
  if (segmented === null) throw new Error(`${task.results} was removed while it was read.`);
  return segmented;
}

const script = new URL("./segment-process.js", import.meta.url);

/** Beside the results, for a process that finds them there. */
const summaryName = ".summary.json";
const summarySchema = segmentedSchema.extend({ remarks: z.array(z.string()) });

async function segmentedFolder(folder: string): Promise<SegmentedFolder | null> {
  const path = join(folder, summaryName);
  if (!(await isFile(path))) return null;
  return { ...(await readJson(path, summarySchema)), files: await filesOf(folder) };
}

async function filesOf(folder: string): Promise<SegmentedFolder["files"]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
    .map(({ name }) => name);
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      return { name, sha256: await hashOfFile(path), bytes: (await stat(path)).size };
    }),
  );
}
