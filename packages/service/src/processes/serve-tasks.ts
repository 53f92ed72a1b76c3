// The other side of a process of its own: takes a task, works and answers.
import { InputError } from "@lnsnet/core/errors";
import { isFullDisk } from "@lnsnet/node/disk";
import type { Job } from "@lnsnet/node/work";
import { type ProcessAnswer, type ProcessMessage, staysAfter } from "./messages.js";

/**
 * Does each task that the parent sends, one after the other, and answers with what the work gives. The process ends after a
 * task that was stopped or failed, and when the parent is gone.
 *
 * @param check turns what was sent into a task
 * @param savesFirst whether the work is to save what it has where the parent is gone, instead of ending at once
 */
export function serveTasks<Task>(
  check: (sent: unknown) => Task,
  work: (task: Task, job: Required<Job>) => Promise<unknown>,
  { savesFirst = false }: { readonly savesFirst?: boolean } = {},
): void {
  let current: AbortController | null = null;
  process.on("SIGTERM", () => {
    if (current === null) process.exit(0);
    current.abort(new Error("stopped"));
  });
  // Ctrl-C on a terminal goes to every process of it; the parent stops this one itself.
  process.on("SIGINT", () => undefined);
  process.on("disconnect", () => {
    if (current === null) process.exit(0);
    if (!savesFirst) process.exit(1);
    current.abort(new Error("The parent process is gone."));
  });
  process.on("message", async (sent) => {
    const stop = new AbortController();
    current = stop;
    const answer = await outcomeOf(() => work(check(sent), jobOf(stop.signal)));
    current = null;
    await tell(answer);
    if (process.connected && staysAfter(answer) && !stop.signal.aborted) return;
    process.exit(0);
  });
}

const jobOf = (signal: AbortSignal): Required<Job> => ({
  signal,
  onProgress: ({ stage, unit, done, total }) => void tell({ kind: "progress", stage, unit, done, total }),
  log: (sentence) => void tell({ kind: "remark", sentence }),
});

async function outcomeOf(work: () => Promise<unknown>): Promise<ProcessAnswer> {
  try {
    return { kind: "done", result: await work() };
  } catch (error) {
    if (isFullDisk(error)) return { kind: "full", sentence: error.message };
    if (error instanceof InputError) return { kind: "refused", sentence: error.message };
    return { kind: "failed", sentence: error instanceof Error ? error.message : String(error) };
  }
}

/** Returns when the message is on its way. */
function tell(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) return resolve();
    process.send(message, () => resolve());
  });
}
