// lnsnet evaluate: predicted masks against true ones, over the whole volume.
import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  counted,
  detectNodes,
  evaluateCase,
  InputError,
  overlayPng,
  summarise,
  type Volume,
} from "@lnsnet/core";
import { volumeFormatOf } from "@lnsnet/core/formats";
import { type SurfaceConvention, surfaceConventions } from "@lnsnet/core/metrics";
import { csvTable, type TableColumn, type TableRow, textTable } from "@lnsnet/core/reports";
import { type IntegerVoxelArray, maskWhere } from "@lnsnet/core/volume";
import type { NodeSplit } from "@lnsnet/core/voxels";
import type { Job } from "@lnsnet/node";
import {
  type ComparedPair,
  caseId,
  checkValues,
  detectionJson,
  detectionText,
  ensureWritableFolder,
  type ForegroundRules,
  fileError,
  forEachMetric,
  isFolder,
  listed,
  type MaskPair,
  type MetricName,
  type MetricRow,
  metricNames,
  metricRow,
  metrics,
  readPair,
  readScan,
  requireFreeFile,
  requirePath,
  type ScanNodes,
  writeAtomically,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { forceArgument, realNumber, wholeNumber } from "../arguments.js";
import { printJson, printProblems, printText, terminalJob } from "../terminal/terminal.js";

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
      description: "the value that is foreground, in both; by default every value but 0",
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
    csv: { type: "string", description: "write the metrics of each scan to a file too", valueHint: "FILE" },
    force: forceArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    if ((args.pictures === undefined) !== (args.images === undefined))
      throw new InputError("--pictures and --images belong together; give both or neither.");
    const rules = { ...foregroundRules(args), surface: args.surface, split: args.split };
    const inputs = [args.truth, args.prediction, ...(args.images === undefined ? [] : [args.images])];
    const outputs = args.pictures === undefined ? [] : picturePaths(args.pictures);
    for (const path of [...outputs, ...(args.csv === undefined ? [] : [args.csv])])
      await requireFreeFile(path, { inputs, force: args.force === true });
    const pairs = await pairMasks(args.truth, args.prediction);
    const scans = args.images === undefined ? null : await scansByCase(args.images, pairs);
    const scanNodes: ScanNodes[] | null = args.nodes === true ? [] : null;
    const { cases, problems } = await evaluatePairs(pairs, rules, scanNodes, terminalJob());
    printProblems(problems);
    if (scans && args.pictures !== undefined)
      await writePictures(args.pictures, cases, pairs, scans, rules, args.data ?? null);
    if (args.csv !== undefined) await writeAtomically(args.csv, csvTable(csvColumns, cases.map(asRow)));
    if (args.json === true) {
      const nodes = scanNodes === null ? {} : detectionJson(scanNodes);
      printJson({ surface: args.surface, cases, ...summaryOf(cases), ...nodes });
      return;
    }
    printText(evaluationTable(cases));
    if (scanNodes !== null) printText(`\n${detectionText(scanNodes)}`);
  },
});

/** How the two masks of a scan are compared. */
export interface EvaluationRules extends ForegroundRules {
  /** Whose definitions hold. */
  readonly surface: SurfaceConvention;
  /** What one node is. */
  readonly split: "auto" | NodeSplit;
}

interface ForegroundValues {
  readonly label?: string | undefined;
  readonly "truth-label"?: string | undefined;
  readonly "prediction-label"?: string | undefined;
  readonly threshold?: string | undefined;
}

/** @throws InputError for a value that cannot be used, or options that do not go together */
function foregroundRules(args: ForegroundValues): ForegroundRules {
  const labelOf = (option: "label" | "truth-label" | "prediction-label") =>
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
  };
}

/** A row of the result, with the names of the JSON output. A distance is null where a mask is empty. */
export interface EvaluatedCase extends MetricRow {
  readonly case: string;
}

/**
 * The masks that belong together: the two files, or the files of two folders by case name.
 *
 * @throws InputError where a path is missing, one is a file and the other a folder, or masks have no counterpart
 */
export async function pairMasks(truth: string, prediction: string): Promise<MaskPair[]> {
  await requirePath(truth);
  await requirePath(prediction);
  const [truthIsFolder, predictionIsFolder] = [await isFolder(truth), await isFolder(prediction)];
  if (truthIsFolder !== predictionIsFolder) {
    const [folder, file] = truthIsFolder ? [truth, prediction] : [prediction, truth];
    throw new InputError(`${folder} is a folder and ${file} is a file; give two files or two folders.`);
  }
  if (!truthIsFolder) return [{ case: caseId(truth), truthPath: truth, predictionPath: prediction }];
  const truths = await masksIn(truth);
  const predictions = await masksIn(prediction);
  if (truths.size === 0)
    throw new InputError(
      `${truth} holds no mask, and volume files, such as .nii.gz, are expected; name another folder.`,
    );
  const missing = [...truths.keys()].filter((id) => !predictions.has(id));
  if (missing.length > 0) {
    throw new InputError(
      `${prediction} has no mask for ${missing.length} of the ${counted(truths.size, "case")} of ${truth}: ${listed(missing)}; predict them, or leave their truth out.`,
    );
  }
  const extra = [...predictions.keys()].filter((id) => !truths.has(id));
  if (extra.length > 0) {
    throw new InputError(
      `${truth} has no mask for ${extra.length} of the ${counted(predictions.size, "case")} of ${prediction}: ${listed(extra)}; add their truth, or leave them out.`,
    );
  }
  return [...truths].map(([id, truthPath]) => ({
    case: id,
    truthPath,
    predictionPath: predictions.get(id) ?? truthPath,
  }));
}

/**
 * The metrics of each pair, in order; and what is odd about the values, a sentence each.
 *
 * @param scanNodes where the nodes of each pair are added; null does not match nodes
 * @throws InputError where a file cannot be used, the two masks have different geometry, or no file holds the label
 */
export async function evaluatePairs(
  pairs: readonly MaskPair[],
  rules: EvaluationRules,
  scanNodes: ScanNodes[] | null = null,
  job: Job = {},
): Promise<{ cases: EvaluatedCase[]; problems: string[] }> {
  const { surface } = rules;
  const stage = { stage: "evaluate", unit: "scan", total: pairs.length };
  const cases: EvaluatedCase[] = [];
  const values: Pick<ComparedPair, "truthValues" | "predictionValues">[] = [];
  for (const pair of pairs) {
    job.signal?.throwIfAborted();
    const { truth, prediction, truthValues, predictionValues } = await readPair(pair, rules);
    values.push({ truthValues, predictionValues });
    cases.push({ case: pair.case, ...metricRow(evaluateCase(maskOf(truth), maskOf(prediction), surface)) });
    if (scanNodes !== null) {
      const detection = detectNodes(truth, prediction, {
        truthSplit: splitOf(pair.truthPath, rules.split),
        predictionSplit: splitOf(pair.predictionPath, rules.split),
        surface,
      });
      scanNodes.push({ case: pair.case, detection });
    }
    if (pairs.length > 1) job.onProgress?.({ ...stage, done: cases.length, text: pair.case });
  }
  return { cases, problems: checkValues(values, rules) };
}

/** In the folders of instances, as `phantom` and `dataset import` write them, each value is a node, in however many pieces. */
function splitOf(path: string, split: EvaluationRules["split"]): NodeSplit {
  if (split !== "auto") return split;
  return /^instances(Tr|Ts)$/.test(basename(dirname(resolve(path)))) ? "labels" : "components";
}

/** The scan of each case. */
async function scansByCase(path: string, pairs: readonly MaskPair[]): Promise<Map<string, string>> {
  await requirePath(path);
  const scans = (await isFolder(path)) ? await masksIn(path) : new Map([[caseId(path), path]]);
  const missing = pairs.filter((pair) => !scans.has(pair.case)).map((pair) => pair.case);
  if (missing.length > 0)
    throw new InputError(
      `${path} has no scan of ${listed(missing)}; name the folder that holds NAME_0000.nii.gz of each case.`,
    );
  return scans;
}

const pictureNames = ["best", "median", "worst"] as const;

const picturePaths = (folder: string): string[] => pictureNames.map((name) => join(folder, `${name}.png`));

/** Pictures of the best, the median and the worst case by DSC, each with truth and prediction outlined. */
async function writePictures(
  folder: string,
  cases: readonly EvaluatedCase[],
  pairs: readonly MaskPair[],
  scans: ReadonlyMap<string, string>,
  rules: ForegroundRules,
  data: string | null,
): Promise<void> {
  await ensureWritableFolder(folder);
  const ranked = cases
    .map((one, index) => ({ one, pair: pairs[index] }))
    .sort((a, b) => (b.one.dsc ?? 0) - (a.one.dsc ?? 0));
  const ranks = { best: 0, median: Math.floor((ranked.length - 1) / 2), worst: ranked.length - 1 };
  for (const name of pictureNames) {
    const { one, pair } = ranked[ranks[name]];
    const scan = scans.get(one.case);
    if (scan === undefined) throw new Error(`no scan of ${one.case}`);
    const { truth, prediction } = await readPair(pair, rules);
    const caption = [data, one.case, `${name} DSC ${one.dsc?.toFixed(3)}`, "research use only"];
    const picture = overlayPng(await readScan(scan), maskOf(truth), maskOf(prediction), {
      caption: caption.filter((part) => part !== null).join(" - "),
    });
    await writeAtomically(join(folder, `${name}.png`), picture);
  }
}

/** Of each metric, figures over the cases that have it, and how many have not: a missed scan has no distance, so a mean
 * distance flatters a model that misses. */
export function summaryOf(
  cases: readonly EvaluatedCase[],
): Record<"mean" | "sd" | "nulls", Record<MetricName, number | null>> {
  const summaries = forEachMetric((name) => summarise(cases.map((one) => one[name])));
  return {
    mean: forEachMetric((name) => summaries[name].mean),
    sd: forEachMetric((name) => summaries[name].sd),
    nulls: forEachMetric((name) => summaries[name].nulls),
  };
}

/** The cases as a table for a person, with mean ± SD below. */
export function evaluationTable(cases: readonly EvaluatedCase[]): string {
  const columns: TableColumn[] = Object.entries(metrics).flatMap(([key, column]) =>
    column.isShort ? { ...column, key, format: (value: number) => value.toFixed(column.digits) } : [],
  );
  const { mean, sd } = summaryOf(cases);
  const footer =
    cases.length > 1
      ? [
          { ...mean, case: "mean" },
          { ...sd, case: "± SD" },
        ]
      : [];
  const empty = cases.filter((one) => one.hd95_mm === null).length;
  const note =
    empty === 0
      ? ""
      : `\n${empty} of ${counted(cases.length, "case")} ${empty === 1 ? "has" : "have"} an empty mask: no distance exists, and the mean distances leave them out.`;
  return `${textTable(
    [{ key: "case", title: "case" }, ...columns],
    cases.map((one) => ({ ...one })),
    footer,
  )}${note}`;
}

async function masksIn(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, folder, "read");
  });
  const masks = new Map<string, string>();
  for (const name of names.sort()) {
    if (name.startsWith(".") || volumeFormatOf(name) === null) continue;
    const id = caseId(name);
    const other = masks.get(id);
    if (other !== undefined)
      throw new InputError(`${other} and ${name} are both of case ${id}; keep one of them.`);
    masks.set(id, join(folder, name));
  }
  return masks;
}

const maskOf = (labels: Volume<IntegerVoxelArray>): Volume<Uint8Array> => ({
  ...labels,
  data: maskWhere(labels.data, (value) => value !== 0),
});

const asRow = (one: EvaluatedCase): TableRow => ({ ...one });

const csvColumns: readonly TableColumn[] = ["case", ...metricNames].map((key) => ({ key, title: key }));
