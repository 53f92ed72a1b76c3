// npm run check -- scans FOLDER: real scans against what other tools read of them. FOLDER has one sub-folder a data set.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { InputError } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { FailedCheck, type ScanCheck, SkippedCheck } from "./scan-check.js";
import { dicomCtChecks } from "./scans-dicom-ct.js";
import { segmentationChecks } from "./scans-segmentations.js";

const checks: readonly ScanCheck[] = [...dicomCtChecks, ...segmentationChecks];

type Outcome = readonly [result: "pass" | "FAIL" | "skip", measured: string];

const help = `npm run check -- scans FOLDER

Reads the real scans of FOLDER (a sub-folder for each data set) and compares them with what other tools read. Exit code 1
where something differs; a data set that is not there is skipped.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", default: false } },
});
if (values.help) console.log(help);
else process.exitCode = await main(positionals[0]);

async function main(root: string | undefined): Promise<number> {
  if (root === undefined || !existsSync(root))
    throw new InputError("Name the folder of the scans: npm run check -- scans FOLDER.");
  const rows = [];
  for (const check of checks) {
    const [result, measured] = await outcomeOf(check, join(root, check.folder));
    rows.push({ check: `${check.folder}: ${check.name}`, result, measured });
  }
  const columns = (["result", "check", "measured"] as const).map((key) => ({ key, title: key }));
  console.log(textTable(columns, rows));
  return rows.some(({ result }) => result === "FAIL") ? 1 : 0;
}

async function outcomeOf(check: ScanCheck, folder: string): Promise<Outcome> {
  if (!existsSync(folder)) return ["skip", "no such folder"];
  try {
    return ["pass", await check.run(folder)];
  } catch (error) {
    if (error instanceof SkippedCheck) return ["skip", error.message];
    if (error instanceof FailedCheck || error instanceof InputError) return ["FAIL", error.message];
    throw error;
  }
}
