// npm run check -- scans FOLDER: real scans against what other tools read of them. FOLDER has one sub-folder a data set.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "@lnsnet/core";
import { textTable } from "@lnsnet/core/reports";
import { FailedCheck, type ScanCheck, SkippedCheck } from "./scan-check.js";
import { dicomCtChecks } from "./scans-dicom-ct.js";
import { segmentationChecks } from "./scans-segmentations.js";

const checks: readonly ScanCheck[] = [...dicomCtChecks, ...segmentationChecks];

type Outcome = readonly [result: "pass" | "FAIL" | "skip", measured: string];

process.exitCode = await main(process.argv[2]);

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
