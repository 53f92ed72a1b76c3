// Segments a job in a process of its own, and lists what it wrote.
import { fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core";
import { hashOfFile, isFile, readJson, writeJson } from "@lnsnet/node";
import { z } from "zod";
import type { SegmentMessage, SegmentTask } from "./messages.js";

export interface SegmentedFolder {
  readonly nodes: number;
  readonly seconds: number;
  readonly remarks: readonly string[];
  readonly files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[];
}

export interface SegmentingHost {
  readonly signal: AbortSignal;
  /** A segmentation that takes longer is stopped. */
  readonly longestSeconds: number;
  readonly onProgress: (progress: Extract<SegmentMessage, { kind: "progress" }>) => void;
}

/**
 * Runs a task to its end. The results folder appears whole or not at all, and the first one stays: a task done twice, even
 * at the same time by two processes, has one result.
 *
 * @throws InputError where the input cannot be segmented; Error where the process failed or was killed; the signal's reason
 */
export async function segmentInProcess(task: SegmentTask, host: SegmentingHost): Promise<SegmentedFolder> {
  const { signal } = host;
  signal.throwIfAborted();
  const standing = await segmentedFolder(task.results);
  if (standing !== null) return standing;
  const own = join(dirname(task.results), `.${basename(task.results)}-${randomUUID()}`);
  try {
    await mkdir(own, { recursive: true });
    const remarks: string[] = [];
    const last = await runProcess({ ...task, results: own }, host, remarks);
    signal.throwIfAborted();
    if (last === null) throw new Error("The process that segments ended without an answer.");
    if (last.kind === "refused") throw new InputError(last.sentence);
    if (last.kind === "full") throw Object.assign(new Error(last.sentence), { code: "ENOSPC" });
    if (last.kind === "failed") throw new Error(last.sentence);
    const { nodes, seconds } = last;
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

/** Beside the results, for a process that finds them there. */
const summaryName = ".summary.json";
const summarySchema = z.object({ nodes: z.number(), seconds: z.number(), remarks: z.array(z.string()) });

async function segmentedFolder(folder: string): Promise<SegmentedFolder | null> {
  const path = join(folder, summaryName);
  if (!(await isFile(path))) return null;
  return { ...(await readJson(path, summarySchema)), files: await filesOf(folder) };
}

type Answer = Extract<SegmentMessage, { kind: "done" | "refused" | "failed" | "full" }>;

/** Time to save and stop when asked to. */
const stoppingMs = 5000;

function runProcess(task: SegmentTask, host: SegmentingHost, remarks: string[]): Promise<Answer | null> {
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL("./segment-process.js", import.meta.url)), {
      // Nothing of the service's secrets.
      env: Object.fromEntries(
        inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
      ),
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    let answer: Answer | null = null;
    let complaint = "";
    const stop = () => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), stoppingMs).unref();
    };
    const limit = setTimeout(() => {
      answer = {
        kind: "failed",
        sentence: `The segmentation took longer than ${host.longestSeconds} s and was stopped.`,
      };
      stop();
    }, 1000 * host.longestSeconds);
    host.signal.addEventListener("abort", stop, { once: true });
    child.stderr?.on("data", (text: Buffer) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    child.on("message", (message: SegmentMessage) => {
      if (message.kind === "progress") host.onProgress(message);
      else if (message.kind === "remark") remarks.push(message.sentence);
      else answer ??= message;
    });
    const ended = () => {
      clearTimeout(limit);
      host.signal.removeEventListener("abort", stop);
    };
    child.once("error", (error) => {
      ended();
      reject(error);
    });
    child.once("close", (code, killedBy) => {
      ended();
      if (answer !== null || code === 0 || host.signal.aborted) return resolve(answer);
      const how = killedBy === null ? `with code ${code}` : `by ${killedBy}`;
      reject(
        new Error(
          `The process that segments ended ${how}${complaint === "" ? "" : `: ${complaint.trim()}`}.`,
        ),
      );
    });
    child.send(task);
  });
}

/** What a process needs to find programs, libraries and devices. */
const inherited = [
  ...["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LANG", "LC_ALL", "TZ"],
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_PATH"],
];

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
