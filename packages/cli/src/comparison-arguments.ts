// The options of commands that train several networks side by side, and the work of these commands.
import { InputError } from "@lnsnet/core/errors";
import type { Plan } from "@lnsnet/core/models";
import { type Dataset, openDataset, patientRule } from "@lnsnet/node/datasets";
import {
  type Compared,
  compareNetworks,
  comparisonFiles,
  comparisonText,
  patchForAll,
  type protocols,
} from "@lnsnet/node/experiments";
import type { ArgsDef } from "citty";
import { jsonArgument, splitsArgument, threeNumbers, wholeNumber } from "./arguments.js";
import { experimentArguments } from "./experiment-arguments.js";
import { type PlanValues, planArguments, planWith } from "./plan-arguments.js";
import { queueArguments, withWorkers } from "./queue-arguments.js";
import { type SegmentingValues, segmentingArguments, segmentingOptions } from "./segmenting-arguments.js";
import { commandLine } from "./terminal/command-line.js";
import { printJson, printProblems, printText, terminalJob } from "./terminal/terminal.js";
import { type RegimeValues, regimeArguments, trainingOptions } from "./training-arguments.js";

const { network: _, patch, ...sharedPlanArguments } = planArguments;
const { weights: __, train: ___, stations: ____, ...sharedRegimeArguments } = regimeArguments;
const defaultPatch = threeNumbers(patch.default, "--patch", 1, 4096);

export const comparisonArguments = {
  folds: { type: "string", description: "number of folds", default: "5", valueHint: "NUMBER" },
  fold: {
    type: "string",
    description: "train only this fold (the first is 0), to use several processes or machines",
    valueHint: "NUMBER",
  },
  only: {
    type: "string",
    description: "train only these of them, separated by commas, to use several processes or machines",
    valueHint: "NAMES",
  },
  collect: {
    type: "boolean",
    description: "train nothing; collect what is finished, and say what is missing",
  },
  ...queueArguments,
  splits: splitsArgument,
  protocol: experimentArguments.protocol,
  patch: {
    type: "string",
    description: `size of patches in voxels: depth, height, width; by default ${patch.default}, or the next larger that all networks take`,
    valueHint: "D,H,W",
  },
  ...sharedPlanArguments,
  ...segmentingArguments,
  ...sharedRegimeArguments,
  "validate-every": {
    ...regimeArguments["validate-every"],
    description: "steps between validations; none by default, so that no scans are set aside for them",
    default: "0",
  },
  data: experimentArguments.data,
  force: experimentArguments.force,
  json: jsonArgument,
} as const satisfies ArgsDef;

/** The options as citty hands them over. */
interface ComparisonValues
  extends Omit<RegimeValues, "train" | "weights" | "stations">,
    Omit<PlanValues, "network" | "patch">,
    SegmentingValues {
  readonly dataset: string;
  readonly output: string;
  readonly folds: string;
  readonly fold?: string | undefined;
  readonly only?: string | undefined;
  readonly collect?: boolean | undefined;
  readonly queue?: string | undefined;
  readonly shared?: string | undefined;
  readonly splits?: string | undefined;
  readonly protocol: (typeof protocols)[number];
  readonly patch?: string | undefined;
  readonly foreground?: string | undefined;
  readonly "patient-pattern"?: string | undefined;
  readonly data?: string | undefined;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** The names in a list with commas; null where there is none. */
export const namesIn = (text: string | undefined): string[] | null =>
  text === undefined ? null : text.split(",").map((name) => name.trim());

/**
 * Compares networks as the options ask, and prints the tables.
 *
 * @param command such as "lnsnet compare"
 * @param title such as "Compared networks"
 * @param comparedFor what is compared on a data set
 * @throws InputError as `compareNetworks`, and for a value that cannot be used
 */
export async function runComparison(
  values: ComparisonValues,
  { command, title }: { readonly command: string; readonly title: string },
  comparedFor: (dataset: Dataset) => readonly Compared[] | Promise<readonly Compared[]>,
): Promise<void> {
  const folds = wholeNumber(values.folds, "--folds", 2, 1000);
  const fold = values.fold === undefined ? null : wholeNumber(values.fold, "--fold", 0, folds - 1);
  const only = namesIn(values.only);
  const isPart = fold !== null || only !== null;
  if (isPart && values.collect === true)
    throw new InputError(
      "--fold and --only train a part and --collect trains nothing; give one or the other.",
    );
  if (values.queue !== undefined && (isPart || values.collect === true))
    throw new InputError("--queue does all parts and collects them; leave --fold, --only and --collect out.");
  const { threads, ...training } = trainingOptions({ ...values, train: "all", stations: "0" });
  const dataset = await openDataset(values.dataset, values.foreground);
  const compared = await comparedFor(dataset);
  const patchSize = patchOf(values.patch, compared);
  const plan = await planWith({ network: compared[0].network, patchSize }, values, dataset);
  const dataLabel = values.data ?? dataset.name;
  const request = {
    folder: values.output,
    title,
    compared,
    configuration: {
      dataset: dataset.name,
      folds,
      plan,
      training,
      prediction: segmentingOptions(values),
      protocol: values.protocol,
    },
    dataset,
    dataLabel,
    patients: patientRule(dataset, values["patient-pattern"]),
    splitsPath: values.splits ?? null,
    threads,
    cacheFolder: values.cache ?? null,
    trainsAgain: values.force === true,
    command: commandLine(),
    holder: command,
    part: isPart ? { fold, only } : values.collect === true ? ("gathering" as const) : ("all" as const),
  };
  const result = await withWorkers(values, (elsewhere) =>
    compareNetworks({ ...request, elsewhere }, terminalJob()),
  );
  if (result === null) {
    printText(
      `${fold === null ? "All folds" : `Fold ${fold}`} of ${only === null ? "all" : only.join(", ")} ${fold === null ? "are" : "is"} trained and judged. Do the other parts, and then the same command with --collect in place of --fold and --only.`,
    );
    return;
  }
  printProblems(result.missing);
  if (result.hasFailed) process.exitCode = 2;
  const files = comparisonFiles(values.output);
  if (values.json === true) printJson({ report: files.report, table: files.json, missing: result.missing });
  else
    printText(
      `${comparisonText(request, result)}\n\nReport: ${files.report}\nTables: ${[files.csv, files.markdown].join(", ")}\nResearch use only.`,
    );
}

/** As given; else the default, or the next larger that all take. */
function patchOf(text: string | undefined, compared: readonly Compared[]): Plan["patchSize"] {
  return text === undefined ? patchForAll(compared, defaultPatch) : threeNumbers(text, "--patch", 1, 4096);
}
