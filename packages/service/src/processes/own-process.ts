// Runs a task in a process of its own, so that a crash or a lack of memory ends that task alone.
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core/errors";
import type { ProcessAnswer, ProcessMessage, ProcessProgress } from "./messages.js";

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
 * Runs a script that calls `serveTask`, and waits until its process has ended.
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

function lastMessage(script: URL, task: object, host: ProcessHost): Promise<ProcessAnswer | null> {
  const { signal, longestSeconds = Number.POSITIVE_INFINITY, stoppingSeconds = 5 } = host;
  return new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(script), {
      // Nothing of the service's secrets.
      env: Object.fromEntries(
        inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
      ),
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      serialization: "advanced",
    });
    let answer: ProcessAnswer | null = null;
    let complaint = "";
    const stop = () => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 1000 * stoppingSeconds).unref();
    };
    const tooLong = () => {
      answer = { kind: "failed", sentence: `It took longer than ${longestSeconds} s and was stopped.` };
      stop();
    };
    const limit = Number.isFinite(longestSeconds) ? setTimeout(tooLong, 1000 * longestSeconds) : undefined;
    signal.addEventListener("abort", stop, { once: true });
    child.stderr?.on("data", (text: Buffer) => {
      complaint = `${complaint}${text}`.slice(-2000);
    });
    child.on("message", (message: ProcessMessage) => {
      if (message.kind === "progress") host.onProgress(message);
      else if (message.kind === "remark") host.onRemark?.(message.sentence);
      else answer ??= message;
    });
    const ended = () => {
      clearTimeout(limit);
      signal.removeEventListener("abort", stop);
    };
    child.once("error", (error) => {
      ended();
      reject(error);
    });
    child.once("close", (code, killedBy) => {
      ended();
      if (answer !== null || code === 0 || signal.aborted) return resolve(answer);
      const how = killedBy === null ? `with code ${code}` : `by ${killedBy}`;
      const said = complaint === "" ? "" : `: ${complaint.trim()}`;
      reject(new Error(`The process ended ${how}${said}.`));
    });
    child.send(task);
  });
}

/** What a process needs to find programs, libraries and devices. */
const inherited = [
  ...["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot", "LANG", "LC_ALL", "TZ"],
  ...["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_PATH"],
];
