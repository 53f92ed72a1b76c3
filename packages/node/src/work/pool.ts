// Running one task after another in a few worker threads.
import { setMaxListeners } from "node:events";
import { Tinypool } from "tinypool";
import { throwIfInterrupted } from "./interrupt.js";
import { type Outcome, unwrap } from "./outcome.js";

/**
 * Runs a worker's function over tasks, and returns the results in the tasks' order.
 *
 * @param worker module that exports `run(task)`, which returns an {@link Outcome}
 * @param name the function to call, where it is not `run`
 * @param onDone called after each task with the number done and the result
 * @throws InputError where a task's input cannot be used; Interrupted where the signal is set. The other tasks are
 *   stopped then.
 */
export async function runInWorkers<Task, Result>(
  worker: URL,
  tasks: readonly Task[],
  threads: number,
  onDone: (done: number, result: Result) => void,
  signal?: AbortSignal,
  name = "run",
): Promise<Result[]> {
  throwIfInterrupted(signal);
  // Each waiting task listens to the signal, and a cohort has more tasks than Node's limit of listeners.
  if (signal !== undefined) setMaxListeners(0, signal);
  const count = Math.max(1, Math.min(threads, tasks.length));
  const pool = new Tinypool({ filename: worker.href, name, minThreads: count, maxThreads: count });
  let done = 0;
  try {
    return await Promise.all(
      tasks.map(async (task) => {
        const outcome: Outcome<Result> = await pool.run(task, signal === undefined ? {} : { signal });
        const value = unwrap(outcome);
        onDone(++done, value);
        return value;
      }),
    );
  } catch (error) {
    throwIfInterrupted(signal);
    throw error;
  } finally {
    await pool.destroy();
  }
}
