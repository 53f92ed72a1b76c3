// The fingerprint of a data set: what its scans and nodes are like, as JSON that a person reads.

import { quantileOfSorted } from "@lnsnet/core/statistics";
import type { Vector3 } from "@lnsnet/core/volume";
import { hasImage, readableLabel } from "./checking.js";
import type { Dataset } from "./dataset.js";
import { classNames } from "./foreground.js";
import { type HuHistogram, type HuSummary, mergeHistograms, summariseHu } from "./hu-histogram.js";
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

/** HU above −500 of all scans, and of the foreground of all labels. */
export function huOf(surveys: readonly CaseSurvey[]): { body: HuHistogram; foreground: HuHistogram } {
  return {
    body: mergeHistograms(surveys.filter(hasImage).map(({ image }) => image.body)),
    foreground: mergeHistograms(surveys.flatMap((survey) => readableLabel(survey)?.foreground ?? [])),
  };
}

function quantilesOf(values: readonly number[]): Quantiles | null {
  if (values.length === 0) return null;
  const ascending = [...values].sort((a, b) => a - b);
  const at = (share: number) => quantileOfSorted(ascending, share);
  return { lowest: at(0), p25: at(0.25), median: at(0.5), p75: at(0.75), highest: at(1) };
}
