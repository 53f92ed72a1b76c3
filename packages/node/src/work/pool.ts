// Running one task after another in a few worker threads.
import { setMaxListeners } from "node:events";
import { Tinypool } from "tinypool";
import { IDLE_MS, IdleKeeper } from "./idle-keeper.js";
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
  const most = Math.max(1, threads);
  const kind = `${most} ${worker.href}`;
  const pool = idlePools.take(kind) ?? newPool(worker, Math.max(1, Math.min(most, tasks.length)), most);
  try {
    const results = await Promise.all(
      tasks.map(async (task) => {
        const options = signal === undefined ? { name } : { name, signal };
        const outcome: Outcome<Result> = await pool.run(task, options);
        const value = unwrap(outcome);
        done++;
        onProgress?.({ stage, unit, done, total, text: textOf?.(value) ?? "" });
        return value;
      }),
    );
    idlePools.keep(kind, pool);
    return results;
  } catch (error) {
    await pool.destroy();
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Pools that nobody uses, by threads and worker. A thread takes a second of the processor to start, and a cross-validation
 * wants the same ones for each fold.
 */
const idlePools = new IdleKeeper<Tinypool>((pool) => void pool.destroy());

/** Its threads stay until the pool is ended. */
const newPool = (worker: URL, minThreads: number, maxThreads: number): Tinypool =>
  new Tinypool({ filename: worker.href, minThreads, maxThreads, idleTimeout: 2 * IDLE_MS });
