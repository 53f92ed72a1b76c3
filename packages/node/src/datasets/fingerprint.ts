// The fingerprint of a data set: what its scans and nodes are like, as JSON that a person reads and as a report.

import { counted, type Report, reportHtml, type Vector3 } from "@lnsnet/core";
import { boxPlotSvg, histogramSvg, type TableColumn, tableBlock } from "@lnsnet/core/reports";
import { quantileOfSorted } from "@lnsnet/core/statistics";
import { hasImage, readableLabel } from "./checking.js";
import type { Dataset } from "./dataset.js";
import { classNames } from "./foreground.js";
import { type HuHistogram, type HuSummary, LOWEST_HU, mergeHistograms, summariseHu } from "./hu-histogram.js";
import type { CaseSurvey } from "./survey.js";

/** Names as in the JSON file. Quantiles are null where there is no value. */
export interface Fingerprint {
  readonly dataset: string;
  readonly cases: { readonly training: number; readonly test: number; readonly unreadable: number };
  /** Along i, j, k as the files store them. */
  readonly spacing_mm: readonly (Quantiles | null)[];
  readonly size_voxels: readonly (Quantiles | null)[];
  readonly extent_mm: readonly (Quantiles | null)[];
  readonly orientations: Readonly<Record<string, number>>;
  readonly hu: { readonly body: HuSummary | null; readonly foreground: HuSummary | null };
  readonly nodes: FingerprintedNodes;
  /** The nodes of each class, where there are several. */
  readonly classes?: readonly { readonly name: string; readonly nodes: FingerprintedNodes }[];
  readonly foreground_ml: Quantiles | null;
  readonly scans: readonly FingerprintedScan[];
}

export interface FingerprintedNodes {
  readonly total: number;
  readonly per_case: Quantiles | null;
  readonly volume_ml: Quantiles | null;
  readonly short_axis_mm: Quantiles | null;
}

export interface Quantiles {
  readonly lowest: number;
  readonly p25: number;
  readonly median: number;
  readonly p75: number;
  readonly highest: number;
}

export interface FingerprintedScan {
  readonly case: string;
  readonly subset: string;
  readonly size: Vector3;
  readonly spacing_mm: Vector3;
  readonly orientation: string;
  /** Null where the case has no label that can be used. */
  readonly nodes:
    | readonly { readonly volume_ml: number; readonly short_axis_mm: number; readonly class?: string }[]
    | null;
  readonly foreground_ml: number | null;
}

/** The fingerprint of the cases whose image can be read; labels that cannot be used are left out. */
export function fingerprintOf({ name, labels }: Dataset, surveys: readonly CaseSurvey[]): Fingerprint {
  const cases = surveys.filter(hasImage);
  const scans = cases.map((datasetCase): FingerprintedScan => {
    const label = readableLabel(datasetCase);
    const usable = label === null || label.problems.length > 0 ? null : label;
    const { size, spacingMm } = datasetCase.image.geometry;
    return {
      case: datasetCase.id,
      subset: datasetCase.subset,
      size,
      spacing_mm: spacingMm,
      orientation: datasetCase.image.orientation,
      nodes:
        usable?.nodes.map(({ volumeMl, shortAxisMm, className }) => ({
          volume_ml: volumeMl,
          short_axis_mm: shortAxisMm,
          ...(className === undefined ? {} : { class: className }),
        })) ?? null,
      foreground_ml: usable?.foregroundMl ?? null,
    };
  });
  const names = classNames(labels);
  const axes = [0, 1, 2] as const;
  const count = (subset: string) => surveys.filter((importedCase) => importedCase.subset === subset).length;
  const { body, foreground } = huOf(surveys);
  return {
    dataset: name,
    cases: { training: count("training"), test: count("test"), unreadable: surveys.length - cases.length },
    spacing_mm: axes.map((axis) => quantilesOf(scans.map((scan) => scan.spacing_mm[axis]))),
    size_voxels: axes.map((axis) => quantilesOf(scans.map((scan) => scan.size[axis]))),
    extent_mm: axes.map((axis) => quantilesOf(scans.map((scan) => scan.size[axis] * scan.spacing_mm[axis]))),
    orientations: Object.fromEntries(
      [...new Set(scans.map(({ orientation }) => orientation))]
        .sort()
        .map((code) => [code, scans.filter(({ orientation }) => orientation === code).length]),
    ),
    hu: { body: summariseHu(body), foreground: summariseHu(foreground) },
    nodes: nodesOf(scans),
    ...(names.length > 1
      ? { classes: names.map((entry) => ({ name: entry, nodes: nodesOf(scans, entry) })) }
      : {}),
    foreground_ml: quantilesOf(scans.flatMap((scan) => scan.foreground_ml ?? [])),
    scans,
  };
}

/** Of one class, or of all. */
function nodesOf(scans: readonly FingerprintedScan[], className?: string): FingerprintedNodes {
  const counted = scans.flatMap((scan) =>
    scan.nodes === null
      ? []
      : [scan.nodes.filter((node) => className === undefined || node.class === className)],
  );
  const nodes = counted.flat();
  return {
    total: nodes.length,
    per_case: quantilesOf(counted.map(({ length }) => length)),
    volume_ml: quantilesOf(nodes.map((node) => node.volume_ml)),
    short_axis_mm: quantilesOf(nodes.map((node) => node.short_axis_mm)),
  };
}

/** The fingerprint as one HTML file with its plots. */
export function fingerprintReport(
  fingerprint: Fingerprint,
  surveys: readonly CaseSurvey[],
  command: string,
): string {
  const { dataset, cases, scans, hu, nodes } = fingerprint;
  const allNodes = scans.flatMap((scan) => scan.nodes ?? []);
  const median = (quantiles: Quantiles | null, digits: number) => quantiles?.median.toFixed(digits) ?? "–";
  const report: Report = {
    title: `Fingerprint of ${dataset}`,
    dataLabel: dataset,
    summary: [
      `${cases.training} training and ${cases.test} test scans${cases.unreadable > 0 ? `, ${cases.unreadable} of them unreadable and left out` : ""}.`,
      `Median spacing ${fingerprint.spacing_mm.map((axis) => median(axis, 2)).join(" × ")} mm, median size ${fingerprint.size_voxels.map((axis) => median(axis, 0)).join(" × ")} voxels.`,
      `${counted(nodes.total, "body", "bodies")} of foreground, median ${median(nodes.per_case, 0)} a scan, ${median(nodes.volume_ml, 2)} mL and ${median(nodes.short_axis_mm, 1)} mm of short axis. Without instances, nodes that touch count as one.`,
      ...(fingerprint.classes ?? []).map(
        ({ name, nodes: own }) =>
          `${name}: ${counted(own.total, "body", "bodies")}, median ${median(own.per_case, 0)} a scan, ${median(own.volume_ml, 2)} mL and ${median(own.short_axis_mm, 1)} mm of short axis.`,
      ),
    ],
    sections: [
      {
        heading: "Scans",
        blocks: [
          {
            kind: "svg",
            svg: boxPlotSvg({
              title: "Spacing",
              axisLabel: "mm",
              groups: ["i", "j", "k"].map((label, axis) => ({
                label,
                values: scans.map((scan) => scan.spacing_mm[axis]),
              })),
            }),
            caption: "Distance of neighbouring voxels along the stored axes, a dot a scan",
          },
          {
            kind: "svg",
            svg: boxPlotSvg({
              title: "Extent",
              axisLabel: "mm",
              groups: ["i", "j", "k"].map((label, axis) => ({
                label,
                values: scans.map((scan) => scan.size[axis] * scan.spacing_mm[axis]),
              })),
            }),
            caption: "Size times spacing along the stored axes, a dot a scan",
          },
        ],
      },
      {
        heading: "Hounsfield units",
        blocks: [
          {
            kind: "svg",
            svg: huSvg(surveys),
            caption: "Voxels above −500 HU, and the foreground of the labels",
          },
          tableBlock("Hounsfield units over all scans", huColumns, [
            ...(hu.body === null ? [] : [{ part: "above −500 HU", ...hu.body }]),
            ...(hu.foreground === null ? [] : [{ part: "foreground", ...hu.foreground }]),
          ]),
        ],
      },
      {
        heading: "Nodes",
        blocks: [
          {
            kind: "svg",
            svg: boxPlotSvg({
              title: "Bodies a scan",
              axisLabel: "bodies",
              groups: [{ label: "bodies", values: scans.flatMap((scan) => scan.nodes?.length ?? []) }],
            }),
            caption: "Separate bodies of foreground, a dot a scan",
          },
          {
            kind: "svg",
            svg: histogramSvg({
              title: "Short axis",
              axisLabel: "mm",
              series: [{ label: "bodies", ...binned(allNodes.map((node) => node.short_axis_mm)) }],
            }),
            caption: "Short axis in the axial plane, all bodies",
          },
          {
            kind: "svg",
            svg: histogramSvg({
              title: "Volume",
              axisLabel: "mL",
              series: [{ label: "bodies", ...binned(allNodes.map((node) => node.volume_ml)) }],
            }),
            caption: "Volume, all bodies",
          },
        ],
      },
      { heading: "Each scan", blocks: [tableBlock("Scans", scanColumns, scans.map(scanRow))] },
      { heading: "How to repeat this", blocks: [{ kind: "code", text: command }] },
    ],
  };
  return reportHtml(report);
}

const whole = (value: number) => value.toFixed(0);
const huColumns: readonly TableColumn<
  "part" | "voxels" | "mean" | "sd" | "p0_5" | "p5" | "p50" | "p95" | "p99_5"
>[] = [
  { key: "part", title: "voxels" },
  { key: "mean", title: "mean", format: whole },
  { key: "sd", title: "SD", format: whole },
  { key: "p0_5", title: "0.5 %" },
  { key: "p5", title: "5 %" },
  { key: "p50", title: "50 %" },
  { key: "p95", title: "95 %" },
  { key: "p99_5", title: "99.5 %" },
];

type ScanKey = "case" | "subset" | "size" | "spacing" | "orientation" | "nodes" | "foreground";
const scanColumns: readonly TableColumn<ScanKey>[] = [
  { key: "case", title: "case" },
  { key: "subset", title: "subset" },
  { key: "size", title: "size" },
  { key: "spacing", title: "spacing", unit: "mm" },
  { key: "orientation", title: "orientation" },
  { key: "nodes", title: "bodies" },
  { key: "foreground", title: "foreground", unit: "mL", format: (value) => value.toFixed(2) },
];

function scanRow(scan: FingerprintedScan): Record<ScanKey, string | number | null> {
  return {
    case: scan.case,
    subset: scan.subset,
    size: scan.size.join("×"),
    spacing: scan.spacing_mm.map((value) => Number(value.toFixed(3))).join("×"),
    orientation: scan.orientation,
    nodes: scan.nodes?.length ?? null,
    foreground: scan.foreground_ml,
  };
}

function huOf(surveys: readonly CaseSurvey[]): { body: HuHistogram; foreground: HuHistogram } {
  return {
    body: mergeHistograms(surveys.filter(hasImage).map(({ image }) => image.body)),
    foreground: mergeHistograms(surveys.flatMap((survey) => readableLabel(survey)?.foreground ?? [])),
  };
}

/** −500 to 1500 HU, 20 HU a bar: soft tissue, contrast and bone. */
function huSvg(surveys: readonly CaseSurvey[]): string {
  const { body, foreground } = huOf(surveys);
  const [lowest, highest, width] = [-500, 1500, 20];
  const bars = ({ counts }: HuHistogram): number[] =>
    Array.from({ length: (highest - lowest) / width }, (_, bar) => {
      const first = lowest - LOWEST_HU + bar * width;
      return counts.subarray(first, first + width).reduce((a, b) => a + b, 0);
    });
  return histogramSvg({
    title: "Hounsfield units",
    axisLabel: "HU",
    series: [
      { label: "above −500 HU", lowest, binWidth: width, counts: bars(body) },
      { label: "foreground", lowest, binWidth: width, counts: bars(foreground) },
    ],
  });
}

/** About twenty bars of a round width, from 0. */
function binned(values: readonly number[]): { lowest: number; binWidth: number; counts: number[] } {
  const highest = values.reduce((a, b) => Math.max(a, b), 0) || 1;
  const rough = highest / 20;
  const power = 10 ** Math.floor(Math.log10(rough));
  const binWidth = power * ([1, 2, 5, 10].find((multiple) => multiple * power >= rough) ?? 10);
  const counts = new Array<number>(Math.floor(highest / binWidth) + 1).fill(0);
  for (const value of values) counts[Math.floor(value / binWidth)]++;
  return { lowest: 0, binWidth, counts };
}

function quantilesOf(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const ascending = [...values].sort((a, b) => a - b);
  const at = (share: number) => quantileOfSorted(ascending, share);
  return { lowest: at(0), p25: at(0.25), median: at(0.5), p75: at(0.75), highest: at(1) };
}
