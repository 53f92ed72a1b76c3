// lnsnet evaluate: predicted masks against true ones, over the whole volume.

import { InputError } from "@lnsnet/core/errors";
import { surfaceConventions } from "@lnsnet/core/metrics";
import { decimals, type TableColumn, textTable } from "@lnsnet/core/reports";
import { counted } from "@lnsnet/core/text";
import {
  detectionJson,
  detectionText,
  type EvaluatedCase,
  type Evaluation,
  evaluateFiles,
  type ForegroundRules,
  metrics,
  summariseCases,
} from "@lnsnet/node/evaluation";
import { defineCommand } from "citty";
import { csvArgument, forceArgument, jsonArgument, realNumber, wholeNumber } from "../arguments.js";
import { queueArguments, withWorkers } from "../queue-arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const evaluateCommand = defineCommand({
  meta: {
    name: "evaluate",
    description: "Compare predicted masks with true ones: overlap and surface distances per scan",
  },
  args: {
    truth: {
      type: "positional",
      description: "a mask, or a folder of masks (.nii.gz, .nrrd, .mha)",
      required: true,
    },
    prediction: {
      type: "positional",
      description: "the mask to judge, or a folder of them with the same names",
      required: true,
    },
    label: {
      type: "string",
      description:
        "the value that is foreground, in both; by default every value but 0, and each class by itself where dataset.json names several",
      valueHint: "NUMBER",
    },
    "truth-label": {
      type: "string",
      description: "value of foreground in the truth; by default that of --label",
      valueHint: "NUMBER",
    },
    "prediction-label": {
      type: "string",
      description: "value of foreground in the prediction; by default that of --label",
      valueHint: "NUMBER",
    },
    threshold: {
      type: "string",
      description: "read the prediction as a probability map; foreground begins at this probability",
      valueHint: "SHARE",
    },
    classes: {
      type: "string",
      description:
        "the dataset.json that names the classes; by default the one beside the folder of the truth",
      valueHint: "FILE",
    },
    ignore: {
      type: "string",
      description:
        'value of voxels in the truth that nobody judged, which count nowhere; by default what dataset.json calls "ignore"',
      valueHint: "NUMBER",
    },
    images: {
      type: "string",
      description: "the scans, a file or a folder with the same names, for --pictures",
      valueHint: "PATH",
    },
    pictures: {
      type: "string",
      description: "folder for pictures of the best, median and worst case; needs --images",
      valueHint: "FOLDER",
    },
    data: {
      type: "string",
      description: 'what the data are, written on the pictures, such as "phantom"',
      valueHint: "NAME",
    },
    surface: {
      type: "enum",
      description: "whose definition of surface distances to use (docs/metrics.md)",
      options: [...surfaceConventions],
      default: "monai",
    },
    nodes: {
      type: "boolean",
      description: "also match the nodes: which were found (IoU above 0.3), their metrics, false positives",
    },
    split: {
      type: "enum",
      description:
        "what one node is: a connected component of one value, or all of one value; by default the latter in instancesTr and instancesTs",
      options: ["auto", "components", "labels"],
      default: "auto",
    },
    ...queueArguments,
    csv: csvArgument,
    force: forceArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const { images, pictures } = args;
    if ((pictures === undefined) !== (images === undefined))
      throw new InputError("--pictures and --images belong together; give both or neither.");
    const options = {
      ...foregroundRules(args),
      datasetJson: args.classes ?? null,
      surface: args.surface,
      split: args.split,
      nodes: args.nodes === true,
      pictures:
        pictures === undefined || images === undefined
          ? null
          : { images, folder: pictures, dataLabel: args.data ?? null },
      csvPath: args.csv ?? null,
      force: args.force === true,
    };
    const evaluations = await withWorkers(args, (workers) =>
      evaluateFiles(
        args.truth,
        args.prediction,
        { ...options, judge: workers?.judgePair ?? null },
        terminalJob(),
      ),
    );
    if (args.json === true) {
      const ofClasses = evaluations.map(evaluationJson);
      printJson({
        surface: args.surface,
        ...(ofClasses.length === 1 ? ofClasses[0] : { classes: ofClasses }),
      });
      return;
    }
    printText(evaluations.map(evaluationText).join("\n\n"));
  },
});

function evaluationJson({ className, cases, scanNodes }: Evaluation) {
  return {
    ...(className === undefined ? {} : { class: className }),
    cases,
    ...summariseCases(cases),
    ...(scanNodes === null ? {} : detectionJson(scanNodes)),
  };
}

function evaluationText({ className, cases, scanNodes }: Evaluation): string {
  return [
    ...(className === undefined ? [] : [className]),
    evaluationTable(cases),
    ...(scanNodes === null ? [] : [`\n${detectionText(scanNodes)}`]),
  ].join("\n");
}

interface ForegroundValues {
  readonly label?: string | undefined;
  readonly "truth-label"?: string | undefined;
  readonly "prediction-label"?: string | undefined;
  readonly threshold?: string | undefined;
  readonly ignore?: string | undefined;
}

/** @throws InputError for a value that cannot be used, or options that do not go together */
function foregroundRules(args: ForegroundValues): ForegroundRules {
  const labelOf = (option: "label" | "truth-label" | "prediction-label" | "ignore") =>
    args[option] === undefined ? null : wholeNumber(args[option], `--${option}`, 1, 65_535);
  const both = labelOf("label");
  const threshold = args.threshold === undefined ? null : realNumber(args.threshold, "--threshold", 0.001, 1);
  if (threshold !== null && args["prediction-label"] !== undefined)
    throw new InputError(
      "--threshold makes a mask of a probability map, which has no label to choose; leave --prediction-label out.",
    );
  return {
    truthLabel: labelOf("truth-label") ?? both,
    predictionLabel: threshold === null ? (labelOf("prediction-label") ?? both) : null,
    threshold,
    ignored: labelOf("ignore"),
  };
}

/** The cases as a table for a person, with mean ± SD below. */
function evaluationTable(cases: readonly EvaluatedCase[]): string {
  const columns: TableColumn[] = Object.entries(metrics).flatMap(([key, column]) =>
    column.isShort ? { ...column, key, format: decimals(column.digits) } : [],
  );
  const { mean, sd } = summariseCases(cases);
  const footer =
    cases.length > 1
      ? [
          { ...mean, case: "mean" },
          { ...sd, case: "± SD" },
        ]
      : [];
  const empty = cases.filter((row) => row.hd95_mm === null).length;
  const note =
    empty === 0
      ? ""
      : `\n${empty} of ${counted(cases.length, "case")} ${empty === 1 ? "has" : "have"} an empty mask: no distance exists, and the mean distances leave them out.`;
  return `${textTable(
    [{ key: "case", title: "case" }, ...columns],
    cases.map((row) => ({ ...row })),
    footer,
  )}${note}`;
}
