// The service's side of the queue: puts a study in, follows it, and takes the answer out when it has been written down.
import { InputError } from "@lnsnet/core";
import { Job, Queue } from "bullmq";
import { type QueuedAnswer, type QueuedTask, queueName, redisConnection } from "./study-queue.js";

export interface StudyQueue {
  /**
   * Lets a worker segment a study. Asked twice with one key, also after a restart, gives the one answer.
   *
   * @param key by study, input and settings
   * @param priority higher goes first
   * @throws InputError where the input cannot be segmented; Error where workers failed; the signal's reason
   */
  segment(
    key: string,
    task: QueuedTask,
    priority: number,
    host: { readonly signal: AbortSignal; readonly onProgress: (progress: QueuedProgress) => void },
  ): Promise<Extract<QueuedAnswer, { kind: "done" }>>;
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
export function openStudyQueue(
  url: string,
  isCancelled: (reason: unknown) => boolean,
  log: (sentence: string) => void,
): StudyQueue {
  const queue = new Queue<QueuedTask, QueuedAnswer>(queueName, { connection: redisConnection(url) });
  let lastError = "";
  queue.on("error", ({ message }) => {
    if (message !== lastError) log(`The queue cannot be reached (${message}); it is tried again.`);
    lastError = message;
  });
  return {
    async segment(key, task, priority, { signal, onProgress }) {
      // BullMQ's lowest number goes first; rules have -100 to 100.
      const add = () => queue.add("segment study", task, { jobId: key, priority: 101 - priority });
      try {
        await stoppable(add(), signal);
        for (let told = ""; ; ) {
          const job = await stoppable(Job.fromId<QueuedTask, QueuedAnswer>(queue, key), signal);
          // A Redis that lost its memory is told again.
          if (job === undefined) await stoppable(add(), signal);
          const state = job && (await stoppable(job.getState(), signal));
          const hasEnded = state === "completed" || state === "failed";
          if (job !== undefined && hasEnded) await stoppable(job.remove(), signal);
          // An earlier request for the same was withdrawn while a worker had it.
          if (job?.data.isStopped && hasEnded) {
            await stoppable(add(), signal);
            continue;
          }
          if (job !== undefined && state === "completed") {
            if (job.returnvalue.kind === "refused") throw new InputError(job.returnvalue.sentence);
            return job.returnvalue;
          }
          if (job !== undefined && state === "failed") throw new Error(job.failedReason);
          const now =
            state === "active" ? job?.progress : { stage: "waiting for a worker", done: 0, total: 1 };
          if (isProgress(now) && JSON.stringify(now) !== told) onProgress(now);
          told = JSON.stringify(now);
          await stoppable(new Promise((resolve) => setTimeout(resolve, lookEveryMs)), signal);
        }
      } catch (error) {
        if (signal.aborted && isCancelled(signal.reason)) await withdraw(queue, key).catch(() => undefined);
        throw error;
      }
    },
    close: () => queue.close(),
  };
}

/** Takes a job out, or tells the worker that has it to stop. */
async function withdraw(queue: Queue<QueuedTask, QueuedAnswer>, key: string): Promise<void> {
  const job = await Job.fromId<QueuedTask, QueuedAnswer>(queue, key);
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
