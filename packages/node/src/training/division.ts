// Divides the cases into training and validation: a share of the patients, drawn by the seed.
import { InputError } from "@lnsnet/core/errors";
import { type PatientRule, patientOfCase } from "@lnsnet/core/sampling";
import { indexedStream } from "@lnsnet/core/transforms";
import type { Case } from "../datasets/dataset.js";
import { patientsOf, scansOfPatients } from "../datasets/splits.js";
import type { TrainingOptions } from "./options.js";

/** The scans for training and for validation. */
export interface TrainingScans {
  readonly training: readonly Case[];
  /** Scans set aside for the learning curve; none where nothing is validated. */
  readonly validation: readonly Case[];
}

/** A stream that no patch, mask, weight or fold is drawn from. */
const VALIDATION_STREAM = 2 ** 49;
/** At most this share of the patients is used for validation, so that small folds keep enough patients to train on. */
const MAX_VALIDATION_SHARE = 1 / 4;

/**
 * Cases for training and for validation, drawn by the seed: as many scans as asked for, with all scans of their patients,
 * and of a quarter of the patients at most. With fewer than four patients there is no validation.
 */
export function divideCases(
  cases: readonly Case[],
  {
    validationCases,
    validateEvery,
    seed,
  }: Pick<TrainingOptions, "validationCases" | "validateEvery" | "seed">,
  rule: PatientRule,
): TrainingScans {
  const wanted = validateEvery > 0 ? validationCases : 0;
  const patientOf = ({ id }: Case) => patientOfCase(id, rule);
  const drawn = cases
    .map((scan, index) => ({ scan, key: indexedStream(seed, VALIDATION_STREAM + index).next() >>> 0 }))
    .sort((a, b) => a.key - b.key)
    .slice(0, wanted)
    .map(({ scan }) => patientOf(scan));
  const most = Math.floor(patientsOf(cases, rule).size * MAX_VALIDATION_SHARE);
  const aside = new Set([...new Set(drawn)].slice(0, most));
  return {
    training: cases.filter((scan) => !aside.has(patientOf(scan))),
    validation: cases.filter((scan) => aside.has(patientOf(scan))),
  };
}

/** @throws InputError where patience waits for validations, and no scan can be spared for them */
export function requireValidationScans(
  { training, validation }: TrainingScans,
  { patience }: Pick<TrainingOptions, "patience">,
  rule: PatientRule,
): void {
  if (patience === 0 || validation.length > 0) return;
  throw new InputError(
    `The option patience is ${patience}, and none of ${scansOfPatients(training, rule)} can be used for validation, which gets at most a quarter of the patients; leave the option patience out, or add scans.`,
  );
}

/** "trains on 9 scans of 9 patients, validates on 3 scans of 3 patients": a wrong rule for patients shows here first. */
export function divisionText(
  { training, validation }: TrainingScans,
  { validateEvery, validationCases }: Pick<TrainingOptions, "validateEvery" | "validationCases">,
  rule: PatientRule,
): string {
  const validated = validation.length === 0 ? "none" : scansOfPatients(validation, rule);
  const isFewer = validateEvery > 0 && validation.length < validationCases;
  const reason = ` (requested: ${validationCases}; validation gets at most a quarter of the patients)`;
  return `trains on ${scansOfPatients(training, rule)}, validates on ${validated}${isFewer ? reason : ""}`;
}
