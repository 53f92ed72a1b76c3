// What the reports of experiments and comparisons say alike: titles of protocols and sets, and numbers as text.
import { decimals } from "@lnsnet/core/reports";
import type { Protocol } from "./paired-tests.js";
import type { Figures, MeasureTitle, ScoredSet, SummaryRow } from "./tables.js";

export const protocolNames = ["node_level", "whole_volume"] as const satisfies readonly Protocol[];

export const protocolTitles: Readonly<Record<Protocol, string>> = {
  node_level: "Node level",
  whole_volume: "Whole volume",
};

export const protocolTexts: Readonly<Record<Protocol, string>> = {
  node_level:
    "The network predicts a box of its patch size around each true node, and only that node is evaluated: a predicted voxel belongs to the nearest true node. The box is placed by the truth, so these figures tell how well a node at a known position is outlined, not whether it is found.",
  whole_volume:
    "The network sees the whole scan and nothing of the truth. DSC, IoU, surface distances and NSD are of all foreground of a scan; a true node is found where a predicted connected component has an IoU above 0.3 with it.",
};

/** Whether a set stands for an experiment's result: all folds together, or the ensemble. */
export const isWhole = ({ model }: Pick<ScoredSet, "model">): boolean =>
  model === "all folds" || model === "ensemble";

export const setTitle = ({ set, model, className }: Omit<ScoredSet, "scores">): string =>
  [
    ...(className === undefined ? [] : [className]),
    set === "test" ? "test set" : "cross-validation",
    model.replace("_", " "),
  ].join(", ");

/** The classes of sets; one of undefined where there are not several. */
export const classesOf = (sets: readonly ScoredSet[]): readonly (string | undefined)[] => [
  ...new Set(sets.map(({ className }) => className)),
];

export function figuresOf(
  summary: readonly SummaryRow[],
  set: ScoredSet,
  protocol: Protocol,
  measure: string,
): Figures | null {
  const row = summary.find((candidate) => candidate.measure === measure && isOfSet(candidate, set));
  return row?.[protocol] ?? null;
}

export const isOfSet = (row: SummaryRow, { set, model, className }: ScoredSet): boolean =>
  row.set === set && row.model === model && row.class === className;

/** With the minus sign of print. */
export const figureText =
  (digits: number) =>
  (value: number): string =>
    decimals(digits)(value).replace("-", "−");

/** "0.712 ± 0.083". */
export function spread({ mean, sd }: Figures, digits: number): string {
  const number = figureText(digits);
  return `${mean === null ? "–" : number(mean)}${sd === null ? "" : ` ± ${number(sd)}`}`;
}

export const withUnit = ({ title, unit }: Omit<MeasureTitle, "digits">): string =>
  unit === undefined ? title : `${title} (${unit})`;

/** Three digits, as journals print p; no p is 0. */
export const probabilityText = (value: number): string => (value < 0.001 ? "< 0.001" : value.toFixed(3));
