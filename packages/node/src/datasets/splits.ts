// nnU-Net's splits_final.json: which cases each fold trains and validates on.

import { InputError } from "@lnsnet/core/errors";
import { checkSplits, type PatientRule, patientOfCase, type Split } from "@lnsnet/core/sampling";
import { counted } from "@lnsnet/core/text";
import { z } from "zod";
import { readJson, writeAtomically } from "../files/disk.js";
import type { Case, Dataset } from "./dataset.js";

const splitsSchema: z.ZodType<Split[]> = z
  .array(z.object({ train: z.array(z.string()), val: z.array(z.string()) }))
  .min(1, "at least one fold is expected");

/**
 * Reads folds for the training cases of a data set.
 *
 * @throws InputError where the file is missing or of another form, or its folds do not fit the cases
 */
export async function readSplits(path: string, dataset: Dataset, rule: PatientRule): Promise<Split[]> {
  const splits = await readJson(path, splitsSchema);
  const cases = dataset.training.map(({ id }) => ({ id, patient: patientOfCase(id, rule) }));
  checkSplits(splits, cases, path);
  return splits;
}

/** Writes folds as nnU-Net reads them. */
export async function writeSplits(path: string, splits: readonly Split[]): Promise<void> {
  await writeAtomically(path, `${JSON.stringify(splits, null, 4)}\n`);
}

/** The rule for a data set's patients: its own names, else a pattern given by the user, else the usual endings. */
export function patientRule({ patients }: Dataset, pattern: string | undefined): PatientRule {
  if (pattern === undefined) return { named: patients };
  try {
    return { named: patients, pattern: new RegExp(pattern) };
  } catch {
    throw new InputError(
      `The option patient-pattern is "${pattern}", which is not a regular expression; give one such as "^[a-z]+_[0-9]+".`,
    );
  }
}

/** The patients of cases. */
export function patientsOf(cases: readonly Pick<Case, "id">[], rule: PatientRule): Set<string> {
  return new Set(cases.map(({ id }) => patientOfCase(id, rule)));
}

/** "12 scans of 9 patients": printed, because a wrong rule for patients shows here first. */
export function scansOfPatients(cases: readonly Pick<Case, "id">[], rule: PatientRule): string {
  return scansAndPatients(cases.length, patientsOf(cases, rule).size);
}

export function scansAndPatients(scans: number, patients: number): string {
  return `${counted(scans, "scan")} of ${counted(patients, "patient")}`;
}

/** The data set with the training cases of one fold alone. */
export function trainingPart(dataset: Dataset, { train }: Split): Dataset {
  const wanted = new Set(train);
  return { ...dataset, training: dataset.training.filter(({ id }) => wanted.has(id)) };
}
