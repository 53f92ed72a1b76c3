// A worker: does what stands in the queues, in the folder that all see. Any number on any machines.
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { isFile, isFolder, requirePath } from "@lnsnet/node/disk";
import { type WorkTask, withPaths, workTaskSchema } from "../experimenting/tasks.js";
import { inOwnProcess } from "../processes/own-process.js";
import { type SegmentedFolder, segmentInProcess } from "../segmenting/segment-job.js";
import type { Store } from "../storing/store.js";
import { requireJobFolders, type StudyTask, studyTaskSchema } from "./studies.js";
import { type TakenWork, type TakingHost, takeTasks } from "./taking.js";

export interface WorkerSettings {
  /** Such as redis://127.0.0.1:6379. */
  readonly queue: string;
  /** The folder that all see, as this machine does: a service's data folder, or one with data sets and experiments. */
  readonly folder: string;
  /** A store for studies of services whose folder this machine does not see; null for none. */
  readonly store: Store | null;
  /** How many tasks of each queue at a time. */
  readonly jobs: number;
  /** Threads of each segmentation of a study; 0 for one a core. Experiments state theirs. */
  readonly threads: number;
}

/**
 * Works until the signal is aborted. What runs then is saved and goes back to the queue, as it does when the worker is
 * killed.
 *
 * @throws InputError where the folder does not exist, or the address is none of Redis
 */
export async function runWorker(settings: WorkerSettings, host: TakingHost): Promise<void> {
  await requirePath(settings.folder);
  const redis = { url: settings.queue, jobs: settings.jobs };
  host.log({ event: "starting", folder: settings.folder });
  await Promise.all([
    takeTasks(studies(settings), redis, host),
    takeTasks(experiments(settings), redis, host),
  ]);
  host.log({ event: "stopped" });
}

function studies({ folder, store, threads }: WorkerSettings): TakenWork<StudyTask> {
  return {
    kind: "studies",
    schema: studyTaskSchema,
    async work(task, host) {
      requireJobFolders(task);
      const { longestSeconds, isStored, ...segmentation } = task;
      const segment = (input: string, results: string) =>
        segmentInProcess({ ...segmentation, input, results, threads }, { ...host, longestSeconds });
      if (isStored) return segmentStored(task, store, segment);
      const input = join(folder, task.input);
      await requireSeen(input);
      return { ...(await segment(input, join(folder, task.results))), place: null };
    },
  };
}

/** Segments in a folder of this machine's own. Each attempt has a place of its own in the store, so that none mixes with another. */
async function segmentStored(
  { input, results }: StudyTask,
  store: Store | null,
  segment: (input: string, results: string) => Promise<SegmentedFolder>,
) {
  if (store === null)
    throw new Error("This worker has no store, and the service uses one; start it with --store.");
  const own = await mkdtemp(join(tmpdir(), "lnsnet-study-"));
  try {
    await store.take(input, join(own, "input"));
    const segmented = await segment(join(own, "input"), join(own, "results"));
    const place = `${results}-${randomUUID()}`;
    await store.put(join(own, "results"), place);
    return { ...segmented, place };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

function experiments({ folder }: WorkerSettings): TakenWork<WorkTask> {
  return {
    kind: "experiments",
    schema: workTaskSchema,
    async work(task, host) {
      const here = withPaths(task, (path) => join(folder, insidePath(path)));
      await requireSeen(here.kind === "experiment" ? here.experiment.folder : here.pair.truthPath);
      return inOwnProcess(workScript, here, { ...host, stoppingSeconds: 120 });
    },
  };
}

const workScript = new URL("../experimenting/work-process.js", import.meta.url);

/** @throws InputError where a path in a task leads out of the shared folder */
function insidePath(path: string): string {
  if (path.startsWith("/") || path.split(/[\\/]/).includes("..") || /^[a-z]:/i.test(path))
    throw new InputError(`The queue holds a job that leads out of the shared folder (${path}).`);
  return path;
}

/** @throws Error, so that another worker tries, where this one does not see what all should */
async function requireSeen(path: string): Promise<void> {
  if ((await isFile(path)) || (await isFolder(path))) return;
  throw new Error(`This worker does not see ${path}; start it with --folder and the folder that all share.`);
}
