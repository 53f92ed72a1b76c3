// Finds errors and suspicious values in a data set, from the surveys of its cases.

import { patientOfCase } from "@lnsnet/core/sampling";
import { medianOf } from "@lnsnet/core/statistics";
import { counted } from "@lnsnet/core/text";
import type { Vector3 } from "@lnsnet/core/volume";
import { listed } from "./dataset.js";
import type { CaseSurvey, ImageSurvey, LabelSurvey } from "./survey.js";

/** An error prevents a training or makes its result wrong; a warning should be checked by a person. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** Null where it concerns the data set. */
  readonly case: string | null;
  readonly kind: FindingKind;
  readonly message: string;
}

type FindingKind =
  | "layout"
  | "unreadable"
  | "geometry-mismatch"
  | "unknown-value"
  | "instances-mismatch"
  | "no-label"
  | "empty-label"
  | "spacing-outlier"
  | "orientation-mix"
  | "duplicate-image"
  | "train-test-leak"
  | "implausible-hu"
  | "small-nodes"
  | "many-components";

/** Nodes below this short axis are below the smallest of the 11,013-node cohort of Sci Rep 2025 (s41598-024-84804-3). */
const SMALLEST_SHORT_AXIS_MM = 3;
/** More connected components than this in a neck are probably specks of a faulty export. */
const MANY_COMPONENTS = 60;
/** A spacing this many times the median, or this part of it, is an outlier. */
const SPACING_FACTOR = 2;

/**
 * Findings in the order errors first, then by case.
 *
 * @param layoutProblems sentences of {@link listDataset}
 * @param patients for a case's id, its patient, where the data set names it
 */
export function findProblems(
  layoutProblems: readonly string[],
  surveys: readonly CaseSurvey[],
  patients: ReadonlyMap<string, string> = new Map(),
): Finding[] {
  const readable = surveys.filter(hasImage);
  const findings = [
    ...layoutProblems.map((message): Finding => ({ severity: "error", case: null, kind: "layout", message })),
    ...surveys.flatMap(unreadableFiles),
    ...surveys.flatMap(labelFindings),
    ...readable.flatMap(huFindings),
    ...spacingOutliers(readable),
    ...orientationMix(readable),
    ...duplicates(readable),
    ...sharedPatients(surveys, patients),
  ];
  const rank = ({ severity }: Finding) => (severity === "error" ? 0 : 1);
  return findings
    .map((finding, place) => ({ finding, place }))
    .sort((a, b) => rank(a.finding) - rank(b.finding) || a.place - b.place)
    .map(({ finding }) => finding);
}

type ReadableCase = CaseSurvey & { readonly image: ImageSurvey };

/** Whether a case's image could be read. */
export function hasImage(survey: CaseSurvey): survey is ReadableCase {
  return !("unreadable" in survey.image);
}

/** The label's survey where the case has one that could be read. */
export function readableLabel({ label }: CaseSurvey): LabelSurvey | null {
  return label === null || "unreadable" in label ? null : label;
}

function unreadableFiles({ id, image, label }: CaseSurvey): Finding[] {
  return [image, label].flatMap((part) =>
    part !== null && "unreadable" in part
      ? [{ severity: "error" as const, case: id, kind: "unreadable" as const, message: part.unreadable }]
      : [],
  );
}

function labelFindings(survey: CaseSurvey): Finding[] {
  const label = readableLabel(survey);
  if (label === null || !hasImage(survey)) return [];
  const { id } = survey;
  const findings: Finding[] = label.problems.map(({ kind, message }) => ({
    severity: "error",
    case: id,
    kind: kindOfProblem[kind],
    message,
  }));
  // Of a label on another grid, or of unknown values, nothing is measured that would say more.
  if (label.problems.some(({ kind }) => kind === "geometry" || kind === "value")) return findings;
  const warn = (kind: FindingKind, message: string) =>
    findings.push({ severity: "warning", case: id, kind, message });
  if (label.nodes.length === 0) warn("empty-label", "The label has no foreground.");
  if (label.nodes.length > MANY_COMPONENTS)
    warn(
      "many-components",
      `The label has ${label.nodes.length} connected components, ${label.nodes.filter(({ voxels }) => voxels === 1).length} of them of one voxel.`,
    );
  const small = label.nodes.filter(({ shortAxisMm }) => shortAxisMm < SMALLEST_SHORT_AXIS_MM);
  if (small.length > 0)
    warn(
      "small-nodes",
      `${small.length} of ${counted(label.nodes.length, "connected component")} ${small.length === 1 ? "has" : "have"} a short axis below ${SMALLEST_SHORT_AXIS_MM} mm, the smallest ${Math.min(...small.map(({ shortAxisMm }) => shortAxisMm)).toFixed(1)} mm.`,
    );
  return findings;
}

const kindOfProblem = {
  geometry: "geometry-mismatch",
  value: "unknown-value",
  instances: "instances-mismatch",
} as const;

function huFindings({ id, image }: ReadableCase): Finding[] {
  const { lowestHu, highestHu, shareAtHighest } = image;
  if (!image.isCt) return [];
  const finding = (severity: Finding["severity"], message: string): Finding[] => [
    { severity, case: id, kind: "implausible-hu", message },
  ];
  if (image.ctProblem !== null) return finding("error", `It is not a CT in HU: ${image.ctProblem}.`);
  const range = `Its values lie from ${short(lowestHu)} to ${short(highestHu)}`;
  if (lowestHu > -200)
    return finding("warning", `${range}, and air (−1000 HU) is missing: they look clipped or masked.`);
  // A full-range CT saturates in a few voxels of metal; a clipped one in all of its bone.
  if (highestHu < 1500 && shareAtHighest > 1e-3)
    return finding(
      "warning",
      `${range}, and ${(100 * shareAtHighest).toFixed(1)} % of the voxels are at the upper end: they look clipped.`,
    );
  if (highestHu > 32000) return finding("warning", `${range}, far beyond what CT measures.`);
  return [];
}

function spacingOutliers(cases: readonly ReadableCase[]): Finding[] {
  if (cases.length === 0) return [];
  const medians = ([0, 1, 2] as const).map((axis) =>
    medianOf(cases.map(({ image }) => image.geometry.spacingMm[axis])),
  );
  const isOutlier = (spacingMm: Vector3) =>
    spacingMm.some(
      (spacing, axis) => spacing > medians[axis] * SPACING_FACTOR || spacing < medians[axis] / SPACING_FACTOR,
    );
  return cases
    .filter(({ image }) => isOutlier(image.geometry.spacingMm))
    .map(({ id, image }) => ({
      severity: "warning",
      case: id,
      kind: "spacing-outlier",
      message: `Its spacing of ${image.geometry.spacingMm.map(short).join("×")} mm is more than ${SPACING_FACTOR} times off the median of ${medians.map(short).join("×")} mm.`,
    }));
}

function orientationMix(cases: readonly ReadableCase[]): Finding[] {
  const groups = grouped(cases, ({ image }) => image.orientation);
  if (groups.size < 2) return [];
  const [[usual], ...others] = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return others.map(([orientation, members]) => ({
    severity: "warning",
    case: members.length === 1 ? members[0].id : null,
    kind: "orientation-mix",
    message: `${listed(members.map(({ id }) => id))} ${members.length === 1 ? "is" : "are"} stored as ${orientation}, the others as ${usual}; lnsnet turns them, other tools may not.`,
  }));
}

function duplicates(cases: readonly ReadableCase[]): Finding[] {
  return [...grouped(cases, ({ image }) => image.voxelHash).values()]
    .filter((members) => members.length > 1)
    .map((members) => {
      const crosses = new Set(members.map(({ subset }) => subset)).size > 1;
      return {
        severity: crosses ? "error" : "warning",
        case: members[0].id,
        kind: crosses ? "train-test-leak" : "duplicate-image",
        message: `${listed(members.map(placeOf))} have the same voxels.`,
      };
    });
}

/**
 * A patient on both sides is seen by the name that the data set gives, by one id in both folders, or by ids that differ in the
 * number of a visit alone.
 */
function sharedPatients(surveys: readonly CaseSurvey[], patients: ReadonlyMap<string, string>): Finding[] {
  const patientOf = ({ id }: CaseSurvey) => patientOfCase(id, { named: patients });
  return [...grouped(surveys, patientOf).values()]
    .filter((members) => new Set(members.map(({ subset }) => subset)).size > 1)
    .map((members) => ({
      severity: "error",
      case: members[0].id,
      kind: "train-test-leak",
      message: `${listed(members.map(placeOf))} are of one patient.`,
    }));
}

const placeOf = ({ id, subset }: CaseSurvey) => `${id} (${subset})`;

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

const short = (value: number) => String(Number(value.toFixed(2))).replace("-", "−");
