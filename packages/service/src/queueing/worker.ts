// A worker: takes studies from the queue, segments them in the shared folder, and answers. Any number on any machines.
import { join } from "node:path";
import { InputError } from "@lnsnet/core";
import { requirePath } from "@lnsnet/node";
import { Job, Queue, Worker } from "bullmq";
import { segmentInProcess } from "../segmenting/segment-job.js";
import {
  checkedTask,
  lockMs,
  type QueuedAnswer,
  type QueuedTask,
  queueName,
  redisConnection,
} from "./study-queue.js";

export interface WorkerSettings {
  /** Such as redis://127.0.0.1:6379. */
  readonly queue: string;
  /** The service's data folder, as this machine sees it. */
  readonly folder: string;
  /** How many studies at a time. */
  readonly jobs: number;
  /** Threads of each segmentation; 0 for one a core. */
  readonly threads: number;
}

export interface WorkerHost {
  readonly signal: AbortSignal;
  readonly log: (fields: Readonly<Record<string, unknown>>) => void;
}

/**
 * Works until the signal is aborted. What is being segmented then goes back to the queue, as it does when the worker is
 * killed.
 *
 * @throws InputError where the folder does not exist, or the address is none of Redis
 */
export async function runWorker(settings: WorkerSettings, { signal, log }: WorkerHost): Promise<void> {
  await requirePath(join(settings.folder, "jobs"));
  const connection = redisConnection(settings.queue);
  const queue = new Queue<QueuedTask, QueuedAnswer>(queueName, { connection });
  const worker = new Worker<QueuedTask, QueuedAnswer>(
    queueName,
    (job) => answerTo(job, queue, settings, { signal, log }),
    // A worker that is killed again and again by one study must not take that study up for ever.
    {
      connection,
      concurrency: settings.jobs,
      lockDuration: lockMs,
      stalledInterval: lockMs / 2,
      maxStalledCount: 5,
    },
  );
  let lastError = "";
  const complain = ({ message }: Error) => {
    if (message !== lastError) log({ event: "error", message });
    lastError = message;
  };
  queue.on("error", complain);
  worker.on("error", complain);
  log({ event: "working", folder: settings.folder, jobs: settings.jobs });
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  // Without waiting: an unanswered job is given to another worker when its lock has ended.
  await worker.close(true);
  await queue.close();
  log({ event: "stopped" });
}

async function answerTo(
  job: Job<QueuedTask, QueuedAnswer>,
  queue: Queue<QueuedTask, QueuedAnswer>,
  { folder, threads }: WorkerSettings,
  { signal, log }: WorkerHost,
): Promise<QueuedAnswer> {
  const began = performance.now();
  const stop = new AbortController();
  const looking = setInterval(async () => {
    const now = await Job.fromId<QueuedTask, QueuedAnswer>(queue, job.id ?? "").catch(() => undefined);
    if (now?.data.isStopped) stop.abort(new Error("Nobody wants the result any more."));
  }, 1000);
  try {
    const { input, results, model, outputs, device, longestSeconds } = checkedTask(job.data);
    const done = await segmentInProcess(
      { input: join(folder, input), results: join(folder, results), model, outputs, device, threads },
      {
        signal: AbortSignal.any([signal, stop.signal]),
        longestSeconds,
        onProgress: ({ stage, done, total }) => {
          job.updateProgress({ stage, done, total }).catch(() => undefined);
        },
      },
    );
    log({ event: "segmented", job: job.id, seconds: (performance.now() - began) / 1000 });
    return { kind: "done", ...done };
  } catch (error) {
    // A worker that stops gives no answer: the study goes to another one, and counts as no failure.
    if (signal.aborted) return new Promise(() => undefined);
    if (!(error instanceof InputError)) throw error;
    return { kind: "refused", sentence: error.message };
  } finally {
    clearInterval(looking);
  }
}
