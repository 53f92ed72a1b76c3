// lnsnet evaluate: predicted masks against true ones, over the whole volume.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  detectNodes,
  evaluateCase,
  InputError,
  overlayPng,
  requireLabels,
  type SurfaceConvention,
  sameGeometry,
  summarise,
  surfaceConventions,
  type TableColumn,
  textTable,
  type Volume,
  volumeFormatOf,
} from "@lnsnet/core";
import { defineCommand } from "citty";
import { wholeNumber } from "../arguments.js";
import { caseId, describeGeometry, listed } from "../dataset.js";
import { detectionJson, detectionText, type ScanNodes } from "../detection-json.js";
import { ensureWritableFolder, fileError, isFolder, requirePath, writeAtomically } from "../files.js";
import { readScan } from "../imaging.js";
import { interruptSignal, throwIfInterrupted } from "../interrupt.js";
import { hasSeveralValues } from "../labels.js";
import { forEachMetric, type MetricName, type MetricRow, metricRow, metrics } from "../metric-names.js";
import { printJson, printText } from "../output.js";
import { forceArgument, requireFreeFile } from "../outputs.js";
import { createProgress } from "../progress.js";

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
      description: "whose definitions of a surface and of HD95 hold (docs/metrics.md)",
      options: [...surfaceConventions],
      default: "monai",
    },
    nodes: {
      type: "boolean",
      description: "also match the nodes: which were found (IoU above 0.3), their metrics, false positives",
    },
    force: forceArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    if ((args.pictures === undefined) !== (args.images === undefined))
      throw new InputError("--pictures and --images belong together; give both or neither.");
    const label = args.label === undefined ? null : wholeNumber(args.label, "--label", 1, 255);
    for (const name of args.pictures === undefined ? [] : pictureNames) {
      const inputs = [args.truth, args.prediction, ...(args.images === undefined ? [] : [args.images])];
      await requireFreeFile(join(args.pictures ?? "", `${name}.png`), { inputs, force: args.force === true });
    }
    const pairs = await pairMasks(args.truth, args.prediction);
    const scans = args.images === undefined ? null : await scansByCase(args.images, pairs);
    const scanNodes: ScanNodes[] | null = args.nodes === true ? [] : null;
    const cases = await evaluatePairs(pairs, label, args.surface, scanNodes);
    if (scans && args.pictures !== undefined)
      await writePictures(args.pictures, cases, pairs, scans, label, args.data ?? null);
    if (args.json === true) {
      const nodes = scanNodes === null ? {} : detectionJson(scanNodes);
      printJson({ surface: args.surface, cases, ...summaryOf(cases), ...nodes });
      return;
    }
    printText(evaluationTable(cases));
    if (scanNodes !== null) printText(`\n${detectionText(scanNodes)}`);
  },
});

/** Two masks of one scan. */
export interface MaskPair {
  readonly case: string;
  readonly truthPath: string;
  readonly predictionPath: string;
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
      `${prediction} has no mask for ${missing.length} of the ${truths.size} cases of ${truth}: ${listed(missing)}; predict them, or leave their truth out.`,
    );
  }
  const extra = [...predictions.keys()].filter((id) => !truths.has(id));
  if (extra.length > 0) {
    throw new InputError(
      `${truth} has no mask for ${extra.length} of the ${predictions.size} cases of ${prediction}: ${listed(extra)}; add their truth, or leave them out.`,
    );
  }
  return [...truths].map(([id, truthPath]) => ({
    case: id,
    truthPath,
    predictionPath: predictions.get(id) ?? truthPath,
  }));
}

/**
 * The metrics of each pair, in order, with a progress line.
 *
 * @param label the value that is foreground; null takes every value but 0
 * @param surface whose definitions hold
 * @param scanNodes where the nodes of each pair are added; null does not match nodes
 * @throws InputError where a file cannot be used or the two masks have different geometry
 */
export async function evaluatePairs(
  pairs: readonly MaskPair[],
  label: number | null,
  surface: SurfaceConvention = "monai",
  scanNodes: ScanNodes[] | null = null,
): Promise<EvaluatedCase[]> {
  const signal = interruptSignal();
  const progress = createProgress("evaluate", "scan");
  const cases: EvaluatedCase[] = [];
  for (const pair of pairs) {
    throwIfInterrupted(signal);
    const [truthLabels, predictionLabels] = [
      await readScan(pair.truthPath),
      await readScan(pair.predictionPath),
    ];
    const truth = maskOf(truthLabels, label);
    const prediction = maskOf(predictionLabels, label);
    if (!sameGeometry(truth, prediction)) {
      throw new InputError(
        `${pair.predictionPath} (${describeGeometry(prediction)}) has not the geometry of ${pair.truthPath} (${describeGeometry(truth)}); ` +
          "resample the prediction onto the truth's grid.",
      );
    }
    cases.push({ case: pair.case, ...metricRow(evaluateCase(truth, prediction, surface)) });
    if (scanNodes !== null) {
      const truthNodes = label === null ? requireLabels(truthLabels, pair.truthPath) : truth;
      const predictedNodes =
        label === null ? requireLabels(predictionLabels, pair.predictionPath) : prediction;
      const detection = detectNodes(truthNodes, predictedNodes, {
        truthSplit: hasSeveralValues(truthNodes) ? "labels" : "components",
        predictionSplit: hasSeveralValues(predictedNodes) ? "labels" : "components",
        surface,
      });
      scanNodes.push({ case: pair.case, detection });
    }
    if (pairs.length > 1) progress.update({ done: cases.length, total: pairs.length, text: pair.case });
  }
  progress.finish();
  return cases;
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

/** Pictures of the best, the median and the worst case by DSC, each with truth and prediction outlined. */
async function writePictures(
  folder: string,
  cases: readonly EvaluatedCase[],
  pairs: readonly MaskPair[],
  scans: ReadonlyMap<string, string>,
  label: number | null,
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
    const truth = maskOf(await readScan(pair.truthPath), label);
    const prediction = maskOf(await readScan(pair.predictionPath), label);
    const caption = [data, one.case, `${name} DSC ${one.dsc?.toFixed(3)}`, "research use only"];
    const picture = overlayPng(await readScan(scan), truth, prediction, {
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
      : `\n${empty} of ${cases.length} cases ${empty === 1 ? "has" : "have"} an empty mask: no distance exists, and the mean distances leave them out.`;
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

function maskOf(volume: Volume, label: number | null): Volume<Uint8Array> {
  const data = new Uint8Array(volume.data.length);
  for (let n = 0; n < data.length; n++)
    data[n] = (label === null ? volume.data[n] !== 0 : volume.data[n] === label) ? 1 : 0;
  return { ...volume, data };
}
