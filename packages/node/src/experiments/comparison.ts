// Compares models of an experiment on the same patients, with a paired test.
import { holmCorrection, summarise, wilcoxonSignedRank } from "@lnsnet/core";
import { medianOf } from "@lnsnet/core/statistics";
import type { CaseScore } from "./scoring.js";
import type { PatientOf, ScoredSet } from "./tables.js";

export type Protocol = "node_level" | "whole_volume";

/** The ensemble against one fold's network. */
export interface Comparison {
  readonly model: string;
  readonly patients: number;
  /** Of the ensemble's mean DSC of a patient − the network's. */
  readonly medianDifference: number;
  /** Wilcoxon's signed-rank test, two-sided. */
  readonly pValue: number;
  /** By Holm, over the comparisons of one table. */
  readonly correctedPValue: number;
}

/**
 * The ensemble against each fold's network on the test set, of sets of one class; none without a test set. Patients are compared, not their
 * nodes, which are not independent pairs.
 */
export function ensembleComparisons(
  sets: readonly ScoredSet[],
  protocol: Protocol,
  patientOf: PatientOf,
): Comparison[] {
  const test = sets.filter(({ set }) => set === "test");
  const ensemble = test.find(({ model }) => model === "ensemble");
  if (ensemble === undefined) return [];
  const ofEnsemble = patientMeans(ensemble, protocol, patientOf);
  const tests = test
    .filter((fold) => fold !== ensemble)
    .flatMap((fold) => {
      const ofFold = patientMeans(fold, protocol, patientOf);
      const differences = [...ofEnsemble].flatMap(([patient, dsc]) => {
        const other = ofFold.get(patient);
        return other === undefined ? [] : dsc - other;
      });
      // Without pairs there is nothing to compare.
      if (differences.length === 0) return [];
      return { model: fold.model, differences, pValue: wilcoxonSignedRank(differences).pValue };
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

function patientMeans({ scores }: ScoredSet, protocol: Protocol, patientOf: PatientOf): Map<string, number> {
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
