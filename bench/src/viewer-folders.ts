// npm run check -- viewer-folders FOLDER: DICOM folders in the viewer's page, by pixels read back from its canvas, beside
// the library. FOLDER has one sub-folder a data set.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { InputError } from "@lnsnet/core";

const help = `npm run check -- viewer-folders FOLDER

Opens the DICOM folders of FOLDER (a sub-folder for each data set) in the viewer, in Chromium, and compares the pixels of
its three planes with the library's own resampling. Prints the share of pixels that differ; exit code 1 where a plane lies
otherwise, or the page refuses what the library reads. A data set that is not there is skipped.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (values.help) console.log(help);
else process.exitCode = openFolders(positionals[0]);

function openFolders(folder: string | undefined): number {
  if (folder === undefined || !existsSync(folder))
    throw new InputError("Name the folder of the scans: npm run check -- viewer-folders FOLDER.");
  // The page test of small folders, on these.
  const { status } = spawnSync("npx", ["vitest", "run", "apps/viewer/src/folders.page.test.ts"], {
    stdio: "inherit",
    env: { ...process.env, LNSNET_SCANS: resolve(folder) },
  });
  return status ?? 1;
}
