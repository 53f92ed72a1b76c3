// lnsnet preprocess: the scans of a data set on the working grid, in files that trainings share.
import { openDataset } from "@lnsnet/node/datasets";
import { preprocessDataset, workingSettings } from "@lnsnet/node/training";
import { defineCommand } from "citty";
import {
  datasetArgument,
  foregroundArgument,
  jsonArgument,
  threadCount,
  threadsArgument,
} from "../arguments.js";
import { askedSettings, clickTrainingArguments, leftOutOf, workingArguments } from "../plan-arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const preprocessCommand = defineCommand({
  meta: {
    name: "preprocess",
    description: "Prepare a data set's training scans once, for every training with --cache",
  },
  args: {
    dataset: datasetArgument,
    output: {
      type: "string",
      description: "folder for the prepared scans; those that are already there and up to date are kept",
      valueHint: "FOLDER",
      required: true,
    },
    ...workingArguments,
    ...clickTrainingArguments,
    foreground: foregroundArgument,
    threads: threadsArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const threads = threadCount(args.threads);
    const dataset = await openDataset(args.dataset, args.foreground);
    const leftOut = leftOutOf(args, dataset);
    const working = await workingSettings(dataset, askedSettings(args));
    const settings = { ...working, ...(leftOut === undefined ? {} : { leftOut }) };
    const written = await preprocessDataset(dataset, args.output, settings, { threads }, terminalJob());
    const cases = dataset.training.length;
    if (args.json === true)
      printJson({
        output: args.output,
        cases,
        written,
        spacing_mm: settings.spacingMm,
        window_hu: [settings.window.lowHu, settings.window.highHu],
      });
    else
      printText(
        `${args.output}: ${cases} prepared scans of ${settings.spacingMm.join("×")} mm, ${written} of them new.\nTrain on them with lnsnet train ${args.dataset}${leftOut === undefined ? "" : " --clicks"} --cache ${args.output}`,
      );
  },
});
