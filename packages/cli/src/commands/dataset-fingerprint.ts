// lnsnet dataset fingerprint: what a data set's scans and nodes are like, as JSON and as a report.
import { join } from "node:path";
import { counted, InputError } from "@lnsnet/core";
import {
  ensureWritableFolder,
  fingerprintOf,
  fingerprintReport,
  hasImage,
  openDataset,
  requireFreeFile,
  surveyDataset,
  writeAtomically,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { datasetArgument, foregroundArgument, threadsArgument, wholeNumber } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const datasetFingerprintCommand = defineCommand({
  meta: {
    name: "dataset fingerprint",
    description: "Write spacing, size, HU and nodes of a data set as fingerprint.json and fingerprint.html",
  },
  args: {
    dataset: datasetArgument,
    output: {
      type: "string",
      description: "folder for the two files; by default the data set's",
      valueHint: "FOLDER",
    },
    foreground: foregroundArgument,
    threads: threadsArgument,
    force: { type: "boolean", description: "replace an existing fingerprint" },
    json: { type: "boolean", description: "print the JSON too" },
  },
  async run({ args }) {
    const threads = wholeNumber(args.threads, "--threads", 1, 64);
    const output = args.output ?? args.dataset;
    const dataset = await openDataset(args.dataset, args.foreground);
    await ensureWritableFolder(output);
    const paths = { json: join(output, "fingerprint.json"), html: join(output, "fingerprint.html") };
    for (const path of Object.values(paths)) await requireFreeFile(path, { force: args.force === true });
    const surveys = await surveyDataset(dataset, { threads, stage: "fingerprint" }, terminalJob());
    if (!surveys.some(hasImage))
      throw new InputError(
        `${args.dataset} holds no image that can be read; see "lnsnet dataset check ${args.dataset}".`,
      );
    const fingerprint = fingerprintOf(dataset, surveys);
    await writeAtomically(paths.json, `${JSON.stringify(fingerprint, null, 2)}\n`);
    const command = `lnsnet dataset fingerprint ${args.dataset}`;
    await writeAtomically(paths.html, fingerprintReport(fingerprint, surveys, command));
    if (args.json === true) printJson(fingerprint);
    else
      printText(
        `${dataset.name}: ${counted(surveys.length, "scan")}, ${counted(fingerprint.nodes.total, "body", "bodies")} of foreground.\n${paths.json}\n${paths.html}`,
      );
  },
});
