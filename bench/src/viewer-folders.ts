// npm run check -- viewer-folders FOLDER: the DICOM folders of a collection of scans in the viewer's page, by pixels read
// back from its canvas, beside the library. FOLDER has one sub-folder a data set; needs Chromium.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { InputError } from "@lnsnet/core";

const folder = process.argv[2];
if (folder === undefined || !existsSync(folder))
  throw new InputError("Name the folder of the scans: npm run check -- viewer-folders FOLDER.");
const { status } = spawnSync("npx", ["vitest", "run", "apps/viewer/src/folders.page.test.ts"], {
  stdio: "inherit",
  env: { ...process.env, LNSNET_SCANS: resolve(folder) },
});
process.exitCode = status ?? 1;
