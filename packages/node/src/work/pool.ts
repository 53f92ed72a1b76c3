// Running one task after another in a few worker threads.
import { setMaxListeners } from "node:events";
import { Tinypool } from "tinypool";
import type { Job } from "./job.js";
import { type Outcome, unwrap } from "./outcome.js";

/** What worker threads run, and what the job is told of it. */
export interface WorkerStage<Result> {
  /** Module that exports `run(task)`, which returns an {@link Outcome}. */
  readonly worker: URL;
  /** The function to call, where it is not `run`. */
  readonly name?: string;
  readonly threads: number;
  /** As {@link Progress} has them. */
  readonly stage: string;
  readonly unit: string;
  readonly textOf?: (result: Result) => string;
  /** How many more of the same kind were done before. */
  readonly alreadyDone?: number;
}

/**
 * Runs a worker's function over tasks, and returns the results in the tasks' order.
 *
 * @throws InputError where a task's input cannot be used; the signal's reason where it is aborted. The other tasks are
 *   stopped then.
 */
export async function runInWorkers<Task, Result>(
  tasks: readonly Task[],
  { worker, name = "run", threads, stage, unit, textOf, alreadyDone = 0 }: WorkerStage<Result>,
  { signal, onProgress }: Job,
): Promise<Result[]> {
  signal?.throwIfAborted();
  // Each waiting task listens to the signal, and a cohort has more tasks than Node's limit of listeners.
  if (signal !== undefined) setMaxListeners(0, signal);
  let done = alreadyDone;
  const total = alreadyDone + tasks.length;
  onProgress?.({ stage, unit, done, total });
  const count = Math.max(1, Math.min(threads, tasks.length));
  const pool = new Tinypool({ filename: worker.href, name, minThreads: count, maxThreads: count });
  try {
    return await Promise.all(
      tasks.map(async (task) => {
        const outcome: Outcome<Result> = await pool.run(task, signal === undefined ? {} : { signal });
        const value = unwrap(outcome);
        done++;
        onProgress?.({ stage, unit, done, total, text: textOf?.(value) ?? "" });
        return value;
      }),
    );
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await pool.destroy();
  }
}
