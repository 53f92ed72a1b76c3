// Every bench and check starts and says what it is for.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const script = new URL("../dist/run.js", import.meta.url).href;

const helper = fileURLToPath(new URL("printed.test-helper.mjs", import.meta.url));

const run = (...words: string[]) =>
  spawnSync(process.execPath, [fileURLToPath(script), ...words], { encoding: "utf8" });

/** What each command of a list prints, in one process, since each would load the whole library anew. */
function printedBy(commands: readonly (readonly string[])[]): readonly { text: string; code: number }[] {
  const { stdout, stderr } = spawnSync(process.execPath, [helper, script, JSON.stringify(commands)], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

describe.each(["bench", "check"])("npm run %s", (kind) => {
  const names = run(kind, "--list")
    .stdout.split("\n")
    .slice(2)
    .flatMap((line) => line.match(/^[\w-]+/)?.[0] ?? []);

  test("lists what there is, and each says with --help what it is for, and ends", () => {
    expect(names.length).toBeGreaterThan(5);
    const printed = printedBy(names.map((name) => [kind, name, "--help"]));
    expect(printed).toEqual(
      names.map((name) => ({ text: expect.stringContaining(`npm run ${kind} -- ${name}`), code: 0 })),
    );
  });
});
