// Which nodes were found, under the names that the command line prints.

import { countsOf, detectionFigures, type NodeDetection, sensitivityBySize } from "@lnsnet/core/metrics";
import { decimals, textTable } from "@lnsnet/core/reports";
import { type MetricRow, metricRow } from "./metric-names.js";

/** The nodes of one scan. */
export interface ScanNodes {
  readonly case: string;
  readonly detection: NodeDetection;
}

/** A true node, with its metrics. */
interface TrueNodeJson extends MetricRow {
  readonly case: string;
  readonly id: number;
  readonly hit: boolean;
  readonly prediction_id: number | null;
  readonly short_axis_mm: number;
  readonly short_axis_error_mm: number | null;
}

/** Every true node, every predicted one that is no hit, and the figures over all scans. */
export function detectionJson(scans: readonly ScanNodes[]) {
  const figures = detectionFigures(scans.map(({ detection }) => countsOf(detection)));
  return {
    nodes: scans.flatMap(trueNodes),
    false_positives: scans.flatMap(({ case: id, detection }) =>
      detection.prediction
        .filter(({ truthId }) => truthId === null)
        .map((node) => ({
          case: id,
          id: node.id,
          volume_ml: node.volumeMl,
          short_axis_mm: node.shortAxisMm,
          centroid_lps_mm: node.centroidLpsMm,
        })),
    ),
    detection: {
      volumes: figures.volumes,
      true_nodes: figures.trueNodes,
      predicted_nodes: figures.predictedNodes,
      hits: figures.hits,
      sensitivity: figures.sensitivity,
      ppv: figures.positivePredictiveValue,
      false_positives_per_volume: figures.falsePositivesPerVolume,
      f1_aggregated: figures.f1Aggregated,
      by_short_axis: sensitivityBySize(scans.flatMap(({ detection }) => detection.truth)).map((stratum) => ({
        from_mm: stratum.fromMm,
        to_mm: stratum.toMm,
        true_nodes: stratum.trueNodes,
        hits: stratum.hits,
        sensitivity: stratum.sensitivity,
      })),
    },
  };
}

/** The same for a person: a row for each true node, and the figures below. */
export function detectionText(scans: readonly ScanNodes[]): string {
  const { nodes, detection } = detectionJson(scans);
  const rows = nodes.map((node) => ({ ...node, hit: node.hit ? "yes" : "no" }));
  const share = (value: number | null) => (value === null ? "–" : `${(100 * value).toFixed(1)} %`);
  const strata = detection.by_short_axis.map(
    ({ from_mm, to_mm, hits, true_nodes }) =>
      `${to_mm === null ? `${from_mm} mm and more` : `${from_mm}–${to_mm} mm`}: ${hits} of ${true_nodes}`,
  );
  return [
    textTable(
      [
        { key: "case", title: "case" },
        { key: "id", title: "node" },
        { key: "hit", title: "found" },
        { key: "dsc", title: "DSC", format: decimals(3) },
        { key: "volume_truth_ml", title: "volume", unit: "mL", format: decimals(2) },
        { key: "short_axis_mm", title: "short axis", unit: "mm", format: decimals(1) },
        { key: "short_axis_error_mm", title: "error", unit: "mm", format: decimals(1) },
      ],
      rows,
    ),
    "",
    `sensitivity ${share(detection.sensitivity)} (${detection.hits} of ${detection.true_nodes} nodes) · PPV ${share(detection.ppv)} · ` +
      `false positives ${detection.false_positives_per_volume?.toFixed(2) ?? "–"} a volume · F1agg ${detection.f1_aggregated?.toFixed(3) ?? "–"}`,
    `found by short axis: ${strata.join(" · ")}`,
  ].join("\n");
}

function trueNodes({ case: id, detection }: ScanNodes): TrueNodeJson[] {
  return detection.truth.map((node) => ({
    case: id,
    id: node.id,
    hit: node.hit,
    prediction_id: node.predictionId,
    short_axis_mm: node.shortAxisMm,
    short_axis_error_mm: node.shortAxisErrorMm,
    ...metricRow(node),
  }));
}
