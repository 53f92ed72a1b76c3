// The result of a comparison: for each network its figures, what it costs, and how it stands against the first one.

import { type Comparison, type Protocol, pairedComparisons } from "./paired-tests.js";
import type { ExperimentResult } from "./report.js";
import { figuresOf, isWhole, protocolNames } from "./report-wording.js";
import type { DataTable, ScoredSet } from "./tables.js";

/** What a network costs. Times are of the machines that it was trained and collected on. */
export interface NetworkCosts {
  readonly parameters: number;
  /** Of a patch: true multiply-accumulates. */
  readonly multiplyAdds: number;
  /** Of a patch, by thop's rule: a transposed convolution by its output, attention products left out. */
  readonly multiplyAddsThop: number;
  /** Mean of the folds. */
  readonly trainingSteps: number;
  /** Seconds of updates, mean of the folds. */
  readonly trainingSeconds: number;
  /** Prediction of one patch. */
  readonly patchSeconds: number;
}

/** A network whose folds are all there. */
export interface ComparedResult {
  readonly name: string;
  readonly label: string;
  readonly experiment: ExperimentResult;
  readonly costs: NetworkCosts;
}

export interface ComparisonResult {
  /** Finished ones, in the order in which they were named. */
  readonly compared: readonly ComparedResult[];
  /** What the others are tested against: the first that was named; null where it is not finished. */
  readonly reference: ComparedResult | null;
  /** Sentences that name the folds and networks which are not finished, and why. */
  readonly missing: readonly string[];
  /** Whether something went wrong with one of them, beyond parts that are not trained yet. */
  readonly hasFailed: boolean;
}

/** The measures of the table, whose mean and SD are shown. */
export const comparedMeasures = ["dsc", "asd_mm", "hd95_mm"] as const;

/** Figures of a network at one protocol. */
export interface ComparedFigures {
  /** Nodes or scans that have a DSC. */
  readonly n: number;
  readonly mean: Readonly<Record<(typeof comparedMeasures)[number], number | null>>;
  readonly sd: Readonly<Record<(typeof comparedMeasures)[number], number | null>>;
  /** Nodes or scans without distances, since truth or prediction is empty there. */
  readonly withoutDistance: number;
  /** Against the reference, its own DSC − the reference's; null for itself, and where there is none. */
  readonly test: Comparison | null;
  /** Whether no other network is at least as accurate for at most as many multiply-adds. */
  readonly isOnFront: boolean;
}

/** A network on one set: all folds of the cross-validation, or the test set. */
export interface ComparisonRow {
  readonly set: ScoredSet["set"];
  /** Where there are several. */
  readonly className: string | undefined;
  readonly compared: ComparedResult;
  readonly figures: Readonly<Record<Protocol, ComparedFigures | null>>;
}

/** One row a network, of each set and class. */
export function comparisonRows({ compared, reference }: ComparisonResult): ComparisonRow[] {
  if (compared.length === 0) return [];
  const kinds = compared[0].experiment.sets.filter(isWhole);
  return kinds.flatMap((kind) => {
    const ofProtocols = protocolNames.map((protocol) => figuresOfSet(compared, reference, kind, protocol));
    return compared.map((of, at) => ({
      set: kind.set,
      className: kind.className,
      compared: of,
      figures: { node_level: ofProtocols[0][at], whole_volume: ofProtocols[1][at] },
    }));
  });
}

const setOf = ({ experiment }: ComparedResult, { set, className }: ScoredSet): ScoredSet | undefined =>
  experiment.sets.find(
    (candidate) => isWhole(candidate) && candidate.set === set && candidate.className === className,
  );

function figuresOfSet(
  compared: readonly ComparedResult[],
  reference: ComparedResult | null,
  kind: ScoredSet,
  protocol: Protocol,
): (ComparedFigures | null)[] {
  const scoresOf = (of: ComparedResult) => ({ model: of.name, scores: setOf(of, kind)?.scores ?? [] });
  const tests =
    reference === null
      ? []
      : pairedComparisons(
          scoresOf(reference),
          compared.filter((of) => of !== reference).map(scoresOf),
          protocol,
          reference.experiment.patientOf,
        ).map((test) => ({ ...test, medianDifference: 0 - test.medianDifference }));
  const summaries = compared.map(({ experiment: { summary } }) =>
    comparedMeasures.map((measure) => figuresOf(summary, kind, protocol, measure)),
  );
  const front = frontOf(
    compared.map(({ costs }, at) => ({ cost: costs.multiplyAdds, accuracy: summaries[at][0]?.mean ?? null })),
  );
  return compared.map(({ name }, at) => {
    const [dsc, , hd95] = summaries[at];
    if (dsc === null) return null;
    const ofMeasures = (of: "mean" | "sd") =>
      Object.fromEntries(
        comparedMeasures.map((measure, n) => [measure, summaries[at][n]?.[of] ?? null]),
      ) as ComparedFigures["mean"];
    return {
      n: dsc.n,
      mean: ofMeasures("mean"),
      sd: ofMeasures("sd"),
      withoutDistance: hd95?.without_value ?? 0,
      test: tests.find(({ model }) => model === name) ?? null,
      isOnFront: front[at],
    };
  });
}

/**
 * Which of several points no other point beats: none is as accurate for less cost, or more accurate for no more. A point
 * without an accuracy, or with one of 0, is never among them: to find nothing costs nothing.
 */
export function frontOf(
  points: readonly { readonly cost: number; readonly accuracy: number | null }[],
): boolean[] {
  return points.map(({ cost, accuracy }) => {
    if (accuracy === null || accuracy <= 0) return false;
    return !points.some(
      (other) =>
        other.accuracy !== null &&
        other.accuracy >= accuracy &&
        other.cost <= cost &&
        (other.accuracy > accuracy || other.cost < cost),
    );
  });
}

/** The rows as a table of numbers, with columns of its own for each protocol. */
export function comparisonTable(rows: readonly ComparisonRow[]): DataTable {
  const cells = rows.map(({ set, className, compared: { name, label, costs }, figures }) => ({
    set,
    ...(className === undefined ? {} : { class: className }),
    network: name,
    label,
    parameters: costs.parameters,
    multiply_adds: costs.multiplyAdds,
    multiply_adds_thop: costs.multiplyAddsThop,
    training_steps: costs.trainingSteps,
    training_seconds: costs.trainingSeconds,
    patch_seconds: costs.patchSeconds,
    ...Object.fromEntries(protocolNames.flatMap((protocol) => cellsOf(protocol, figures[protocol]))),
  }));
  return { columns: Object.keys(cells[0] ?? {}).map((key) => ({ key, title: key })), rows: cells };
}

function cellsOf(protocol: Protocol, figures: ComparedFigures | null): [string, number | null][] {
  const cells: Record<string, number | null> = {
    n: figures?.n ?? null,
    ...Object.fromEntries(
      comparedMeasures.flatMap((measure) => [
        [`${measure}_mean`, figures?.mean[measure] ?? null],
        [`${measure}_sd`, figures?.sd[measure] ?? null],
      ]),
    ),
    without_distance: figures?.withoutDistance ?? null,
    on_front: figures === null ? null : Number(figures.isOnFront),
    compared_patients: figures?.test?.patients ?? null,
    dsc_minus_reference_median: figures?.test?.medianDifference ?? null,
    p: figures?.test?.pValue ?? null,
    p_corrected: figures?.test?.correctedPValue ?? null,
  };
  return Object.entries(cells).map(([key, value]) => [`${protocol}_${key}`, value]);
}
