#!/usr/bin/env node
// Starts the command. A fresh clone holds no compiled code (npm runs no install scripts here), so its first call compiles it.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

if (!existsSync(new URL("../dist/main.js", import.meta.url))) {
  process.stderr.write("lnsnet: compiling the sources, which the first call in a fresh clone does once.\n");
  const root = fileURLToPath(new URL("../../..", import.meta.url));
  const compiler = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
  execFileSync(process.execPath, [compiler, "--build", "--force"], { cwd: root, stdio: "inherit" });
}
await import("../dist/main.js");
