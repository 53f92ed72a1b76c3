// lnsnet dataset fingerprint: what a data set's scans and nodes are like, as JSON and as a report.
import { counted } from "@lnsnet/core/text";
import { writeFingerprint } from "@lnsnet/node/making";
import { defineCommand } from "citty";
import { datasetArgument, foregroundArgument, threadCount, threadsArgument } from "../arguments.js";
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
    const threads = threadCount(args.threads);
    const { fingerprint, name, scans, paths } = await writeFingerprint(
      args.dataset,
      { foreground: args.foreground, threads, output: args.output, force: args.force === true },
      terminalJob(),
    );
    if (args.json === true) printJson(fingerprint);
    else
      printText(
        `${name}: ${counted(scans, "scan")}, ${counted(fingerprint.nodes.total, "connected component")} of foreground.\n${paths.json}\n${paths.html}`,
      );
  },
});
