// The tables of an experiment: cases, nodes and summary. They do not depend on when or how often it ran.

import {
  type DetectionCounts,
  type DetectionFigures,
  detectionFigures,
  sensitivityBySize,
} from "@lnsnet/core/metrics";
import type { TableCell, TableColumn } from "@lnsnet/core/reports";
import { clusteredBootstrap, type Interval, summarise } from "@lnsnet/core/statistics";
import { indexedStream, uniformWhole } from "@lnsnet/core/transforms";
import { metricNames, metrics } from "../evaluation/metric-names.js";
import type { CaseScore } from "./scoring.js";

/** Cases of one set by one model. */
export interface ScoredSet {
  readonly set: "cross-validation" | "test";
  /** "fold_0", …, "ensemble"; "all folds" where each case is by the fold that did not train on it. */
  readonly model: string;
  /** Where there are several. */
  readonly className?: string | undefined;
  readonly scores: readonly CaseScore[];
}

/** What a row of a table says of its set. */
const rowOfSet = ({ set, model, className }: Omit<ScoredSet, "scores">) => ({
  set,
  model,
  ...(className === undefined ? {} : { class: className }),
});

export type PatientOf = (caseId: string) => string;

/** A table as data: JSON holds the rows, CSV the columns in their order. */
export interface DataTable {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly Readonly<Record<string, TableCell>>[];
}

/** What must be known before any figure is read, a sentence each: models that predict nothing at all. */
export function warningsOf(sets: readonly ScoredSet[]): string[] {
  return sets.filter(predictsNothing).map(({ set, model, className = "foreground", scores }) => {
    const where = set === "test" ? "the test set" : "its own cases";
    return `The network of ${model.replace("_", " ")} predicts no ${className} in any of the ${scores.length} scans of ${where}: its figures are those of empty masks. It is trained on too little, or for too few steps.`;
  });
}

function predictsNothing({ scores }: ScoredSet): boolean {
  return scores.every(
    ({ whole_volume, node_level }) =>
      (whole_volume?.counts.predictedNodes ?? 0) === 0 &&
      (node_level ?? []).every(({ metrics }) => (metrics.volume_prediction_ml ?? 0) === 0),
  );
}

/** One row a case, model and class. Figures of whole volumes. */
export function caseTable(sets: readonly ScoredSet[], patientOf: PatientOf): DataTable {
  return tableOf(
    sets.flatMap(({ scores, ...set }) =>
      scores.map((score) => ({
        ...rowOfSet(set),
        case: score.case,
        patient: patientOf(score.case),
        true_nodes: score.true_nodes?.length ?? null,
        ...prefixed("whole_volume", {
          ...(score.whole_volume?.metrics ?? noMetrics),
          predicted_nodes: score.whole_volume?.counts.predictedNodes ?? null,
          hits: score.whole_volume?.counts.hits ?? null,
        }),
      })),
    ),
  );
}

/** One row a true node and model; each protocol has columns of its own. */
export function nodeTable(sets: readonly ScoredSet[], patientOf: PatientOf): DataTable {
  return tableOf(
    sets.flatMap(({ scores, ...set }) =>
      scores.flatMap((score) =>
        (score.true_nodes ?? []).map(({ node, volume_ml, short_axis_mm }) => {
          const alone = score.node_level?.find((measured) => measured.node === node);
          const inScan = score.whole_volume?.nodes.find((measured) => measured.node === node);
          return {
            ...rowOfSet(set),
            case: score.case,
            patient: patientOf(score.case),
            node,
            volume_ml,
            short_axis_mm,
            ...prefixed("node_level", {
              ...(alone?.metrics ?? noMetrics),
              short_axis_error_mm: alone?.short_axis_error_mm ?? null,
            }),
            ...prefixed("whole_volume", {
              hit: inScan === undefined ? null : Number(inScan.hit),
              ...(inScan?.metrics ?? noMetrics),
              short_axis_error_mm: inScan?.short_axis_error_mm ?? null,
            }),
          };
        }),
      ),
    ),
  );
}

/** The summary of a measure. */
export interface Figures {
  /** Values that exist. */
  readonly n: number;
  /** Values that do not, such as a distance to an empty mask. */
  readonly without_value: number;
  /** Of detection, the figure of all scans together, which has no spread. */
  readonly mean: number | null;
  readonly sd: number | null;
  readonly median: number | null;
  readonly lower_quartile: number | null;
  readonly upper_quartile: number | null;
  /** 95 % confidence interval of the mean, by a bootstrap of patients. */
  readonly interval_low: number | null;
  readonly interval_high: number | null;
}

/** A measure of a set by a model, at each protocol apart. */
export interface SummaryRow {
  readonly set: ScoredSet["set"];
  readonly model: string;
  /** Where there are several. */
  readonly class?: string;
  readonly measure: string;
  readonly node_level: Figures | null;
  readonly whole_volume: Figures | null;
}

/** How a person reads a measure. */
export interface MeasureTitle {
  readonly title: string;
  readonly unit?: string;
  readonly digits: number;
}

/** The measures of the summary, in its order. */
export const measureTitles: Readonly<Record<string, MeasureTitle>> = {
  dsc: metrics.dsc,
  iou: metrics.iou,
  asd_mm: metrics.asd_mm,
  hd95_mm: metrics.hd95_mm,
  hd_mm: metrics.hd_mm,
  nsd_1mm: metrics.nsd_1mm,
  nsd_2mm: metrics.nsd_2mm,
  volume_difference_ml: metrics.volume_difference_ml,
  short_axis_error_mm: { title: "short-axis error", unit: "mm", digits: 2 },
  sensitivity: { title: "sensitivity", digits: 3 },
  positive_predictive_value: { title: "PPV", digits: 3 },
  false_positives_per_volume: { title: "false positives a volume", digits: 2 },
  f1_aggregated: { title: "F1agg", digits: 3 },
  sensitivity_below_5mm: { title: "sensitivity, short axis below 5 mm", digits: 3 },
  sensitivity_5_to_10mm: { title: "sensitivity, 5 to below 10 mm", digits: 3 },
  sensitivity_10_to_15mm: { title: "sensitivity, 10 to below 15 mm", digits: 3 },
  sensitivity_from_15mm: { title: "sensitivity, from 15 mm", digits: 3 },
};

/** @param seed of the bootstrap */
export function summaryRows(sets: readonly ScoredSet[], patientOf: PatientOf, seed: number): SummaryRow[] {
  return sets.flatMap(({ scores, ...set }) => {
    const nodeLevel = nodeLevelFigures(scores, patientOf, seed);
    const wholeVolume = wholeVolumeFigures(scores, patientOf, seed);
    return Object.keys(measureTitles).map((measure) => ({
      ...rowOfSet(set),
      measure,
      node_level: nodeLevel?.[measure] ?? null,
      whole_volume: wholeVolume?.[measure] ?? null,
    }));
  });
}

/** The summary as a table of one row a set, model and measure, with columns of its own for each protocol. */
export function summaryTable(rows: readonly SummaryRow[]): DataTable {
  return tableOf(
    rows.map(({ node_level, whole_volume, ...row }) => ({
      ...row,
      ...prefixed("node_level", { ...(node_level ?? noFigures) }),
      ...prefixed("whole_volume", { ...(whole_volume ?? noFigures) }),
    })),
  );
}

const noMetrics: Readonly<Record<string, null>> = Object.fromEntries(metricNames.map((name) => [name, null]));

const noFigures: Readonly<Record<keyof Figures, null>> = {
  n: null,
  without_value: null,
  mean: null,
  sd: null,
  median: null,
  lower_quartile: null,
  upper_quartile: null,
  interval_low: null,
  interval_high: null,
};

/** A value and whose it is. */
interface OfPatient<T> {
  readonly patient: string;
  readonly value: T;
}

type FiguresByMeasure = Readonly<Record<string, Figures>>;

function nodeLevelFigures(
  scores: readonly CaseScore[],
  patientOf: PatientOf,
  seed: number,
): FiguresByMeasure | null {
  if (scores.every(({ node_level }) => node_level === null)) return null;
  const nodes = scores.flatMap((score) =>
    (score.node_level ?? []).map((value) => ({ patient: patientOf(score.case), value })),
  );
  const rows = nodes.map(({ patient, value }) => ({
    patient,
    value: { ...value.metrics, short_axis_error_mm: value.short_axis_error_mm },
  }));
  return figuresOfRows(rows, seed);
}

function wholeVolumeFigures(
  scores: readonly CaseScore[],
  patientOf: PatientOf,
  seed: number,
): FiguresByMeasure | null {
  const scans = scores.flatMap((score) =>
    score.whole_volume === null ? [] : { patient: patientOf(score.case), score, value: score.whole_volume },
  );
  if (scans.length === 0) return null;
  const nodes = scans.flatMap(({ patient, score, value }) =>
    value.nodes.map(({ node, hit, short_axis_error_mm }) => ({
      patient,
      value: {
        hit,
        shortAxisMm:
          score.true_nodes?.find((measured) => measured.node === node)?.short_axis_mm ?? Number.NaN,
        short_axis_error_mm,
      },
    })),
  );
  return {
    ...figuresOfRows(
      scans.map(({ patient, value }) => ({ patient, value: value.metrics })),
      seed,
    ),
    short_axis_error_mm: figuresOfValues(
      nodes.map(({ patient, value }) => ({ patient, value: value.short_axis_error_mm })),
      seed,
    ),
    ...detectionOf(
      scans.map(({ patient, value }) => ({ patient, value: value.counts })),
      seed,
    ),
    ...strataOf(nodes, seed),
  };
}

function figuresOfRows(
  rows: readonly OfPatient<Readonly<Record<string, number | null>>>[],
  seed: number,
): FiguresByMeasure {
  const names = Object.keys(measureTitles).filter((name) => rows.some(({ value }) => name in value));
  return Object.fromEntries(
    names.map((name) => {
      const values = rows.map(({ patient, value }) => ({ patient, value: value[name] ?? null }));
      return [name, figuresOfValues(values, seed)];
    }),
  );
}

function figuresOfValues(values: readonly OfPatient<number | null>[], seed: number): Figures {
  const { count, nulls, mean, sd, median, lowerQuartile, upperQuartile } = summarise(
    values.map(({ value }) => value),
  );
  const existing = values.flatMap(({ patient, value }) => (value === null ? [] : { patient, value }));
  const interval = bootstrap(
    existing,
    (sample) => (sample.length === 0 ? null : sample.reduce((sum, value) => sum + value, 0) / sample.length),
    seed,
  );
  return {
    n: count,
    without_value: nulls,
    mean,
    sd,
    median,
    lower_quartile: lowerQuartile,
    upper_quartile: upperQuartile,
    interval_low: interval?.low ?? null,
    interval_high: interval?.high ?? null,
  };
}

/** Detection over scans; each figure counts what it divides by. */
function detectionOf(scans: readonly OfPatient<DetectionCounts>[], seed: number): FiguresByMeasure {
  const read = {
    sensitivity: ({ sensitivity, trueNodes }: DetectionFigures) => ({ figure: sensitivity, n: trueNodes }),
    positive_predictive_value: ({ positivePredictiveValue, predictedNodes }: DetectionFigures) => ({
      figure: positivePredictiveValue,
      n: predictedNodes,
    }),
    false_positives_per_volume: ({ falsePositivesPerVolume, volumes }: DetectionFigures) => ({
      figure: falsePositivesPerVolume,
      n: volumes,
    }),
    f1_aggregated: ({ f1Aggregated, volumes }: DetectionFigures) => ({ figure: f1Aggregated, n: volumes }),
  };
  return Object.fromEntries(
    Object.entries(read).map(([name, of]) => {
      const { figure, n } = of(detectionFigures(scans.map(({ value }) => value)));
      const interval = bootstrap(scans, (sample) => of(detectionFigures(sample)).figure, seed);
      return [name, ratioFigures(figure, n, interval)];
    }),
  );
}

function strataOf(
  nodes: readonly OfPatient<{ readonly hit: boolean; readonly shortAxisMm: number }>[],
  seed: number,
): FiguresByMeasure {
  return Object.fromEntries(
    sensitivityBySize(nodes.map(({ value }) => value)).map(({ fromMm, toMm, trueNodes, sensitivity }) => {
      const within = nodes.filter(
        ({ value }) => value.shortAxisMm >= fromMm && (toMm === null || value.shortAxisMm < toMm),
      );
      const hitShare = (sample: readonly { readonly hit: boolean }[]): number | null =>
        sample.length === 0 ? null : sample.filter(({ hit }) => hit).length / sample.length;
      const name = `sensitivity_${fromMm === 0 ? `below_${toMm}` : toMm === null ? `from_${fromMm}` : `${fromMm}_to_${toMm}`}mm`;
      return [name, ratioFigures(sensitivity, trueNodes, bootstrap(within, hitShare, seed))];
    }),
  );
}

function ratioFigures(figure: number | null, n: number, interval: Interval | null): Figures {
  return {
    ...noFigures,
    n,
    without_value: 0,
    mean: figure,
    interval_low: interval?.low ?? null,
    interval_high: interval?.high ?? null,
  };
}

/** Apart from every stream of training and splitting. */
const BOOTSTRAP_STREAM = 2 ** 52;

function bootstrap<T>(
  values: readonly OfPatient<T>[],
  statistic: (sample: readonly T[]) => number | null,
  seed: number,
): Interval | null {
  const random = indexedStream(seed, BOOTSTRAP_STREAM);
  const patients = [...new Set(values.map(({ patient }) => patient))].map((patient) =>
    values.filter((importedCase) => importedCase.patient === patient).map(({ value }) => value),
  );
  // Of one patient there is no spread to draw from.
  return patients.length < 2
    ? null
    : clusteredBootstrap(patients, statistic, (count) => uniformWhole(random, count));
}

function prefixed<T>(prefix: string, row: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [`${prefix}_${key}`, value]));
}

function tableOf(rows: DataTable["rows"]): DataTable {
  return { columns: Object.keys(rows[0] ?? {}).map((key) => ({ key, title: key })), rows };
}
