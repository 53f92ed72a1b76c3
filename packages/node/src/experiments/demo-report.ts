// The demonstration's table and report.
import type { CaseMetrics } from "@lnsnet/core/metrics";
import {
  decimals,
  learningCurveSvg,
  reportHtml,
  type TableColumn,
  tableBlock,
  textTable,
} from "@lnsnet/core/reports";
import { counted } from "@lnsnet/core/text";
import type { TrainingHistory } from "@lnsnet/core/training";
import { duration } from "../work/duration.js";

export interface DemoCase extends CaseMetrics {
  readonly case: string;
  /** Connected components found. */
  readonly nodes: number;
  readonly seconds: number;
  /** Overlay of truth and prediction, PNG. */
  readonly picture: Uint8Array;
}

export interface DemoSummary {
  readonly cases: readonly DemoCase[];
  readonly parameters: number;
  readonly multiplyAdds: number;
  readonly trainingPatients: number;
  readonly steps: number;
  readonly trainingSeconds: number;
  readonly seconds: number;
  readonly curve: TrainingHistory;
  readonly command: string;
}

type Key = "case" | "dsc" | "hd95Mm" | "volumeTruthMl" | "volumePredictionMl" | "nodes" | "seconds";
const columns: readonly TableColumn<Key>[] = [
  { key: "case", title: "patient" },
  { key: "dsc", title: "DSC", format: decimals(3) },
  { key: "hd95Mm", title: "HD95", unit: "mm", format: decimals(2) },
  { key: "volumeTruthMl", title: "truth", unit: "mL", format: decimals(2) },
  { key: "volumePredictionMl", title: "prediction", unit: "mL", format: decimals(2) },
  { key: "nodes", title: "nodes found" },
  { key: "seconds", title: "time", unit: "s", format: decimals(1) },
];

/** Mean over the cases that have a value; null where none has. */
function meanOfCases(cases: readonly DemoCase[], key: Exclude<Key, "case">): number | null {
  const values = cases.flatMap((row) => row[key] ?? []);
  return values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
}

function meanRow(cases: readonly DemoCase[]): Record<Key, string | number | null> {
  const mean = (key: Exclude<Key, "case" | "nodes">) => meanOfCases(cases, key);
  return {
    case: "mean",
    dsc: mean("dsc"),
    hd95Mm: mean("hd95Mm"),
    volumeTruthMl: mean("volumeTruthMl"),
    volumePredictionMl: mean("volumePredictionMl"),
    nodes: null,
    seconds: mean("seconds"),
  };
}

/** The result as a table for the terminal. */
export function demoTable({ cases }: DemoSummary): string {
  return `Held-out patients (phantom, whole volume)\n${textTable(columns, cases, [meanRow(cases)])}`;
}

/** The result as one HTML file: the table, the learning curve, a picture of each patient. */
export function demoReport(summary: DemoSummary): string {
  const {
    cases,
    parameters,
    multiplyAdds,
    trainingPatients,
    steps,
    trainingSeconds,
    seconds,
    curve,
    command,
  } = summary;
  const dsc = meanOfCases(cases, "dsc");
  const hd95 = meanOfCases(cases, "hd95Mm");
  return reportHtml({
    title: "LNSNet demonstration",
    dataLabel: "phantom",
    summary: [
      `Mean DSC ${dsc?.toFixed(3) ?? "–"} and mean HD95 ${hd95?.toFixed(2) ?? "–"} mm over ${cases.length} held-out phantom patients, whole volume.`,
      `A small LNSNet of ${parameters.toLocaleString("en")} parameters (${(multiplyAdds / 1e9).toFixed(2)} G multiply-adds a patch), trained for ${counted(steps, "step")} on ${trainingPatients} phantom patients in ${duration(trainingSeconds)}; everything together took ${duration(seconds)}.`,
      "The scans are synthetic. What a network does on them says nothing of how it does on patients.",
    ],
    sections: [
      {
        heading: "Held-out patients",
        blocks: [
          tableBlock("Whole-volume segmentation of each held-out patient", columns, cases, [meanRow(cases)]),
        ],
      },
      {
        heading: "Training",
        blocks: [
          {
            kind: "svg",
            svg: learningCurveSvg({ title: "Learning curve", note: "phantom, lnsnet-small", ...curve }),
            caption: "Training loss, and DSC on validation patients",
          },
        ],
      },
      {
        heading: "Pictures",
        blocks: cases.map(({ case: id, dsc: value, picture }) => ({
          kind: "png" as const,
          png: picture,
          alternativeText: `Axial, coronal and sagittal slices of ${id} with outlines of the true and the predicted nodes`,
          caption: `${id}, DSC ${value.toFixed(3)}: truth and prediction`,
        })),
      },
      { heading: "How to repeat this", blocks: [{ kind: "code", text: command }] },
    ],
  });
}
