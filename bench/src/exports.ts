// npm run check -- exports [SERIES]: writes masks in every format, and has other tools read them (bench/exports).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "@lnsnet/core";
import { pythonWith } from "./python.js";
import { writeExports } from "./write-exports.js";

process.exitCode = await main(process.argv[2]);

async function main(seriesFolder: string | undefined): Promise<number> {
  const python = pythonWith("numpy, pydicom, nibabel, matplotlib");
  if (python === null)
    throw new InputError(
      "No Python with pydicom, nibabel and matplotlib was found; install them, or name one in $PYTHON.",
    );
  const folder = mkdtempSync(join(tmpdir(), "lnsnet-exports-"));
  try {
    await writeExports(folder, seriesFolder);
    const script = fileURLToPath(new URL("../exports/check_exports.py", import.meta.url));
    return spawnSync(python, [script, folder], { stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
