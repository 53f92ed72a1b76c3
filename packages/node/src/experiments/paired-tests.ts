// Compares models of an experiment on the same patients, with a paired test.
import { holmCorrection, medianOf, summarise, wilcoxonSignedRank } from "@lnsnet/core/statistics";
import type { CaseScore } from "./scoring.js";
import type { PatientOf, ScoredSet } from "./tables.js";

export type Protocol = "node_level" | "whole_volume";

/** A reference against another model. */
export interface Comparison {
  readonly model: string;
  readonly patients: number;
  /** Of the reference's mean DSC of a patient − the other model's. */
  readonly medianDifference: number;
  /** Wilcoxon's signed-rank test, two-sided. */
  readonly pValue: number;
  /** By Holm, over the comparisons of one table. */
  readonly correctedPValue: number;
}

/** The ensemble against each fold's network on the test set, of sets of one class; none without a test set. */
export function ensembleComparisons(
  sets: readonly ScoredSet[],
  protocol: Protocol,
  patientOf: PatientOf,
): Comparison[] {
  const test = sets.filter(({ set }) => set === "test");
  const ensemble = test.find(({ model }) => model === "ensemble");
  if (ensemble === undefined) return [];
  return pairedComparisons(
    ensemble,
    test.filter((fold) => fold !== ensemble),
    protocol,
    patientOf,
  );
}

/** Cases by one model, whatever its name stands for. */
type ModelScores = Pick<ScoredSet, "model" | "scores">;

/**
 * A reference against other models on the same cases. Patients are compared, not their nodes, which are not independent
 * pairs. A model without a patient in common with the reference is left out.
 */
export function pairedComparisons(
  reference: ModelScores,
  others: readonly ModelScores[],
  protocol: Protocol,
  patientOf: PatientOf,
): Comparison[] {
  const ofReference = patientMeans(reference, protocol, patientOf);
  const tests = others.flatMap((other) => {
    const ofOther = patientMeans(other, protocol, patientOf);
    const differences = [...ofReference].flatMap(([patient, dsc]) => {
      const theirs = ofOther.get(patient);
      return theirs === undefined ? [] : dsc - theirs;
    });
    if (differences.length === 0) return [];
    return { model: other.model, differences, pValue: wilcoxonSignedRank(differences).pValue };
  });
  const corrected = holmCorrection(tests.map(({ pValue }) => pValue));
  return tests.map(({ model, differences, pValue }, index) => ({
    model,
    patients: differences.length,
    medianDifference: medianOf(differences),
    pValue,
    correctedPValue: corrected[index],
  }));
}

/** The DSC of each node, or of each scan. */
export function dscValues(scores: readonly CaseScore[], protocol: Protocol): number[] {
  return scores.flatMap(({ node_level, whole_volume }) =>
    protocol === "node_level"
      ? (node_level ?? []).flatMap(({ metrics }) => metrics.dsc ?? [])
      : (whole_volume?.metrics.dsc ?? []),
  );
}

function patientMeans(
  { scores }: ModelScores,
  protocol: Protocol,
  patientOf: PatientOf,
): Map<string, number> {
  const patients = new Set(scores.map((score) => patientOf(score.case)));
  return new Map(
    [...patients].flatMap((patient) => {
      const values = dscValues(
        scores.filter((score) => patientOf(score.case) === patient),
        protocol,
      );
      const { mean } = summarise(values);
      return mean === null ? [] : [[patient, mean] as const];
    }),
  );
}
