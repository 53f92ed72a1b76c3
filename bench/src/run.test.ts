// Every bench and check starts and says what it is for.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const script = fileURLToPath(new URL("../dist/run.js", import.meta.url));

const run = (...words: string[]) => spawnSync(process.execPath, [script, ...words], { encoding: "utf8" });

describe.each(["bench", "check"])("npm run %s", (kind) => {
  const names = run(kind, "--list")
    .stdout.split("\n")
    .slice(2)
    .flatMap((line) => line.match(/^[\w-]+/)?.[0] ?? []);

  test("lists what there is", () => {
    expect(names.length).toBeGreaterThan(5);
  });

  test.each(names)("%s --help names it and ends", (name) => {
    const { status, stdout, stderr } = run(kind, name, "--help");
    expect(stderr).toBe("");
    expect(stdout).toMatch(`npm run ${kind} -- ${name}`);
    expect(status).toBe(0);
  });
});
