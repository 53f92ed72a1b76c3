// Who trains and who watches the training: a share of the patients, drawn by the seed.
import { InputError } from "@lnsnet/core";
import { type PatientRule, patientOfCase } from "@lnsnet/core/training";
import { indexedStream } from "@lnsnet/core/transforms";
import type { Case } from "../datasets/dataset.js";
import { patientsOf, scansOfPatients } from "../datasets/splits.js";
import type { TrainingOptions } from "./options.js";

/** Who trains, and who watches the training. */
export interface TrainingScans {
  readonly training: readonly Case[];
  /** Scans set aside for the learning curve; none where nothing is validated. */
  readonly validation: readonly Case[];
}

/** A stream that no patch, mask, weight or fold is drawn from. */
const VALIDATION_STREAM = 2 ** 49;
/** More patients than a quarter do not watch: a fold of few would be left with one to train on. */
const GREATEST_WATCHING_SHARE = 1 / 4;

/**
 * Cases for training and for validation, drawn by the seed: as many scans as asked for, with all scans of their patients,
 * and of a quarter of the patients at most. Below four patients none watches.
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
  const most = Math.floor(patientsOf(cases, rule).size * GREATEST_WATCHING_SHARE);
  const aside = new Set([...new Set(drawn)].slice(0, most));
  return {
    training: cases.filter((scan) => !aside.has(patientOf(scan))),
    validation: cases.filter((scan) => aside.has(patientOf(scan))),
  };
}

/** @throws InputError where patience waits for validations, and no scan can be spared for them */
export function requireWatchers(
  { training, validation }: TrainingScans,
  { patience }: Pick<TrainingOptions, "patience">,
  rule: PatientRule,
): void {
  if (patience === 0 || validation.length > 0) return;
  throw new InputError(
    `--patience is ${patience}, and none of ${scansOfPatients(training, rule)} can be spared to watch, since at most a quarter of the patients may; leave --patience out, or add scans.`,
  );
}

/** "trains on 9 scans of 9 patients, watched by 3 scans of 3 patients": a wrong rule for patients shows here first. */
export function whoTrains(
  { training, validation }: TrainingScans,
  { validateEvery, validationCases }: Pick<TrainingOptions, "validateEvery" | "validationCases">,
  rule: PatientRule,
): string {
  const watching = validation.length === 0 ? "none" : scansOfPatients(validation, rule);
  const isFewer = validateEvery > 0 && validation.length < validationCases;
  const reason = ` (asked for: ${validationCases}; at most a quarter of the patients watch)`;
  return `trains on ${scansOfPatients(training, rule)}, watched by ${watching}${isFewer ? reason : ""}`;
}
