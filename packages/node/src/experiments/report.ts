// Writes the report of an experiment as an HTML file.

import { FOREGROUND_THRESHOLD } from "@lnsnet/core/inference";
import { type FrocPoint, frocCurve } from "@lnsnet/core/metrics";
import type { Plan } from "@lnsnet/core/models";
import {
  type Block,
  blandAltmanSvg,
  boxPlotSvg,
  latexTable,
  lineChartSvg,
  reportHtml,
  type Section,
  scatterPlotSvg,
  type TableColumn,
  tableBlock,
  textTable,
} from "@lnsnet/core/reports";
import type { Split } from "@lnsnet/core/sampling";
import { counted } from "@lnsnet/core/text";
import {
  type Channel,
  isWindow,
  type LabelScheme,
  labelSchemeOf,
  logitChannels,
  lymphNodeNames,
} from "@lnsnet/core/transforms";
import { scansAndPatients } from "../datasets/splits.js";
import { budgetText } from "../training/options.js";
import type { Environment } from "../work/environment.js";
import type { ExperimentConfiguration, PredictionSettings } from "./configuration.js";
import type { ExperimentFingerprint } from "./data-fingerprint.js";
import type { TrainedFold } from "./folds.js";
import { dscValues, ensembleComparisons, type Protocol } from "./paired-tests.js";
import { publishedNodeLevel, publishedWholeVolume } from "./published-results.js";
import {
  classesOf,
  figuresOf,
  figureText,
  isOfSet,
  isWhole,
  probabilityText,
  protocolNames,
  protocolTexts,
  protocolTitles,
  setTitle,
  spread,
  withUnit,
} from "./report-wording.js";
import { frocThresholds } from "./scoring.js";
import { measureTitles, type PatientOf, type ScoredSet, type SummaryRow } from "./tables.js";

/** The content of a report. */
export interface ExperimentResult {
  /** What the data are called on every table and picture. */
  readonly dataLabel: string;
  readonly configuration: ExperimentConfiguration;
  readonly environment: Environment;
  readonly fingerprint: ExperimentFingerprint;
  readonly splits: readonly Split[];
  readonly folds: readonly TrainedFold[];
  readonly patientOf: PatientOf;
  readonly multiplyAdds: number;
  /** As {@link scoredSets} orders them. */
  readonly sets: readonly ScoredSet[];
  readonly summary: readonly SummaryRow[];
  /** What must be known before any figure is read, a sentence each. */
  readonly warnings: readonly string[];
  readonly pictures: readonly CasePicture[];
}

/** A case with truth and prediction outlined. */
export interface CasePicture {
  /** "best", "median" or "worst". */
  readonly rank: string;
  readonly case: string;
  readonly dsc: number;
  readonly png: Uint8Array;
}

/** The whole report. */
export function experimentReport(result: ExperimentResult): string {
  const { configuration, dataLabel } = result;
  return reportHtml({
    title: `${configuration.network}: cross-validation on ${dataLabel}`,
    dataLabel,
    summary: findings(result),
    sections: [
      ...protocolSections(result, "node_level"),
      ...protocolSections(result, "whole_volume"),
      othersSection(dataLabel),
      curveSection(result),
      ...pictureSections(result),
      dataSection(result),
      settingsSection(result),
      repeatSection(result),
    ],
  });
}

/** The paper-style tables in LaTeX, one a protocol and set. */
export function summaryLatex({ dataLabel, sets, summary }: ExperimentResult): string {
  const tables = protocolNames.flatMap((protocol) =>
    sets.filter(isWhole).flatMap((set) => {
      const rows = paperRows(summary, set, protocol);
      const caption = `${paperCaption(set, protocol)} Data: ${dataLabel}. Research use only.`;
      const name = [protocol, set.set, ...(set.className === undefined ? [] : [set.className])].join("-");
      const label = `tab:${name}`.replaceAll(/[^\w:-]|_/g, "-");
      return rows.length === 0 ? [] : latexTable(paperColumns, rows, { caption, label });
    }),
  );
  return tables.join("\n");
}

/** The paper-style tables for a terminal. */
export function summaryText({ dataLabel, sets, summary }: ExperimentResult): string {
  return protocolNames
    .flatMap((protocol) =>
      sets.filter(isWhole).flatMap((set) => {
        const rows = paperRows(summary, set, protocol);
        const heading = `${dataLabel}: ${protocolTitles[protocol].toLowerCase()}, ${setTitle(set)}`;
        return rows.length === 0 ? [] : `${heading}\n${textTable(paperColumns, rows)}`;
      }),
    )
    .join("\n\n");
}

function findings({ configuration, dataLabel, sets, summary, folds, warnings }: ExperimentResult): string[] {
  const headline = protocolNames.flatMap((protocol) =>
    sets.filter(isWhole).flatMap((set) => {
      const dsc = figuresOf(summary, set, protocol, "dsc");
      if (dsc === null || dsc.mean === null) return [];
      const distance = (measure: string, title: string) => {
        const figures = figuresOf(summary, set, protocol, measure);
        return figures?.mean == null ? "" : `, ${title} ${figures.mean.toFixed(2)} mm`;
      };
      const unit = protocol === "node_level" ? "nodes" : "scans";
      return `${protocolTitles[protocol]}, ${setTitle(set)}: DSC ${spread(dsc, 3)}${distance("asd_mm", "ASD")}${distance("hd95_mm", "HD95")}, over ${dsc.n} ${unit}.`;
    }),
  );
  return [
    ...warnings,
    ...headline,
    `${configuration.network} of ${(folds[0]?.parameters ?? 0).toLocaleString("en")} parameters, ${counted(folds.length, "fold")} by patient, ${budgetText(configuration.training)} each.`,
    `All figures are of ${dataLabel}, and do not apply to other data. Figures of the two protocols must not be compared with each other.`,
  ];
}

function protocolSections(result: ExperimentResult, protocol: Protocol): Section[] {
  const { sets, summary } = result;
  const measured = summary.some((row) => row[protocol] !== null);
  if (!measured) return [];
  const blocks: Block[] = [
    { kind: "paragraph", text: protocolTexts[protocol] },
    ...(classesOf(sets).length === 1
      ? []
      : [
          {
            kind: "paragraph" as const,
            text: "Each class is judged by itself: its voxels, its nodes, and the prediction of this class. Nothing is averaged over classes.",
          },
        ]),
    ...sets.filter(isWhole).flatMap((set): Block[] => {
      const rows = paperRows(summary, set, protocol);
      return rows.length === 0 ? [] : [tableBlock(paperCaption(set, protocol), paperColumns, rows)];
    }),
    modelTable(result, protocol),
    ...classesOf(sets).flatMap((className) => comparisonTable(result, protocol, className)),
    ...classesOf(sets).map((className) => dscChart(result, protocol, className)),
    ...(protocol === "node_level" ? nodeLevelCharts(result) : wholeVolumeCharts(result)),
  ];
  return [{ heading: `Result: ${protocolTitles[protocol].toLowerCase()}`, blocks }];
}

function dscChart(
  { sets, dataLabel }: ExperimentResult,
  protocol: Protocol,
  className: string | undefined,
): Block {
  const ofClass = sets.filter((scoredSet) => scoredSet.className === className);
  const suffix = className === undefined ? "" : `, ${className}`;
  const svg = boxPlotSvg({
    title: `DSC, ${protocolTitles[protocol].toLowerCase()}${suffix}`,
    axisLabel: "DSC",
    domain: [0, 1],
    groups: ofClass.map(({ set, model, scores }) => ({
      label: setTitle({ set, model }),
      values: dscValues(scores, protocol),
    })),
    note: dataLabel,
  });
  const judged = protocol === "node_level" ? "node" : "scan";
  return { kind: "svg", svg, caption: `DSC of each ${judged}, by model${suffix}` };
}

const paperColumns: readonly TableColumn<"measure" | "n" | "mean" | "median" | "interval" | "without">[] = [
  { key: "measure", title: "measure" },
  { key: "mean", title: "mean ± SD" },
  { key: "median", title: "median [quartiles]" },
  { key: "interval", title: "95 % CI" },
  { key: "n", title: "n" },
  { key: "without", title: "without value" },
];

function paperCaption(set: ScoredSet, protocol: Protocol): string {
  return `${protocolTitles[protocol]}, ${setTitle(set)}. Confidence intervals of the mean by a bootstrap of patients.`;
}

function paperRows(summary: readonly SummaryRow[], set: ScoredSet, protocol: Protocol) {
  return summary.flatMap((row) => {
    const figures = row[protocol];
    if (!isOfSet(row, set) || figures === null) return [];
    const { digits, ...title } = measureTitles[row.measure];
    const number = figureText(digits);
    const range = (low: number | null, high: number | null) =>
      low === null || high === null ? null : `${number(low)} to ${number(high)}`;
    const quartiles = range(figures.lower_quartile, figures.upper_quartile);
    return {
      measure: withUnit(title),
      mean: figures.mean === null ? null : spread(figures, digits),
      median:
        figures.median === null || quartiles === null ? null : `${number(figures.median)} [${quartiles}]`,
      interval: range(figures.interval_low, figures.interval_high),
      n: figures.n,
      without: figures.without_value,
    };
  });
}

/** The main measures of each model, one row per model. */
function modelTable({ sets, summary }: ExperimentResult, protocol: Protocol): Block {
  const shown = [
    "dsc",
    "asd_mm",
    "hd95_mm",
    "nsd_1mm",
    ...(protocol === "node_level" ? [] : ["sensitivity"]),
  ];
  const columns: TableColumn[] = [
    { key: "model", title: "model" },
    { key: "n", title: "n" },
    ...shown.map((key) => ({ key, title: withUnit(measureTitles[key]) })),
  ];
  const rows = sets.map((set) => ({
    model: setTitle(set),
    n: figuresOf(summary, set, protocol, "dsc")?.n ?? null,
    ...Object.fromEntries(
      shown.map((measure) => {
        const figures = figuresOf(summary, set, protocol, measure);
        return [measure, figures?.mean == null ? null : spread(figures, measureTitles[measure].digits)];
      }),
    ),
  }));
  return { kind: "table", caption: `${protocolTitles[protocol]}: mean ± SD of each model`, columns, rows };
}

function comparisonTable(
  { sets, patientOf }: ExperimentResult,
  protocol: Protocol,
  className: string | undefined,
): Block[] {
  const ofClass = sets.filter((scoredSet) => scoredSet.className === className);
  const rows = ensembleComparisons(ofClass, protocol, patientOf);
  if (rows.length === 0) return [];
  const caption = `${protocolTitles[protocol]}${className === undefined ? "" : `, ${className}`}: the ensemble against each fold's network on the test set, by the mean DSC of each patient; paired Wilcoxon signed-rank test, two-sided, with Holm's correction`;
  return [
    tableBlock(
      caption,
      [
        { key: "model", title: "ensemble against" },
        { key: "patients", title: "patients" },
        { key: "medianDifference", title: "median difference of DSC", format: figureText(3) },
        { key: "pValue", title: "p", format: probabilityText },
        { key: "correctedPValue", title: "p, corrected", format: probabilityText },
      ],
      rows.map((row) => ({ ...row, model: row.model.replace("_", " ") })),
    ),
  ];
}

function nodeLevelCharts({ sets, dataLabel }: ExperimentResult): Block[] {
  return sets.filter(isWhole).flatMap((set) => {
    const nodes = set.scores.flatMap(({ true_nodes, node_level }) =>
      (node_level ?? []).map((node) => ({
        ...node,
        trueAxisMm: true_nodes?.find((measured) => measured.node === node.node)?.short_axis_mm ?? Number.NaN,
      })),
    );
    return [
      ...agreementCharts(`node level, ${setTitle(set)}`, dataLabel, [
        { measure: "node volume", unit: "mL", pairs: volumePairs(nodes.map(({ metrics }) => metrics)) },
        { measure: "short axis", unit: "mm", pairs: shortAxisPairs(nodes) },
      ]),
      sizeChart(
        `DSC against node size, node level, ${setTitle(set)}`,
        nodes.map(({ trueAxisMm, metrics }) => ({ across: trueAxisMm, up: metrics.dsc ?? Number.NaN })),
        dataLabel,
      ),
    ];
  });
}

/** In a softmax, the most probable class is taken, which 0.5 comes close to. */
function thresholdNote(plan: ExperimentConfiguration["plan"]): string {
  const scheme = labelSchemeOf(plan);
  return logitChannels(scheme) > scheme.classes.length
    ? `the large dot is the threshold ${FOREGROUND_THRESHOLD}; in use is the most probable class`
    : `the large dot is the threshold in use, ${FOREGROUND_THRESHOLD}`;
}

function wholeVolumeCharts({ sets, dataLabel, configuration }: ExperimentResult): Block[] {
  const whole = sets.filter(isWhole);
  const labelled = whole.filter(({ scores }) => scores.some(({ whole_volume }) => whole_volume !== null));
  return [
    frocChart(labelled, dataLabel, configuration.plan),
    ...labelled.flatMap((set) => chartsOfSet(set, dataLabel)),
  ];
}

function frocChart(
  sets: readonly ScoredSet[],
  dataLabel: string,
  plan: ExperimentConfiguration["plan"],
): Block {
  return {
    kind: "svg",
    svg: lineChartSvg({
      title: "FROC, whole volume",
      acrossLabel: "false positives a volume",
      upLabel: "sensitivity",
      upDomain: [0, 1],
      note: `${dataLabel}; ${thresholdNote(plan)}`,
      curves: sets.map((set) => {
        const points = frocOf(set);
        return {
          label: setTitle(set),
          hasMarks: true,
          points: points.map(frocPlace),
          emphasis: points.filter(({ threshold }) => threshold === FOREGROUND_THRESHOLD).map(frocPlace)[0],
        };
      }),
    }),
    caption: `Sensitivity against false positives as the threshold of the probability moves over ${frocThresholds.join(", ")}; as it falls, components grow and merge, so that nodes are lost as well as found`,
  };
}

/** Agreement of volumes and of short axes, and DSC against the size of nodes. */
function chartsOfSet(set: ScoredSet, dataLabel: string): Block[] {
  const scans = set.scores.flatMap(({ true_nodes, whole_volume }) =>
    whole_volume === null ? [] : { true_nodes, ...whole_volume },
  );
  const nodes = scans.flatMap((scan) =>
    scan.nodes.map((node) => ({
      ...node,
      trueAxisMm:
        scan.true_nodes?.find((measured) => measured.node === node.node)?.short_axis_mm ?? Number.NaN,
    })),
  );
  return [
    ...agreementCharts(`whole volume, ${setTitle(set)}`, dataLabel, [
      {
        measure: "foreground volume",
        unit: "mL",
        pairs: volumePairs(scans.map(({ metrics }) => metrics)),
      },
      {
        measure: "short axis of found nodes",
        unit: "mm",
        pairs: shortAxisPairs(nodes),
      },
    ]),
    sizeChart(
      `DSC against node size, whole volume, ${setTitle(set)}`,
      nodes.map(({ trueAxisMm, metrics }) => ({ across: trueAxisMm, up: metrics.dsc ?? Number.NaN })),
      dataLabel,
    ),
  ];
}

/** Short axes of found nodes, predicted and true, mm. */
const shortAxisPairs = (
  nodes: readonly { readonly trueAxisMm: number; readonly short_axis_error_mm: number | null }[],
): MeasuredPairs["pairs"] =>
  nodes.flatMap(({ trueAxisMm, short_axis_error_mm }) =>
    short_axis_error_mm === null ? [] : { predicted: trueAxisMm + short_axis_error_mm, truth: trueAxisMm },
  );

interface MeasuredPairs {
  readonly measure: string;
  readonly unit: string;
  readonly pairs: readonly { readonly predicted: number; readonly truth: number }[];
}

function agreementCharts(title: string, note: string, measures: readonly MeasuredPairs[]): Block[] {
  return measures
    .filter(({ pairs }) => pairs.length >= 2)
    .map(
      (measured): Block => ({
        kind: "svg",
        svg: blandAltmanSvg({ ...measured, title: `Agreement of ${measured.measure}, ${title}`, note }),
        caption: `Bland–Altman: ${measured.measure}, ${title}`,
      }),
    );
}

function sizeChart(
  title: string,
  points: readonly { readonly across: number; readonly up: number }[],
  note: string,
): Block {
  const svg = scatterPlotSvg({
    title,
    acrossLabel: "short axis of the true node (mm)",
    upLabel: "DSC",
    upDomain: [0, 1],
    groups: [{ label: "nodes", points }],
    note,
  });
  return { kind: "svg", svg, caption: `${title}; a node that was not found has DSC 0` };
}

export function othersSection(dataLabel: string): Section {
  return {
    heading: "Published figures of other works",
    blocks: [
      {
        kind: "paragraph",
        text: `Not measured here. These works used data, protocols and definitions of their own, none of them ${dataLabel}; the tables are for orientation, and none of their figures may be compared with one above.`,
      },
      othersTable(dataLabel, "node_level", publishedNodeLevel),
      othersTable(dataLabel, "whole_volume", publishedWholeVolume),
    ],
  };
}

function othersTable(
  dataLabel: string,
  protocol: Protocol,
  results: readonly Readonly<Record<string, string | number | null>>[],
): Block {
  const measures = Object.keys(results[0]).filter((key) => key in measureTitles);
  return {
    kind: "table",
    caption: `${protocolTitles[protocol]}: figures of others, as published`,
    dataLabel: `not ${dataLabel}`,
    columns: [
      { key: "work", title: "work" },
      { key: "data", title: "data" },
      ...measures.map((key) => ({ key, title: withUnit(measureTitles[key]) })),
      { key: "doi", title: "DOI" },
    ],
    rows: results,
  };
}

function curveSection({ folds, dataLabel }: ExperimentResult): Section {
  const charts = [
    {
      title: "Training loss of each fold",
      upLabel: "loss",
      of: ({ curve }: TrainedFold) =>
        smoothed(curve.steps.map(({ step, loss }) => ({ across: step, up: loss }))),
    },
    {
      title: "DSC on the scans set aside from training",
      upLabel: "DSC",
      upDomain: [0, 1] as const,
      of: ({ curve }: TrainedFold) => curve.validation.map(({ step, dsc }) => ({ across: step, up: dsc })),
    },
  ];
  return {
    heading: "Training",
    blocks: [
      ...charts
        .filter(({ of }) => folds.some((fold) => of(fold).length > 0))
        .map(
          ({ of, ...chart }): Block => ({
            kind: "svg",
            svg: lineChartSvg({
              ...chart,
              acrossLabel: "step",
              curves: folds.map((fold, number) => ({ label: `fold ${number}`, points: of(fold) })),
              note: dataLabel,
            }),
            caption: chart.title,
          }),
        ),
      {
        kind: "paragraph",
        text: "Of its training part, every fold sets a few scans aside for validation during training, of at most a quarter of the patients (see Data); the cases that a fold is evaluated on are not used before.",
      },
    ],
  };
}

function pictureSections({ pictures }: ExperimentResult): Section[] {
  if (pictures.length === 0) return [];
  return [
    {
      heading: "Cases",
      blocks: pictures.map(({ rank, case: id, dsc, png }) => ({
        kind: "png",
        png,
        alternativeText: `Axial, coronal and sagittal slices of ${id} with outlines of the true and the predicted foreground`,
        caption: `${rank} case of the cross-validation, ${id}, whole-volume DSC ${dsc.toFixed(3)}: truth and prediction`,
      })),
    },
  ];
}

export function dataSection(result: ExperimentResult): Section {
  const { configuration, dataLabel } = result;
  return {
    heading: "Data",
    blocks: [
      tableBlock(
        `${dataLabel}, foreground: ${configuration.plan.foreground}`,
        [
          { key: "what", title: "of the data set" },
          { key: "value", title: "value" },
        ],
        dataRows(result),
      ),
      tableBlock(
        "The patients of each part, and of the training of its network: no patient is evaluated in two rows",
        [
          { key: "part", title: "part" },
          { key: "patients", title: "patients" },
          { key: "scans", title: "scans" },
          { key: "nodes", title: "nodes" },
          { key: "trained", title: "network trained on" },
          { key: "watched", title: "validated on" },
        ],
        rowsOfParts(result),
      ),
    ],
  };
}

function dataRows({ fingerprint, configuration }: ExperimentResult) {
  const { cases, nodes, spacing_mm, size_voxels } = fingerprint;
  const median = (axes: readonly ({ readonly median: number } | null)[], digits: number, unit: string) =>
    `${axes.map((axis) => axis?.median.toFixed(digits) ?? "–").join(" × ")} ${unit}`;
  const quartiles = (
    values: { readonly p25: number; readonly median: number; readonly p75: number } | null,
    digits: number,
  ) =>
    values === null
      ? null
      : `${values.median.toFixed(digits)} [${values.p25.toFixed(digits)} to ${values.p75.toFixed(digits)}]`;
  return [
    { what: "data set", value: configuration.dataset },
    { what: "scans to train on", value: String(cases.training) },
    { what: "scans of the test set", value: String(cases.test) },
    { what: "median spacing of all scans", value: median(spacing_mm, 2, "mm") },
    { what: "median size of all scans", value: median(size_voxels, 0, "voxels") },
    { what: "nodes", value: String(nodes.total) },
    ...(fingerprint.classes ?? []).map((ofClass) => ({
      what: `nodes of ${ofClass.name}`,
      value: String(ofClass.nodes.total),
    })),
    { what: "nodes a scan, median [quartiles]", value: quartiles(nodes.per_case, 0) },
    { what: "node volume (mL), median [quartiles]", value: quartiles(nodes.volume_ml, 2) },
    { what: "short axis (mm), median [quartiles]", value: quartiles(nodes.short_axis_mm, 1) },
  ];
}

/** The folds and the test set: what is in each, and what its network was trained and validated on. */
function rowsOfParts({ fingerprint, splits, patientOf, folds }: ExperimentResult) {
  const { scans } = fingerprint;
  const nodesOf = new Map(scans.map((scan) => [scan.case, scan.nodes?.length ?? 0]));
  const countsIn = (ids: readonly string[]) => ({
    patients: new Set(ids.map(patientOf)).size,
    scans: ids.length,
    nodes: ids.reduce((sum, id) => sum + (nodesOf.get(id) ?? 0), 0),
  });
  const inWords = (ids: readonly string[]) =>
    ids.length === 0 ? "none" : scansAndPatients(ids.length, countsIn(ids).patients);
  const testIds = scans.filter(({ subset }) => subset === "test").map((scan) => scan.case);
  return [
    ...splits.map(({ val }, fold) => ({
      part: `fold ${fold}`,
      ...countsIn(val),
      trained: inWords(folds[fold].trained_on),
      watched: inWords(folds[fold].watched_by),
    })),
    ...(testIds.length > 0 ? [{ part: "test set", ...countsIn(testIds), trained: null, watched: null }] : []),
  ];
}

function wholeScansText(
  { foreground }: Pick<Plan, "foreground">,
  { searched, mirrored, cleanUp }: PredictionSettings,
): string {
  return [
    searched === "neck" ? "the neck is searched" : "everything is searched",
    ...(mirrored ? ["mirrored too"] : []),
    `components below ${cleanUp.minimumVolumeMl} mL are left out`,
    ...(cleanUp.fillsCavities ? ["cavities filled"] : []),
    ...(lymphNodeNames.test(foreground)
      ? [`components whose HU fit no lymph node are ${cleanUp.keepsImplausible ? "kept" : "left out"}`]
      : []),
  ].join(", ");
}

function settingsSection(result: ExperimentResult): Section {
  const { configuration, folds, multiplyAdds } = result;
  const ofNetwork = {
    network: configuration.network,
    parameters: (folds[0]?.parameters ?? 0).toLocaleString("en"),
    "multiply-adds of a patch": `${(multiplyAdds / 1e9).toFixed(2)} G`,
    "steps of each fold": folds.map(({ steps }) => steps).join(", "),
  };
  return {
    heading: "Settings",
    blocks: [settingsTable({ ...ofNetwork, ...commonSettings(result) })],
  };
}

export function settingsTable(settings: Readonly<Record<string, string>>): Block {
  return tableBlock(
    "Settings; configuration.json holds all of them",
    [
      { key: "setting", title: "setting" },
      { key: "value", title: "value" },
    ],
    Object.entries(settings).map(([setting, value]) => ({ setting, value })),
  );
}

/** The settings that do not depend on the network. */
export function commonSettings({
  configuration,
  environment,
}: Pick<ExperimentResult, "configuration" | "environment">): Readonly<Record<string, string>> {
  const { plan, training, prediction } = configuration;
  return {
    "patch (depth, height, width)": `${plan.patchSize.join(" × ")} voxels`,
    "working spacing": `${plan.spacingMm.join(" × ")} mm`,
    ...(plan.channels === undefined ? {} : { channels: plan.channels.map(channelInWords).join(", ") }),
    ...(plan.labels === undefined ? {} : { classes: classesInWords(plan.labels) }),
    window: `${figureText(0)(plan.window.lowHu)} to ${figureText(0)(plan.window.highHu)} HU`,
    "budget of a training": budgetText(training),
    "batch, batches an update": `${training.batchSize}, ${training.accumulation}`,
    "learning rate, decay": `${training.learningRate}, ${training.decay}`,
    "weight decay": String(training.weightDecay),
    "begun from":
      configuration.startingWeights === null
        ? "random weights"
        : `given weights, SHA-256 ${configuration.startingWeights.slice(0, 12)}…`,
    trained: training.trained === "all" ? "all weights" : "the head alone",
    seed: String(training.seed),
    "overlap of patches": String(prediction.overlap),
    "whole scans": wholeScansText(plan, prediction),
    "crops around nodes": "the network alone, without search and clean-up",
    "lnsnet, code": `${environment.lnsnet}, ${environment.git === null ? "not from a git checkout" : `commit ${environment.git.commit.slice(0, 12)}${environment.git.has_changes ? " with changes" : ""}`}`,
    "Node, onnxruntime-node": `${environment.node}, ${environment.onnxruntime_node}`,
    machine: `${environment.processor}, ${environment.cores} cores, ${environment.memory_gb} GB, ${environment.system}`,
  };
}

const channelInWords = ({ name, scaling }: Channel): string =>
  `${name} by ${isWindow(scaling) ? "the window" : "z-scores"}`;

function classesInWords({ kind, classes, ignored }: LabelScheme): string {
  const names = classes.map(({ name, writtenAs }) => `${name} (written as ${writtenAs})`).join(", ");
  const end = kind === "overlapping" ? "a sigmoid each" : "a softmax";
  return [
    classes.length === 1 ? names : `${names}, ${kind}, by ${end}`,
    ...(ignored === null ? [] : [`voxels of the value ${ignored} left out`]),
  ].join("; ");
}

/** Whether a repetition gives the same figures. */
export const repetitionText = ({ training }: ExperimentConfiguration): string =>
  training.minutes === undefined
    ? "The same command on the same machine gives the same tables to the last bit, however often it is stopped and started again."
    : "A training that its minutes end does as many steps as the machine has time for, so the same command gives similar figures, not the same.";

function repeatSection({ configuration, environment }: ExperimentResult): Section {
  return {
    heading: "How to repeat this",
    blocks: [
      // A fold trained apart began with a command of its own.
      { kind: "code", text: environment.command.replace(/ --(fold[ =]\d+|collect|json)(?= |$)/g, "") },
      {
        kind: "paragraph",
        text: `${repetitionText(configuration)} Times are kept apart, in times.json of each fold's folder. Definitions of the measures: docs/metrics.md; what the experiment's folder holds: docs/experiment.md.`,
      },
    ],
  };
}

function volumePairs(
  rows: readonly { readonly volume_truth_ml: number | null; readonly volume_prediction_ml: number | null }[],
): MeasuredPairs["pairs"] {
  return rows.flatMap(({ volume_truth_ml: truth, volume_prediction_ml: predicted }) =>
    truth === null || predicted === null ? [] : { truth, predicted },
  );
}

function frocOf({ scores }: ScoredSet): FrocPoint[] {
  return frocCurve(
    frocThresholds,
    scores.flatMap(({ whole_volume }) => (whole_volume === null ? [] : [whole_volume.froc])),
  );
}

const frocPlace = ({ falsePositivesPerVolume, sensitivity }: FrocPoint) => ({
  across: falsePositivesPerVolume ?? Number.NaN,
  up: sensitivity ?? Number.NaN,
});

/** Means of about 60 stretches, in which curves of several folds can be distinguished. */
function smoothed(points: readonly { readonly across: number; readonly up: number }[]) {
  const length = Math.max(1, Math.ceil(points.length / 60));
  return Array.from({ length: Math.ceil(points.length / length) }, (_, part) => {
    const stretch = points.slice(part * length, (part + 1) * length);
    return {
      across: stretch.at(-1)?.across ?? 0,
      up: stretch.reduce((sum, { up }) => sum + up, 0) / stretch.length,
    };
  });
}
