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
  const most = Math.max(1, threads);
  const idle = idlePoolsOf(worker, most);
  const pool = takeIdle(idle) ?? newPool(worker, Math.max(1, Math.min(most, tasks.length)), most);
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
    keepIdle(idle, pool);
    return results;
  } catch (error) {
    await pool.destroy();
    signal?.throwIfAborted();
    throw error;
  }
}

interface IdlePool {
  readonly pool: Tinypool;
  readonly ending: NodeJS.Timeout;
}

/**
 * Pools that nobody uses, by threads and worker. A thread takes a second of the processor to start, and a cross-validation
 * wants the same ones for each fold.
 */
const idlePools = new Map<string, IdlePool[]>();
const idleMs = 10_000;

function idlePoolsOf(worker: URL, threads: number): IdlePool[] {
  const key = `${threads} ${worker.href}`;
  const known = idlePools.get(key) ?? [];
  idlePools.set(key, known);
  return known;
}

/** Its threads stay until the pool is ended. */
const newPool = (worker: URL, minThreads: number, maxThreads: number): Tinypool =>
  new Tinypool({ filename: worker.href, minThreads, maxThreads, idleTimeout: 2 * idleMs });

/** A pool that no other job uses meanwhile. */
function takeIdle(pools: IdlePool[]): Tinypool | undefined {
  const taken = pools.pop();
  clearTimeout(taken?.ending);
  return taken?.pool;
}

function keepIdle(pools: IdlePool[], pool: Tinypool): void {
  const ending = setTimeout(() => {
    pools.splice(pools.indexOf(idle), 1);
    void pool.destroy();
  }, idleMs).unref();
  const idle = { pool, ending };
  pools.push(idle);
}
