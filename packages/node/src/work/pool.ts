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
  const pool = takePool(worker, Math.max(1, threads), tasks.length);
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
    keepPool(worker, Math.max(1, threads), pool);
    return results;
  } catch (error) {
    await pool.destroy();
    signal?.throwIfAborted();
    throw error;
  }
}

/**
 * Pools that nobody uses, by worker and threads. A thread takes a second of the processor to start, and a cross-validation
 * wants the same ones for each fold.
 */
const idlePools = new Map<string, { readonly pool: Tinypool; readonly ending: NodeJS.Timeout }[]>();
const idleMs = 10_000;

const poolKey = (worker: URL, threads: number): string => `${threads} ${worker.href}`;

/** A pool that no other job uses meanwhile. */
function takePool(worker: URL, threads: number, tasks: number): Tinypool {
  const idle = idlePools.get(poolKey(worker, threads))?.pop();
  if (idle !== undefined) {
    clearTimeout(idle.ending);
    return idle.pool;
  }
  const minThreads = Math.max(1, Math.min(threads, tasks));
  // What is there stays there until the pool is ended.
  return new Tinypool({ filename: worker.href, minThreads, maxThreads: threads, idleTimeout: 2 * idleMs });
}

function keepPool(worker: URL, threads: number, pool: Tinypool): void {
  const key = poolKey(worker, threads);
  const kept = idlePools.get(key) ?? [];
  idlePools.set(key, kept);
  const ending = setTimeout(() => {
    kept.splice(kept.indexOf(idle), 1);
    void pool.destroy();
  }, idleMs).unref();
  const idle = { pool, ending };
  kept.push(idle);
}
