// The metrics under the names that JSON and CSV have, and as tables for people show them.
import type { CaseMetrics } from "@lnsnet/core/metrics";

interface MetricColumn {
  readonly field: keyof CaseMetrics;
  readonly title: string;
  readonly unit?: string;
  readonly digits: number;
  /** Whether a table on a terminal has room for it. */
  readonly isShort: boolean;
}

export const metrics = {
  dsc: { field: "dsc", title: "DSC", digits: 3, isShort: true },
  iou: { field: "iou", title: "IoU", digits: 3, isShort: true },
  asd_mm: { field: "asdMm", title: "ASD", unit: "mm", digits: 2, isShort: true },
  asd_truth_to_prediction_mm: {
    field: "asdTruthToPredictionMm",
    title: "ASD truth to prediction",
    unit: "mm",
    digits: 2,
    isShort: false,
  },
  asd_prediction_to_truth_mm: {
    field: "asdPredictionToTruthMm",
    title: "ASD prediction to truth",
    unit: "mm",
    digits: 2,
    isShort: false,
  },
  hd95_mm: { field: "hd95Mm", title: "HD95", unit: "mm", digits: 2, isShort: true },
  hd_mm: { field: "hdMm", title: "HD", unit: "mm", digits: 2, isShort: true },
  nsd_1mm: { field: "nsd1mm", title: "NSD 1 mm", digits: 3, isShort: true },
  nsd_2mm: { field: "nsd2mm", title: "NSD 2 mm", digits: 3, isShort: true },
  volume_truth_ml: { field: "volumeTruthMl", title: "truth", unit: "mL", digits: 2, isShort: true },
  volume_prediction_ml: {
    field: "volumePredictionMl",
    title: "prediction",
    unit: "mL",
    digits: 2,
    isShort: true,
  },
  volume_difference_ml: {
    field: "volumeDifferenceMl",
    title: "volume difference",
    unit: "mL",
    digits: 2,
    isShort: false,
  },
} as const satisfies Record<string, MetricColumn>;

export type MetricName = keyof typeof metrics;

/** What a metric's value is for one prediction; null where it does not exist. */
export type MetricRow = Readonly<Record<MetricName, number | null>>;

export const metricNames = Object.keys(metrics) as readonly MetricName[];

export function metricRow(found: CaseMetrics): MetricRow {
  return forEachMetric((name) => found[metrics[name].field]);
}

export function forEachMetric<T>(read: (name: MetricName) => T): Record<MetricName, T> {
  return Object.fromEntries(metricNames.map((name) => [name, read(name)])) as Record<MetricName, T>;
}
