// Runs the command as a user does: the built code in a process of its own.
import { spawn } from "node:child_process";
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
