// lnsnet dataset check: every problem of a data set in one table.

import { type TableColumn, textTable } from "@lnsnet/core/reports";
import { counted } from "@lnsnet/core/text";
import { checkDataset, type Finding } from "@lnsnet/node/making";
import { defineCommand } from "citty";
import {
  datasetArgument,
  foregroundArgument,
  jsonArgument,
  threadCount,
  threadsArgument,
} from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const datasetCheckCommand = defineCommand({
  meta: {
    name: "dataset check",
    description: "List every geometry and label problem of a data set; exit code 2 if there are errors",
  },
  args: {
    dataset: datasetArgument,
    foreground: foregroundArgument,
    threads: threadsArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const threads = threadCount(args.threads);
    const { dataset, cases, findings } = await checkDataset(
      args.dataset,
      { foreground: args.foreground, threads },
      terminalJob(),
    );
    const errors = findings.filter(({ severity }) => severity === "error").length;
    if (args.json === true)
      printJson({
        dataset: dataset.name,
        cases,
        errors,
        warnings: findings.length - errors,
        findings,
      });
    else printText(checkText(cases, errors, findings));
    if (errors > 0) process.exitCode = 2;
  },
});

type Key = "severity" | "case" | "kind" | "message";
const columns: readonly TableColumn<Key>[] = [
  { key: "severity", title: "severity" },
  { key: "case", title: "case" },
  { key: "kind", title: "kind" },
  { key: "message", title: "what was found" },
];

function checkText(cases: number, errors: number, findings: readonly Finding[]): string {
  const warnings = findings.length - errors;
  const summary = `${counted(cases, "case")}: ${counted(errors, "error")}, ${counted(warnings, "warning")}.`;
  return findings.length === 0 ? summary : `${textTable(columns, findings)}\n\n${summary}`;
}
