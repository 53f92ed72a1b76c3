// lnsnet crossvalidate: the paper's protocol on a data set, in one folder that ends with tables and a report.
import { InputError } from "@lnsnet/core/errors";
import { openDataset, patientRule } from "@lnsnet/node/datasets";
import {
  crossValidate,
  type ExperimentSettings,
  experimentFiles,
  summaryText,
} from "@lnsnet/node/experiments";
import { hashOfFile } from "@lnsnet/node/files";
import { defineCommand } from "citty";
import { jsonArgument, splitsArgument, wholeNumber } from "../arguments.js";
import { experimentArguments } from "../experiment-arguments.js";
import { planArguments, planOf } from "../plan-arguments.js";
import { queueArguments, withWorkers } from "../queue-arguments.js";
import { segmentingArguments, segmentingOptions } from "../segmenting-arguments.js";
import { commandLine } from "../terminal/command-line.js";
import { printJson, printProblems, printText, terminalJob } from "../terminal/terminal.js";
import { regimeArguments, trainingOptions } from "../training-arguments.js";

export const crossvalidateCommand = defineCommand({
  meta: {
    name: "crossvalidate",
    description:
      "Train and judge a network on every fold of a data set and on its test set. The same command again continues where it stopped",
  },
  args: {
    dataset: experimentArguments.dataset,
    output: {
      type: "string",
      description: "folder of the experiment: folds, predictions, tables, report",
      default: "experiment",
      valueHint: "FOLDER",
    },
    folds: { type: "string", description: "number of folds", default: "5", valueHint: "NUMBER" },
    fold: {
      type: "string",
      description: "run only this fold (the first is 0), to use several processes or machines",
      valueHint: "NUMBER",
    },
    collect: {
      type: "boolean",
      description: "train nothing; collect the results of folds that were trained separately",
    },
    ...queueArguments,
    splits: splitsArgument,
    protocol: experimentArguments.protocol,
    ...segmentingArguments,
    ...planArguments,
    ...regimeArguments,
    data: experimentArguments.data,
    force: experimentArguments.force,
    json: jsonArgument,
  },
  async run({ args }) {
    const folds = wholeNumber(args.folds, "--folds", 2, 1000);
    const fold = args.fold === undefined ? null : wholeNumber(args.fold, "--fold", 0, folds - 1);
    if (fold !== null && args.collect === true)
      throw new InputError("--fold trains one fold and --collect trains none; give one of the two.");
    if (args.queue !== undefined && (fold !== null || args.collect === true))
      throw new InputError("--queue does all folds and collects them; leave --fold and --collect out.");
    const { threads, ...training } = trainingOptions(args);
    const prediction = segmentingOptions(args);
    const dataset = await openDataset(args.dataset, args.foreground);
    const configuration: ExperimentSettings = {
      dataset: dataset.name,
      network: args.network,
      folds,
      plan: await planOf(args, dataset),
      training,
      startingWeights: args.weights === undefined ? null : await hashOfFile(args.weights),
      prediction,
      protocol: args.protocol,
    };
    const patients = patientRule(dataset, args["patient-pattern"]);
    const experiment = {
      folder: args.output,
      configuration,
      dataset,
      dataLabel: args.data ?? dataset.name,
      patients,
      splitsPath: args.splits ?? null,
      threads,
      cacheFolder: args.cache ?? null,
      weightsPath: args.weights ?? null,
      trainsAgain: args.force === true,
      command: commandLine(),
      holder: "lnsnet crossvalidate",
      part: fold ?? (args.collect === true ? "gathering" : "all"),
    } as const;
    const result = await withWorkers(args, (elsewhere) =>
      crossValidate({ ...experiment, elsewhere }, terminalJob()),
    );
    if (result === null) {
      printText(
        `Fold ${fold} of ${folds} is trained and its cases are predicted. Do the others, and then the same command with --collect instead of --fold ${fold}.`,
      );
      return;
    }
    printProblems(result.warnings);
    const { report, cases, nodes, summary } = experimentFiles(args.output);
    if (args.json === true) printJson({ report, summary: result.summary });
    else
      printText(
        `${summaryText(result)}\n\nReport: ${report}\nTables: ${[cases.csv, nodes.csv, summary.csv].join(", ")}\nResearch use only.`,
      );
  },
});
