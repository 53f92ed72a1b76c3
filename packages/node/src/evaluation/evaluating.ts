// Evaluates predicted masks against true masks: metrics of each scan, detected nodes, pictures of the best and worst case.
import { dirname, join, resolve } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { detectNodes, evaluateCase, type NodeDetection, type SurfaceConvention } from "@lnsnet/core/metrics";
import { csvTable, overlayPng, type TableColumn } from "@lnsnet/core/reports";
import { summarise } from "@lnsnet/core/statistics";
import { type IntegerVoxelArray, maskWhere, sameGeometry, type Volume } from "@lnsnet/core/volume";
import type { NodeSplit } from "@lnsnet/core/voxels";
import { ensureWritableFolder, writeAtomically } from "../files/disk.js";
import { readLabelVolume, readScan } from "../files/imaging.js";
import { numbersBeside } from "../files/mask-origin.js";
import { requireFreeFile, requireFreeFiles } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import type { ScanNodes } from "./detection.js";
import { holdsInstances, labelsOfTruth, type NamedLabels, requireClasses } from "./judged-classes.js";
import {
  type ComparedPair,
  checkClasses,
  checkValues,
  classOfPair,
  type ForegroundRules,
  type MaskPair,
  readPair,
} from "./masks.js";
import { forEachMetric, type MetricName, type MetricRow, metricNames, metricRow } from "./metric-names.js";
import { pairMasks, scansByCase } from "./pairs.js";
import { bestMedianWorst, ranks } from "./ranking.js";

/** How the two masks of a scan are compared. */
interface EvaluationRules extends Omit<ForegroundRules, "ignored"> {
  /** The value of truth voxels that nobody judged; null takes what a dataset.json calls "ignore". */
  readonly ignored: number | null;
  /** The dataset.json that names the classes; null takes the one beside the folder of the truth. */
  readonly datasetJson: string | null;
  /** Which definition of surface distances to use. */
  readonly surface: SurfaceConvention;
  /**
   * What counts as a node. "auto": all voxels of a value in `instancesTr` and `instancesTs`, and in the file of numbers that
   * predict wrote beside a mask where nodes touch; connected components elsewhere.
   */
  readonly split: "auto" | NodeSplit;
}

/** All that the figures of a pair depend on, beside its files and classes. */
export interface PairRules extends Omit<EvaluationRules, "datasetJson" | "ignored">, ForegroundRules {
  /** Whether to match the nodes too. */
  readonly nodes: boolean;
}

/** What was found of a pair; plain data. */
export interface JudgedPair extends Pick<ComparedPair, "truthValues" | "predictionValues"> {
  /** One where classes are not told apart. */
  readonly classes: readonly { readonly metrics: MetricRow; readonly detection: NodeDetection | null }[];
}

/** Does what {@link judgePair} does, such as on another machine. */
export type PairJudge = (
  pair: MaskPair,
  rules: PairRules,
  classes: string | null,
  signal?: AbortSignal | undefined,
) => Promise<JudgedPair>;

export interface EvaluationOptions extends EvaluationRules {
  /** Whether to match the nodes too. */
  readonly nodes: boolean;
  /** Who compares the pairs, all at once; absent or null for this process, one after the other. */
  readonly judge?: PairJudge | null;
  /** Pictures of the best, the median and the worst case; null for none. */
  readonly pictures: {
    /** The scans: a file, or a folder with the same names as the masks. */
    readonly images: string;
    readonly folder: string;
    /** The description of the data, written on the pictures; null for none. */
    readonly dataLabel: string | null;
  } | null;
  /** A file that the metrics of each scan are written to; null for none. */
  readonly csvPath: string | null;
  /** Whether to replace existing pictures and tables. */
  readonly force: boolean;
}

/** A row of the result, with the names of the JSON output. A distance is null where a mask is empty. */
export interface EvaluatedCase extends MetricRow {
  readonly case: string;
}

/** The comparison of one class, or of all foreground. */
export interface Evaluation {
  /** Where a dataset.json names several classes. */
  readonly className?: string | undefined;
  readonly cases: readonly EvaluatedCase[];
  /** Null where nodes were not requested. */
  readonly scanNodes: readonly ScanNodes[] | null;
}

/**
 * Compares two mask files, or the masks of two folders by their names: class by class where a dataset.json names
 * several and no label is chosen, else all foreground together. Anything unusual about their values is logged.
 *
 * @returns an evaluation for each class, in the order of dataset.json; one where classes are not told apart
 * @throws InputError where a file cannot be used, masks have no counterpart or another geometry, no file holds the label,
 *   a file holds a value without a class, a prediction is of other classes, or an output stands there already; the signal's reason
 */
export async function evaluateFiles(
  truth: string,
  prediction: string,
  options: EvaluationOptions,
  job: Job = {},
): Promise<readonly Evaluation[]> {
  const { pictures, csvPath, force, datasetJson } = options;
  const inputs = [
    truth,
    prediction,
    ...(pictures === null ? [] : [pictures.images]),
    ...(datasetJson === null ? [] : [datasetJson]),
  ];
  const outputs = pictures === null ? [] : ranks.map((rank) => picturePath(pictures.folder, rank));
  for (const path of outputs) await requireFreeFile(path, { inputs, force });
  await requireFreeFiles(csvPath === null ? [] : [csvPath], { inputs, force });
  const labels = await labelsOfTruth(truth, datasetJson);
  const rules = { ...options, ignored: options.ignored ?? ignoredValue(labels, options) };
  const pairs = await pairMasks(truth, prediction);
  const compared = severalClasses(labels, options);
  if (compared !== null)
    for (const { predictionPath } of pairs) await requireClasses(predictionPath, compared);
  const scans = pictures === null ? null : await scansByCase(pictures.images, pairs);
  const evaluations = await evaluatePairs(pairs, rules, compared, job);
  if (pictures !== null && scans !== null) await writePictures(evaluations, pairs, scans, pictures, rules);
  if (csvPath !== null) await writeAtomically(csvPath, evaluationCsv(evaluations));
  return evaluations;
}

/** The classes that are compared; null where all foreground is one class, or one value was chosen. */
function severalClasses(
  labels: NamedLabels | null,
  { truthLabel, predictionLabel, threshold }: EvaluationOptions,
): NamedLabels | null {
  const isChosen = truthLabel !== null || predictionLabel !== null || threshold !== null;
  return isChosen || labels === null || labels.scheme.classes.length === 1 ? null : labels;
}

/** The value that a dataset.json calls "ignore", but where it was chosen as foreground. */
function ignoredValue(labels: NamedLabels | null, { truthLabel }: EvaluationOptions): number | null {
  const value = labels?.scheme.ignored ?? null;
  return value === truthLabel ? null : value;
}

/** Of each metric, figures over the cases that have it, and how many have not: a missed scan has no distance, so a mean
 * distance flatters a model that misses. */
export function summariseCases(
  cases: readonly EvaluatedCase[],
): Record<"mean" | "sd" | "nulls", Record<MetricName, number | null>> {
  const summaries = forEachMetric((name) => summarise(cases.map((row) => row[name])));
  return {
    mean: forEachMetric((name) => summaries[name].mean),
    sd: forEachMetric((name) => summaries[name].sd),
    nulls: forEachMetric((name) => summaries[name].nulls),
  };
}

async function evaluatePairs(
  pairs: readonly MaskPair[],
  options: EvaluationOptions & PairRules,
  labels: NamedLabels | null,
  { signal, onProgress, log }: Job,
): Promise<Evaluation[]> {
  let done = 0;
  const report = (text = "") => {
    if (pairs.length > 1) onProgress?.({ stage: "evaluate", unit: "scan", done, total: pairs.length, text });
  };
  report();
  const judgeOne = async (pair: MaskPair): Promise<JudgedPair> => {
    signal?.throwIfAborted();
    const { surface, split, nodes, truthLabel, predictionLabel, threshold, ignored } = options;
    const rules = { surface, split, nodes, truthLabel, predictionLabel, threshold, ignored };
    const judged = await (options.judge ?? judgePair)(pair, rules, labels?.path ?? null, signal);
    done++;
    report(pair.case);
    return judged;
  };
  const judged: JudgedPair[] = [];
  if (options.judge) judged.push(...(await Promise.all(pairs.map(judgeOne))));
  else for (const pair of pairs) judged.push(await judgeOne(pair));
  const remarks =
    labels === null ? checkValues(judged, options) : checkClasses(judged, labels.scheme, labels.path);
  for (const remark of remarks) log?.(remark);
  const names = labels?.scheme.classes.map(({ name }) => name) ?? [undefined];
  return names.map((className, position) => {
    const ofClass = judged.map(({ classes }, at) => ({ case: pairs[at].case, ...classes[position] }));
    return {
      ...(className === undefined ? {} : { className }),
      cases: ofClass.map(({ case: id, metrics }) => ({ case: id, ...metrics })),
      scanNodes: options.nodes
        ? ofClass.flatMap(({ case: id, detection }) => (detection === null ? [] : { case: id, detection }))
        : null,
    };
  });
}

/**
 * Compares the two masks of a scan.
 *
 * @param classes the dataset.json whose classes are told apart; null where all foreground is one
 * @throws InputError where a file cannot be used
 */
export async function judgePair(
  pair: MaskPair,
  rules: PairRules,
  classes: string | null,
): Promise<JudgedPair> {
  const { surface, split } = rules;
  const labels = classes === null ? null : await labelsOfTruth(pair.truthPath, classes);
  const read = await readPair(pair, rules);
  const ofClasses =
    labels === null
      ? [read]
      : labels.scheme.classes.map((_, position) => classOfPair(read, labels.scheme, position));
  const numbers = rules.nodes && split === "auto" ? await nodeNumbers(pair, read.prediction) : null;
  return {
    truthValues: read.truthValues,
    predictionValues: read.predictionValues,
    classes: ofClasses.map(({ truth, prediction }) => ({
      metrics: metricRow(evaluateCase(maskOf(truth), maskOf(prediction), surface)),
      detection: rules.nodes
        ? detectNodes(truth, numbers === null ? prediction : numberedWithin(prediction, numbers), {
            truthSplit: splitOf(pair.truthPath, split),
            predictionSplit: numbers === null ? splitOf(pair.predictionPath, split) : "labels",
            surface,
          })
        : null,
    })),
  };
}

/**
 * The numbers that predict gave to the nodes of a mask; null where the mask tells them apart.
 *
 * @throws InputError where they are no labels, or not on the grid of the mask
 */
async function nodeNumbers(
  { predictionPath }: MaskPair,
  mask: Volume,
): Promise<Volume<IntegerVoxelArray> | null> {
  const path = await numbersBeside(predictionPath);
  if (path === null) return null;
  const numbers = await readLabelVolume(path);
  if (!sameGeometry(numbers, mask))
    throw new InputError(
      `${path} does not have the same geometry as ${predictionPath}, whose nodes it numbers; predict the scan again.`,
    );
  return numbers;
}

/** The numbers of nodes in a part of their mask. */
const numberedWithin = (
  { data }: Volume<IntegerVoxelArray>,
  numbers: Volume<IntegerVoxelArray>,
): Volume<IntegerVoxelArray> => ({
  ...numbers,
  data: numbers.data.map((number, at) => (data[at] === 0 ? 0 : number)),
});

/** In the folders of instances, each value is a node, in however many pieces. */
export function splitOf(path: string, split: EvaluationRules["split"]): NodeSplit {
  if (split !== "auto") return split;
  return holdsInstances(dirname(resolve(path))) ? "labels" : "components";
}

const picturePath = (folder: string, rank: string): string => join(folder, `${rank}.png`);

/** Pictures of the best, the median and the worst case by (mean) DSC, each with truth and prediction outlined. */
async function writePictures(
  evaluations: readonly Evaluation[],
  pairs: readonly MaskPair[],
  scans: ReadonlyMap<string, string>,
  { folder, dataLabel }: NonNullable<EvaluationOptions["pictures"]>,
  rules: ForegroundRules,
): Promise<void> {
  await ensureWritableFolder(folder);
  const compared = pairs.map((pair, index) => {
    const { mean } = summarise(evaluations.map(({ cases }) => cases[index].dsc));
    return { id: pair.case, dsc: mean ?? 0, pair };
  });
  for (const { rank, id, dsc, pair } of bestMedianWorst(compared)) {
    const scan = scans.get(id);
    if (scan === undefined) throw new Error(`no scan of ${id}`);
    const { truth, prediction } = await readPair(pair, rules);
    const caption = [dataLabel, id, `${rank} DSC ${dsc.toFixed(3)}`, "research use only"];
    const picture = overlayPng(await readScan(scan), maskOf(truth), maskOf(prediction), {
      caption: caption.filter((part) => part !== null).join(" - "),
    });
    await writeAtomically(picturePath(folder, rank), picture);
  }
}

const maskOf = (labels: Volume<IntegerVoxelArray>): Volume<Uint8Array> => ({
  ...labels,
  data: maskWhere(labels.data, (value) => value !== 0),
});

function evaluationCsv(evaluations: readonly Evaluation[]): string {
  const areSeveral = evaluations.length > 1;
  const keys = ["case", ...(areSeveral ? ["class"] : []), ...metricNames];
  const columns = keys.map((key): TableColumn => ({ key, title: key }));
  return csvTable(
    columns,
    evaluations.flatMap(({ className, cases }) => cases.map((row) => ({ ...row, class: className ?? null }))),
  );
}
