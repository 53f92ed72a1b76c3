// Processes that run damaged inputs, each with a limit of time and memory; one that goes beyond is killed and replaced.
import { type ChildProcess, fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a process is asked to run. */
export interface FuzzTask {
  readonly files: readonly (readonly [path: string, bytes: Uint8Array])[];
  readonly tokens: readonly string[];
  /** The file that the command writes; null where it writes none. */
  readonly output: string | null;
}

/** How it ended. */
export interface FuzzAnswer {
  readonly code: number;
  /** What it printed on both streams, cut short. */
  readonly text: string;
  /** Of the processor, so that other work on the machine does not count. */
  readonly seconds: number;
  /** Largest resident set of the process so far. */
  readonly peakBytes: number;
  /** Hash of what it wrote; null where it wrote nothing. */
  readonly written: string | null;
}

/** How a task ended, or what it was killed for. */
export type FuzzOutcome = FuzzAnswer | { readonly killed: "time" | "memory" | "crash" };

export const fuzzLimits = { seconds: 5, bytes: 2 ** 30 } as const;

export interface FuzzPool {
  /** Runs a task in one of the processes, as soon as one is free. `alone` begins a process for it, so that what it takes is its own. */
  readonly run: (task: FuzzTask, alone?: boolean) => Promise<FuzzOutcome>;
  readonly end: () => void;
}

/** @param size how many processes run at a time */
export function fuzzPool(size: number): FuzzPool {
  const idle: Worker[] = [];
  const waiting: ((worker: Worker) => void)[] = [];
  let started = 0;

  const release = (worker: Worker | null) => {
    const next = waiting.shift();
    const successor = worker ?? (next === undefined ? null : startWorker());
    if (successor === null) started--;
    else if (next === undefined) idle.push(successor);
    else next(successor);
  };
  const taken = (): Promise<Worker> => {
    const worker = idle.pop();
    if (worker !== undefined) return Promise.resolve(worker);
    if (started < size) {
      started++;
      return Promise.resolve(startWorker());
    }
    return new Promise((resolve) => waiting.push(resolve));
  };
  return {
    run: async (task, alone = false) => {
      let worker = await taken();
      if (alone && worker.runs > 0) {
        worker.child.kill("SIGKILL");
        worker = startWorker();
      }
      const outcome = await runIn(worker, task);
      const isSpent =
        "killed" in outcome || worker.runs >= runsOfAProcess || outcome.peakBytes > 0.6 * fuzzLimits.bytes;
      if (isSpent) worker.child.kill("SIGKILL");
      release(isSpent ? null : worker);
      return outcome;
    },
    end: () => {
      for (const { child } of idle) child.disconnect();
    },
  };
}

/** After so many a process is replaced, since each run leaves a module behind. */
const runsOfAProcess = 400;

interface Worker {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
  runs: number;
}

function startWorker(): Worker {
  const path = fileURLToPath(new URL("../dist/fuzz-worker.js", import.meta.url));
  const child = fork(path, {
    serialization: "advanced",
    execArgv: ["--max-old-space-size=1024"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ready = new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`A process of the fuzz check ended with code ${code}.`)));
  });
  return { child, ready, runs: 0 };
}

/** Longer than the limit, since other work on the machine counts here. */
const longestWaitSeconds = 6 * fuzzLimits.seconds;

async function runIn(worker: Worker, task: FuzzTask): Promise<FuzzOutcome> {
  const { child } = worker;
  await worker.ready;
  worker.runs++;
  return new Promise<FuzzOutcome>((resolve) => {
    const began = performance.now();
    const watch = setInterval(() => {
      if (residentBytes(child) > 2 * fuzzLimits.bytes) finish({ killed: "memory" });
      else if (performance.now() - began > 1000 * longestWaitSeconds) finish({ killed: "time" });
    }, 100);
    const finish = (outcome: FuzzOutcome) => {
      clearInterval(watch);
      child.removeAllListeners("message");
      child.removeAllListeners("exit");
      resolve(outcome);
    };
    child.on("message", (answer: FuzzAnswer) => finish(answer));
    child.on("exit", () => finish({ killed: "crash" }));
    child.send(task);
  });
}

/** What a process holds now, where the system tells it (Linux); 0 elsewhere. */
function residentBytes({ pid }: ChildProcess): number {
  try {
    return 4096 * Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
  } catch {
    return 0;
  }
}
