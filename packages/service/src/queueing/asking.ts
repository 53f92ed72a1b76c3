// The side of a queue that asks: puts a task in, follows it, and takes the answer out.
import { InputError } from "@lnsnet/core/errors";
import { Job, Queue } from "bullmq";
import {
  type QueuedAnswer,
  type QueuedJob,
  type QueueKind,
  queuedJob,
  queueNames,
  redisConnection,
} from "./queues.js";

interface AskedTask<Task> {
  /** Asked twice with one key, also after a restart, gives the one answer. */
  readonly key: string;
  /** What an administrator reads in the queue. */
  readonly name: string;
  readonly task: Task;
  /** Higher goes first, from -100 to 100; 0 by default. */
  readonly priority?: number;
  /** Whether an answer that is there already is not taken, but the task done again; it is taken by default. */
  readonly isAnew?: boolean;
  /** How often it is tried where a worker fails; once by default. */
  readonly attempts?: number;
}

export interface AskingHost {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: QueuedProgress) => void;
}

export interface AskingQueue<Task> {
  /**
   * Lets a worker do a task, and waits for it.
   *
   * @returns what the worker's task gave
   * @throws InputError where the input cannot be used; Error where workers failed; the signal's reason
   */
  ask(asked: AskedTask<Task>, host: AskingHost): Promise<unknown>;
  /** Jobs by state, and how many workers listen. */
  counts(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

interface QueuedProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

const lookEveryMs = 250;

/**
 * @param isCancelled whether a signal's reason means that nobody wants the result, and not that the service alone stops
 * @param log told when Redis cannot be reached, and why
 */
export function openAsking<Task>(
  kind: QueueKind,
  url: string,
  isCancelled: (reason: unknown) => boolean,
  log: (sentence: string) => void,
): AskingQueue<Task> {
  const queue = new Queue<QueuedJob<Task>, QueuedAnswer, string, QueuedJob<Task>, QueuedAnswer, string>(
    queueNames[kind],
    { connection: redisConnection(url) },
  );
  let lastError = "";
  queue.on("error", ({ message }) => {
    if (message !== lastError) log(`The queue cannot be reached (${message}); it is tried again.`);
    lastError = message;
  });
  const found = (key: string) => Job.fromId<QueuedJob<Task>, QueuedAnswer>(queue, key);
  const forget = async (key: string) => {
    const job = await found(key);
    const state = await job?.getState();
    if (state === "completed" || state === "failed") await job?.remove();
  };
  return {
    async ask({ key, name, task, priority = 0, isAnew = false, attempts = 1 }, { signal, onProgress }) {
      const options = {
        jobId: key,
        // BullMQ's lowest number goes first.
        priority: 101 - priority,
        attempts,
        backoff: { type: "exponential", delay: 5000 },
      };
      const add = () => queue.add(name, queuedJob(task), options);
      try {
        if (isAnew) await stoppable(forget(key), signal);
        await stoppable(add(), signal);
        for (let told = ""; ; ) {
          // Before the job: one that ends in between has its answer only when it is read afterwards.
          const state = await stoppable(queue.getJobState(key), signal);
          const job = await stoppable(found(key), signal);
          // A Redis that lost its memory is told again.
          if (job === undefined) await stoppable(add(), signal);
          const hasEnded = state === "completed" || state === "failed";
          if (job !== undefined && hasEnded) await stoppable(job.remove(), signal);
          // An earlier request for the same was withdrawn while a worker had it.
          if (job?.data.isStopped && hasEnded) {
            await stoppable(add(), signal);
            continue;
          }
          if (job !== undefined && state === "completed") {
            if (job.returnvalue.kind === "refused") throw new InputError(job.returnvalue.sentence);
            return job.returnvalue.result;
          }
          if (job !== undefined && state === "failed") throw new Error(job.failedReason);
          const now =
            state === "active" ? job?.progress : { stage: "waiting for a worker", done: 0, total: 1 };
          if (isProgress(now) && JSON.stringify(now) !== told) onProgress?.(now);
          told = JSON.stringify(now);
          await stoppable(new Promise((resolve) => setTimeout(resolve, lookEveryMs)), signal);
        }
      } catch (error) {
        if (signal.aborted && isCancelled(signal.reason)) await patiently(withdraw(queue, key));
        throw error;
      }
    },
    async counts() {
      return { ...(await queue.getJobCounts()), workers: await queue.getWorkersCount() };
    },
    close: () => patiently(queue.close()),
  };
}

/** A Redis that is away answers nobody, and whoever stops does not wait for it. */
const patienceMs = 2000;

async function patiently(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([work.catch(() => undefined), enough]);
  clearTimeout(timer);
}

/** Takes a job out, or tells the worker that has it to stop. */
async function withdraw<Task>(queue: Queue<QueuedJob<Task>, QueuedAnswer>, key: string): Promise<void> {
  const job = await Job.fromId<QueuedJob<Task>, QueuedAnswer>(queue, key);
  if (job === undefined) return;
  await job.updateData({ ...job.data, isStopped: true });
  // A job that a worker has is locked; it fails there, and is taken out when it is asked for anew.
  await job.remove().catch(() => undefined);
}

const isProgress = (value: unknown): value is QueuedProgress =>
  typeof value === "object" && value !== null && "stage" in value && "total" in value;

/** The result, or the signal's reason as soon as it is aborted: a Redis that is away answers nobody. */
function stoppable<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
