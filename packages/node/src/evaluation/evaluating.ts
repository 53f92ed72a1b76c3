// Evaluates predicted masks against true masks: metrics of each scan, detected nodes, pictures of the best and worst case.
import { basename, dirname, join, resolve } from "node:path";
import { detectNodes, evaluateCase, overlayPng, summarise, type Volume } from "@lnsnet/core";
import type { SurfaceConvention } from "@lnsnet/core/metrics";
import { csvTable, type TableColumn } from "@lnsnet/core/reports";
import { type IntegerVoxelArray, maskWhere } from "@lnsnet/core/volume";
import type { NodeSplit } from "@lnsnet/core/voxels";
import { ensureWritableFolder, writeAtomically } from "../files/disk.js";
import { readScan } from "../files/imaging.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import type { ScanNodes } from "./detection.js";
import { type ComparedPair, checkValues, type ForegroundRules, type MaskPair, readPair } from "./masks.js";
import { forEachMetric, type MetricName, type MetricRow, metricNames, metricRow } from "./metric-names.js";
import { pairMasks, scansByCase } from "./pairs.js";
import { bestMedianWorst, ranks } from "./ranking.js";

/** How the two masks of a scan are compared. */
interface EvaluationRules extends ForegroundRules {
  /** Which definition of surface distances to use. */
  readonly surface: SurfaceConvention;
  /** What counts as a node. "auto": all voxels of a value in `instancesTr` and `instancesTs`, connected components elsewhere. */
  readonly split: "auto" | NodeSplit;
}

export interface EvaluationOptions extends EvaluationRules {
  /** Whether to match the nodes too. */
  readonly nodes: boolean;
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

export interface Evaluation {
  readonly cases: readonly EvaluatedCase[];
  /** Null where nodes were not requested. */
  readonly scanNodes: readonly ScanNodes[] | null;
}

/**
 * Compares two mask files, or the masks of two folders by their names. Anything unusual about their values is logged.
 *
 * @throws InputError where a file cannot be used, masks have no counterpart or another geometry, no file holds the label,
 *   or an output stands there already; the signal's reason
 */
export async function evaluateFiles(
  truth: string,
  prediction: string,
  options: EvaluationOptions,
  job: Job = {},
): Promise<Evaluation> {
  const { pictures, csvPath, force } = options;
  const inputs = [truth, prediction, ...(pictures === null ? [] : [pictures.images])];
  const outputs = pictures === null ? [] : ranks.map((rank) => picturePath(pictures.folder, rank));
  for (const path of [...outputs, ...(csvPath === null ? [] : [csvPath])])
    await requireFreeFile(path, { inputs, force });
  const pairs = await pairMasks(truth, prediction);
  const scans = pictures === null ? null : await scansByCase(pictures.images, pairs);
  const evaluation = await evaluatePairs(pairs, options, job);
  if (pictures !== null && scans !== null) await writePictures(evaluation, pairs, scans, pictures, options);
  if (csvPath !== null)
    await writeAtomically(
      csvPath,
      csvTable(
        csvColumns,
        evaluation.cases.map((row) => ({ ...row })),
      ),
    );
  return evaluation;
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
  options: EvaluationOptions,
  { signal, onProgress, log }: Job,
): Promise<Evaluation> {
  const { surface, split } = options;
  const cases: EvaluatedCase[] = [];
  const scanNodes: ScanNodes[] = [];
  const values: Pick<ComparedPair, "truthValues" | "predictionValues">[] = [];
  const report = (done: number, text = "") => {
    if (pairs.length > 1) onProgress?.({ stage: "evaluate", unit: "scan", done, total: pairs.length, text });
  };
  report(0);
  for (const pair of pairs) {
    signal?.throwIfAborted();
    const { truth, prediction, truthValues, predictionValues } = await readPair(pair, options);
    values.push({ truthValues, predictionValues });
    cases.push({ case: pair.case, ...metricRow(evaluateCase(maskOf(truth), maskOf(prediction), surface)) });
    if (options.nodes) {
      const detection = detectNodes(truth, prediction, {
        truthSplit: splitOf(pair.truthPath, split),
        predictionSplit: splitOf(pair.predictionPath, split),
        surface,
      });
      scanNodes.push({ case: pair.case, detection });
    }
    report(cases.length, pair.case);
  }
  for (const problem of checkValues(values, options)) log?.(problem);
  return { cases, scanNodes: options.nodes ? scanNodes : null };
}

/** In the folders of instances, as `phantom` and `dataset import` write them, each value is a node, in however many pieces. */
function splitOf(path: string, split: EvaluationRules["split"]): NodeSplit {
  if (split !== "auto") return split;
  return /^instances(Tr|Ts)$/.test(basename(dirname(resolve(path)))) ? "labels" : "components";
}

const picturePath = (folder: string, rank: string): string => join(folder, `${rank}.png`);

/** Pictures of the best, the median and the worst case by DSC, each with truth and prediction outlined. */
async function writePictures(
  { cases }: Evaluation,
  pairs: readonly MaskPair[],
  scans: ReadonlyMap<string, string>,
  { folder, dataLabel }: NonNullable<EvaluationOptions["pictures"]>,
  rules: ForegroundRules,
): Promise<void> {
  await ensureWritableFolder(folder);
  const compared = cases.map(({ case: id, dsc }, index) => ({ id, dsc: dsc ?? 0, pair: pairs[index] }));
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

const csvColumns: readonly TableColumn[] = ["case", ...metricNames].map((key) => ({ key, title: key }));
