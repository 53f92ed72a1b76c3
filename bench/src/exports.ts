// npm run check -- exports [SERIES]: writes masks in every format, and has other tools read them (bench/exports).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { InputError } from "@lnsnet/core";
import { pythonWith } from "./python.js";
import { writeExports } from "./write-exports.js";

const help = `npm run check -- exports [SERIES]

Writes masks in every format and has pydicom, nibabel and matplotlib read them. SERIES is a folder of a DICOM CT; without
it, one is drawn. Exit code 1 where one of them reads something else.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (values.help) console.log(help);
else process.exitCode = await main(positionals[0]);

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
