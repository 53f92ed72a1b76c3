// Runs the built command lnsnet in a process of its own, for checks that measure it or kill it.
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What a run of the command came to. */
export interface CommandRun {
  /** Null where it was killed. */
  readonly code: number | null;
  /** What killed it. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Largest resident set, bytes; null where it was killed. */
  readonly peakBytes: number | null;
}

/** A command that runs. */
export interface RunningCommand {
  readonly child: ChildProcess;
  /** What it printed on the error stream so far. */
  readonly stderr: () => string;
  readonly ended: Promise<CommandRun>;
}

/** Starts `lnsnet` with these words in a folder. */
export function startLnsnet(folder: string, words: readonly string[]): RunningCommand {
  const start = performance.now();
  const child = spawn(process.execPath, ["--import", reportPeak, bin, ...words], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "", peak: "" };
  const streams = { stdout: child.stdio[1], stderr: child.stdio[2], peak: child.stdio[3] };
  for (const name of ["stdout", "stderr", "peak"] as const)
    streams[name]?.on("data", (chunk: Buffer) => {
      texts[name] += chunk;
    });
  const ended = new Promise<CommandRun>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const { stdout, stderr, peak } = texts;
      const seconds = (performance.now() - start) / 1000;
      resolve({ code, signal, stdout, stderr, seconds, peakBytes: peak === "" ? null : Number(peak) });
    });
  });
  return { child, stderr: () => texts.stderr, ended };
}

/**
 * Runs `lnsnet` with these words in a folder to its end.
 *
 * @throws Error with what it said where it is killed or ends with another code than 0
 */
export async function runLnsnet(folder: string, words: readonly string[]): Promise<CommandRun> {
  const run = await startLnsnet(folder, words).ended;
  if (run.code !== 0)
    throw new Error(`lnsnet ${words.join(" ")} ended with code ${run.code}:\n${run.stderr}`);
  return run;
}

const bin = fileURLToPath(new URL("../../packages/cli/bin/lnsnet.js", import.meta.url));
// Tests run the sources, and the command the built file.
const reportPeak = new URL("../dist/report-peak.js", import.meta.url).href;
