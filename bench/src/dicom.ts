// npm run check:dicom [-- SERIES]: writes SEG and RTSTRUCT, and has other tools read them (bench/dicom).
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pythonWith } from "./python.js";
import { writeSegmentations } from "./write-segmentations.js";

process.exitCode = await main(process.argv[2]);

async function main(seriesFolder: string | undefined): Promise<number> {
  const python = pythonWith("numpy, pydicom, matplotlib");
  if (python === null) {
    console.error("No Python with pydicom and matplotlib was found; install them, or name one in $PYTHON.");
    return 2;
  }
  const folder = mkdtempSync(join(tmpdir(), "lnsnet-dicom-"));
  try {
    await writeSegmentations(folder, seriesFolder);
    const script = fileURLToPath(new URL("../dicom/check_dicom.py", import.meta.url));
    return spawnSync(python, [script, folder], { stdio: "inherit" }).status ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
