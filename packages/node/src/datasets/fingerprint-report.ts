// The fingerprint of a data set as one HTML file with its plots.

import {
  type Block,
  boxPlotSvg,
  decimals,
  histogramSvg,
  reportHtml,
  type Section,
  type TableColumn,
  tableBlock,
} from "@lnsnet/core/reports";
import { counted } from "@lnsnet/core/text";
import {
  type Fingerprint,
  type FingerprintedNodes,
  type FingerprintedScan,
  huOf,
  type Quantiles,
} from "./fingerprint.js";
import { type HuHistogram, LOWEST_HU } from "./hu-histogram.js";
import type { CaseSurvey } from "./survey.js";

/**
 * @param surveys of which the fingerprint was made, for the histogram of HU
 * @param command that makes it again
 */
export function fingerprintReport(
  fingerprint: Fingerprint,
  surveys: readonly CaseSurvey[],
  command: string,
): string {
  const { dataset, scans } = fingerprint;
  return reportHtml({
    title: `Fingerprint of ${dataset}`,
    dataLabel: dataset,
    summary: summaryOf(fingerprint),
    sections: [
      scanSection(scans),
      huSection(fingerprint, surveys),
      nodeSection(scans),
      { heading: "Each scan", blocks: [tableBlock("Scans", scanColumns, scans.map(scanRow))] },
      { heading: "How to repeat this", blocks: [{ kind: "code", text: command }] },
    ],
  });
}

function summaryOf({ cases, spacing_mm, size_voxels, nodes, classes = [] }: Fingerprint): string[] {
  const unreadable = cases.unreadable > 0 ? `, ${cases.unreadable} of them unreadable and left out` : "";
  const [spacing, size] = [
    spacing_mm.map((axis) => medianText(axis, 2)),
    size_voxels.map((axis) => medianText(axis, 0)),
  ];
  return [
    `${cases.training} training and ${cases.test} test scans${unreadable}.`,
    `Median spacing ${spacing.join(" × ")} mm, median size ${size.join(" × ")} voxels.`,
    `${nodesText(nodes)} Without instances, touching nodes count as one.`,
    ...classes.map(({ name, nodes }) => `${name}: ${nodesText(nodes)}`),
  ];
}

function nodesText({ total, per_case, volume_ml, short_axis_mm }: FingerprintedNodes): string {
  const medians = `median ${medianText(per_case, 0)} a scan, ${medianText(volume_ml, 2)} mL and ${medianText(short_axis_mm, 1)} mm of short axis`;
  return `${counted(total, "connected component")} of foreground, ${medians}.`;
}

const medianText = (quantiles: Quantiles | null, digits: number): string =>
  quantiles?.median.toFixed(digits) ?? "–";

const plot = (svg: string, caption: string): Block => ({ kind: "svg", svg, caption });

function scanSection(scans: readonly FingerprintedScan[]): Section {
  const byAxis = (title: string, lengthMm: (scan: FingerprintedScan, axis: number) => number): string =>
    boxPlotSvg({
      title,
      axisLabel: "mm",
      groups: ["i", "j", "k"].map((label, axis) => ({
        label,
        values: scans.map((scan) => lengthMm(scan, axis)),
      })),
    });
  return {
    heading: "Scans",
    blocks: [
      plot(
        byAxis("Spacing", (scan, axis) => scan.spacing_mm[axis]),
        "Distance of neighbouring voxels along the stored axes, a dot per scan",
      ),
      plot(
        byAxis("Extent", (scan, axis) => scan.size[axis] * scan.spacing_mm[axis]),
        "Size times spacing along the stored axes, a dot per scan",
      ),
    ],
  };
}

function huSection({ hu }: Fingerprint, surveys: readonly CaseSurvey[]): Section {
  return {
    heading: "Hounsfield units",
    blocks: [
      plot(huSvg(surveys), "Voxels above −500 HU, and the foreground of the labels"),
      tableBlock("Hounsfield units over all scans", huColumns, [
        ...(hu.body === null ? [] : [{ part: "above −500 HU", ...hu.body }]),
        ...(hu.foreground === null ? [] : [{ part: "foreground", ...hu.foreground }]),
      ]),
    ],
  };
}

function nodeSection(scans: readonly FingerprintedScan[]): Section {
  const nodes = scans.flatMap((scan) => scan.nodes ?? []);
  const label = "components";
  const histogram = (title: string, axisLabel: string, values: readonly number[]): string =>
    histogramSvg({ title, axisLabel, series: [{ label, ...binned(values) }] });
  return {
    heading: "Nodes",
    blocks: [
      plot(
        boxPlotSvg({
          title: "Connected components a scan",
          axisLabel: label,
          groups: [{ label, values: scans.flatMap((scan) => scan.nodes?.length ?? []) }],
        }),
        "Connected components of foreground, a dot per scan",
      ),
      plot(
        histogram(
          "Short axis",
          "mm",
          nodes.map((node) => node.short_axis_mm),
        ),
        "Short axis in the axial plane, all components",
      ),
      plot(
        histogram(
          "Volume",
          "mL",
          nodes.map((node) => node.volume_ml),
        ),
        "Volume, all components",
      ),
    ],
  };
}

const huColumns: readonly TableColumn<
  "part" | "voxels" | "mean" | "sd" | "p0_5" | "p5" | "p50" | "p95" | "p99_5"
>[] = [
  { key: "part", title: "voxels" },
  { key: "mean", title: "mean", format: decimals(0) },
  { key: "sd", title: "SD", format: decimals(0) },
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
  { key: "nodes", title: "nodes" },
  { key: "foreground", title: "foreground", unit: "mL", format: decimals(2) },
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
