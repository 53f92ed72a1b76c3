// The side of a queue that works: takes tasks, does them, and answers.
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "@lnsnet/core/errors";
import { Job, Queue, UnrecoverableError, WaitingError, Worker } from "bullmq";
import type { z } from "zod";
import type { ProcessProgress } from "../processes/messages.js";
import {
  checkedTask,
  lockMs,
  type QueuedAnswer,
  type QueueKind,
  queueNames,
  redisConnection,
} from "./queues.js";

export interface TakingHost {
  readonly signal: AbortSignal;
  readonly log: (fields: Readonly<Record<string, unknown>>) => void;
}

export interface TakenWork<Task> {
  readonly kind: QueueKind;
  readonly schema: z.ZodType<Task>;
  /** @throws InputError where a person must correct something; Error where it failed */
  readonly work: (
    task: Task,
    host: { readonly signal: AbortSignal; readonly onProgress: (progress: ProcessProgress) => void },
  ) => Promise<unknown>;
}

/**
 * Takes tasks until the signal is aborted, and returns when what runs then has saved and ended. It goes back to the queue at
 * once; when the worker is killed, after its lock has ended.
 *
 * @param jobs how many at a time
 * @throws InputError where the address is none of Redis
 */
export async function takeTasks<Task>(
  { kind, schema, work }: TakenWork<Task>,
  { url, jobs }: { readonly url: string; readonly jobs: number },
  { signal, log }: TakingHost,
): Promise<void> {
  const connection = redisConnection(url);
  const queue = new Queue(queueNames[kind], { connection });
  const running = new Set<Promise<QueuedAnswer>>();

  async function answerTo(job: Job, token?: string): Promise<QueuedAnswer> {
    const began = performance.now();
    const stop = new AbortController();
    if (job.data?.isStopped === true) throw new UnrecoverableError(unwanted);
    const looking = setInterval(async () => {
      const now = await Job.fromId(queue, job.id ?? "").catch(() => undefined);
      if (now?.data.isStopped) stop.abort(new UnrecoverableError(unwanted));
    }, 1000);
    log({ event: "begun", job: job.id, what: job.name });
    try {
      const result = await work(checkedTask(job.data, schema), {
        signal: AbortSignal.any([signal, stop.signal]),
        onProgress: ({ stage, done, total }) => {
          job.updateProgress({ stage, done, total }).catch(() => undefined);
        },
      });
      log({ event: "done", job: job.id, what: job.name, seconds: (performance.now() - began) / 1000 });
      return { kind: "done", result };
    } catch (error) {
      // A worker that stops gives the task back, and that counts as no failure.
      if (signal.aborted) {
        // Where it cannot, since Redis is gone, another worker takes the task when its lock has ended.
        const given = job.moveToWait(token).catch(() => undefined);
        await Promise.race([given, sleep(lockMs, null, { ref: false })]);
        throw new WaitingError();
      }
      const sentence = error instanceof Error ? error.message : String(error);
      log({ event: "failed", job: job.id, what: job.name, sentence });
      if (!(error instanceof InputError)) throw error;
      return { kind: "refused", sentence };
    } finally {
      clearInterval(looking);
    }
  }

  const answer = (job: Job, token?: string) => {
    const answering = answerTo(job, token);
    running.add(answering);
    return answering.finally(() => running.delete(answering));
  };
  const worker = new Worker(queueNames[kind], answer, {
    connection,
    concurrency: jobs,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    // A worker that is killed again and again by one task must not take that task up for ever.
    maxStalledCount: 5,
  });
  let lastError = "";
  const complain = ({ message }: Error) => {
    if (message !== lastError) log({ event: "error", message });
    lastError = message;
  };
  queue.on("error", complain);
  worker.on("error", complain);
  log({ event: "working", queue: kind, jobs });
  await aborted(signal);
  await worker.pause(true);
  await Promise.allSettled(running);
  await worker.close(true);
  await queue.close();
}

const unwanted = "Nobody wants the result any more.";

/** Returns when the signal is aborted. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
