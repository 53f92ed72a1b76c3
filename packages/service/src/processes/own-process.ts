// Runs a task in a process that does nothing else meanwhile, so that a crash or a lack of memory ends that task alone.
import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core/errors";
import { IdleKeeper } from "@lnsnet/node/work";
import { type ProcessAnswer, type ProcessMessage, type ProcessProgress, staysAfter } from "./messages.js";

export interface ProcessHost {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: ProcessProgress) => void;
  readonly onRemark?: (sentence: string) => void;
  /** A task that takes longer is stopped; absent for no limit. */
  readonly longestSeconds?: number;
  /** Time to save and end when asked to; 5 s by default. */
  readonly stoppingSeconds?: number;
}

/**
 * Runs a script that calls `serveTasks`, in a new process or in one that has done its last task well.
 *
 * @returns what the task gave
 * @throws InputError where the input cannot be used; Error where the process failed, was killed, took too long or found the
 *   disk full (code ENOSPC); the signal's reason
 */
export async function inOwnProcess(script: URL, task: object, host: ProcessHost): Promise<unknown> {
  host.signal.throwIfAborted();
  const answer = await lastMessage(script, task, host);
  host.signal.throwIfAborted();
  if (answer === null) throw new Error("The process ended without an answer.");
  if (answer.kind === "refused") throw new InputError(answer.sentence);
  if (answer.kind === "full") throw Object.assign(new Error(answer.sentence), { code: "ENOSPC" });
  if (answer.kind === "failed") throw new Error(answer.sentence);
  return answer.result;
}

/** Settles when the process has answered and waits for its next task, or has ended. */
function lastMessage(script: URL, task: object, host: ProcessHost): Promise<ProcessAnswer | null> {
  const { signal, longestSeconds = Number.POSITIVE_INFINITY, stoppingSeconds = 5 } = host;
  return new Promise((resolve, reject) => {
    const child = takeIdle(script) ?? start(script);
    let answer: ProcessAnswer | null = null;
    let complaint = "";
    let isStopped = false;
    const stop = () => {
      isStopped = true;
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 1000 * stoppingSeconds).unref();
    };
    const tooLong = () => {
      answer = { kind: "failed", sentence: `It took longer than ${longestSeconds} s and was stopped.` };
      stop();
    };
    const limit = Number.isFinite(longestSeconds) ? setTimeout(tooLong, 1000 * longestSeconds) : undefined;
    const complain = (text: Buffer) => {
      complaint = `${complaint}${text}`.slice(-2000);
    };
    const hear = (message: ProcessMessage) => {
      if (message.kind === "progress") return host.onProgress(message);
      if (message.kind === "remark") return host.onRemark?.(message.sentence);
      answer ??= message;
      if (isStopped || !staysAfter(answer)) return;
      leave();
      holdParent(child, "unref");
      idleProcesses.keep(script.href, child);
      resolve(answer);
    };
    const fail = (error: Error) => {
      leave();
      reject(error);
    };
    const close = (code: number | null, killedBy: NodeJS.Signals | null) => {
      leave();
      if (answer !== null || code === 0 || signal.aborted) return resolve(answer);
      const how = killedBy === null ? `with code ${code}` : `by ${killedBy}`;
      const said = complaint === "" ? "" : `: ${complaint.trim()}`;
      reject(new Error(`The process ended ${how}${said}.`));
    };
    const leave = () => {
      clearTimeout(limit);
      signal.removeEventListener("abort", stop);
      child.stderr?.off("data", complain);
      child.off("message", hear).off("error", fail).off("close", close);
    };
    signal.addEventListener("abort", stop, { once: true });
    child.stderr?.on("data", complain);
    child.on("message", hear).on("error", fail).on("close", close);
    child.send(task);
  });
}

function start(script: URL): ChildProcess {
  return fork(fileURLToPath(script), {
    // Nothing of the service's secrets.
    env: Object.fromEntries(
      inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
}

/**
 * Processes that wait for their next task, by script: a start takes the processor a second and more, half of a small study.
 * One that was stopped or that failed is never among them.
 */
const idleProcesses = new IdleKeeper<ChildProcess>((child) => {
  if (child.connected) child.disconnect();
});

function takeIdle(script: URL): ChildProcess | undefined {
  const child = idleProcesses.take(script.href);
  if (child === undefined) return undefined;
  // It may have been killed meanwhile.
  if (!child.connected) return takeIdle(script);
  holdParent(child, "ref");
  return child;
}

/** Whether this process waits for the other one before it ends. */
function holdParent(child: ChildProcess, how: "ref" | "unref"): void {
  child[how]();
  child.channel?.[how]();
  (child.stderr as Socket | null)?.[how]();
}

/** What a process needs to find programs, libraries and devices. */
const inherited = [
  ...["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LANG", "LC_ALL", "TZ"],
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_PATH"],
];
