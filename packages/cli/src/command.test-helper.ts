// Runs the command as a user does: the built code, in a process of its own or many runs in one.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const bin = fileURLToPath(new URL("../bin/lnsnet.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in a folder to its end; `onStderr` sees what it prints as it comes. */
export function run(
  folder: string,
  program: string,
  tokens: readonly string[],
  onStderr?: (text: string, interrupt: () => void) => void,
): Promise<Ended> {
  return new Promise<Ended>((resolve, reject) => {
    const child = spawn(program, tokens, { cwd: folder });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
      onStderr?.(stderr, () => child.kill("SIGINT"));
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs `lnsnet` in a folder. */
export function lnsnetIn(
  folder: string,
  tokens: readonly string[],
  onStderr?: (text: string, interrupt: () => void) => void,
): Promise<Ended> {
  return run(folder, process.execPath, [bin, ...tokens], onStderr);
}

/** How a run of a session ended, and what it took: seconds of processor time. */
interface Measured extends Ended {
  readonly seconds: number;
  /** Largest resident set of the whole session so far. */
  readonly peakBytes: number;
}

/** Many runs of `lnsnet` in one process, one after the other, since starting one takes most of a short run. */
export interface LnsnetSession {
  /** In the session's own folder. */
  readonly run: (...tokens: string[]) => Promise<Measured>;
  readonly runIn: (folder: string, tokens: readonly string[]) => Promise<Measured>;
  readonly end: () => void;
}

export function lnsnetSession(folder: string): LnsnetSession {
  const script = fileURLToPath(new URL("command-session.test-helper.mjs", import.meta.url));
  const child = spawn(process.execPath, [script], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
  const waiting: { resolve: (ended: Measured) => void; reject: (reason: Error) => void }[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.on("close", (code) => {
    for (const { reject } of waiting) reject(new Error(`The session ended with code ${code}.`));
  });
  const runIn = (cwd: string, tokens: readonly string[]) =>
    new Promise<Measured>((resolve, reject) => {
      waiting.push({ resolve, reject });
      child.stdin.write(`${JSON.stringify({ folder: cwd, tokens })}\n`);
    });
  return {
    run: (...tokens) => runIn(folder, tokens),
    runIn,
    end: () => child.stdin.end(),
  };
}
