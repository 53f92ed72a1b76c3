// The command whose output is full, closed or read late, as shells and pipes make it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { bin, type Ended, run } from "./command.test-helper.js";

const series = fileURLToPath(new URL("../../../fixtures/imaging-cases/ct-control", import.meta.url));

/** Runs Node, and closes the streams of a name at once. */
function node(tokens: readonly string[], closed: readonly ("stdout" | "stderr")[] = []): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, tokens, { stdio: ["ignore", "pipe", "pipe"] });
    const printed = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      if (closed.includes(name)) child[name].destroy();
      else
        child[name].on("data", (chunk) => {
          printed[name] += chunk;
        });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...printed }));
  });
}

const shell = (command: string): Promise<Ended> =>
  run(".", "sh", ["-c", command, "sh", process.execPath, bin, series]);

describe.skipIf(!existsSync("/dev/full"))("a full device", () => {
  test("for stdout ends with a sentence and code 2", async () => {
    const { code, stderr } = await shell('"$1" "$2" info "$3" >/dev/full');
    expect(code).toBe(2);
    expect(stderr).toBe(
      "lnsnet: The printed result is lost, because standard output cannot be written (ENOSPC); free space, or send it elsewhere.\n",
    );
  });

  test.each([
    ["done", '"$1" "$2" info "$3" 2>/dev/full', 0],
    ["refused", '"$1" "$2" info nothing-there 2>/dev/full', 2],
    ["both full", '"$1" "$2" info "$3" >/dev/full 2>/dev/full', 2],
  ])("for stderr keeps the exit code: %s", async (_, command, expected) => {
    expect((await shell(command)).code).toBe(expected);
  });
});

test.each([
  ["stdout, and the work is done", ["info", series, "--json"], "stdout", 0],
  ["stdout, and the work is refused", ["info", "nothing-there"], "stdout", 2],
  ["stderr, and the work is done", ["info", series], "stderr", 0],
  ["stderr, and the work is refused", ["info", "nothing-there"], "stderr", 2],
] as const)("nobody reads %s: no stack trace, the code of the work", async (_, tokens, closed, expected) => {
  const { code, stdout, stderr } = await node([bin, ...tokens], [closed]);
  expect(code).toBe(expected);
  expect(stdout + stderr).not.toMatch(/\n\s+at |EPIPE/);
});

test("what is longer than a pipe holds is not lost where the command fails at once", async () => {
  const module = new URL("../dist/standard-streams.js", import.meta.url).href;
  const script = `
    import { watchStreams } from ${JSON.stringify(module)};
    const streams = watchStreams();
    process.stdout.write("a".repeat(1e6));
    process.stderr.write("b".repeat(1e6));
    await streams.flushed();
    process.exit(2);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  // Read late: the pipes are full by then, and the process would have ended.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const lengths = { stdout: 0, stderr: 0 };
  for (const name of ["stdout", "stderr"] as const)
    child[name].on("data", (chunk: Buffer) => {
      lengths[name] += chunk.length;
    });
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect({ code, ...lengths }).toEqual({ code: 2, stdout: 1e6, stderr: 1e6 });
});
