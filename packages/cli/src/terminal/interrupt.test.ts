// Signals that ask a process to end, sent to processes that work.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";

const module = new URL("../../dist/terminal/interrupt.js", import.meta.url).href;
/** Works until it is asked to stop, and then saves; or never looks at the signal. */
const script = `
  const { interruptSignal } = await import(${JSON.stringify(module)});
  const signal = interruptSignal();
  console.log("works");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (process.argv[1] === "deaf") continue;
    try {
      signal.throwIfAborted();
    } catch (error) {
      console.log("saved");
      process.exit(error.exitCode);
    }
  }`;

/** How a process ends that is sent signals, each when it has said something. */
async function endedBy(mode: "saves" | "deaf", ...signals: NodeJS.Signals[]) {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script, mode]);
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk) => {
      texts[name] += chunk;
      const next = signals.shift();
      if (next !== undefined) child.kill(next);
    });
  const [code] = await once(child, "close");
  return { code, ...texts };
}

describe.skipIf(process.platform === "win32")("a signal", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("%s lets work save, and ends with code %i", async (signal, expected) => {
    const { code, stdout, stderr } = await endedBy("saves", signal);
    expect(stdout).toContain("saved");
    expect(stderr).toMatch(/stopping as soon as the work is safe/);
    expect(code).toBe(expected);
  });

  test("sent twice ends at once", async () => {
    expect((await endedBy("deaf", "SIGINT", "SIGTERM")).code).toBe(143);
  });
});
