// Builds before the tests run, since those of the command run what is built; in watch mode before every run.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import type { TestProject } from "vitest/node";

const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

export function setup(project: TestProject): void {
  build();
  project.onTestsRerun(async () => build());
}

/** @throws Error where the code does not compile; what the compiler found is printed */
function build(): void {
  try {
    execFileSync(process.execPath, [compiler, "--build"], { cwd: import.meta.dirname, stdio: "inherit" });
  } catch {
    throw new Error("The code does not compile; no test was run.");
  }
}
