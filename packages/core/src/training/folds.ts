// Divides cases by patient: folds for cross-validation, a held-out test set, and nnU-Net's splits_final.json.

import { InputError } from "../errors.js";
import { indexedStream, type RandomGenerator, uniformWhole } from "../random.js";
import { counted } from "../text.js";

/** What a split needs to know about a scan. */
export interface SplitCase {
  readonly id: string;
  /** Scans of the same patient are never on both sides of a split. */
  readonly patient: string;
  /** Nodes of the scan; every fold gets its share of patients with few and with many. */
  readonly nodes: number;
}

/** One fold, with the names of nnU-Net's `splits_final.json`: ids of the cases to train and to validate on. */
export interface Split {
  readonly train: readonly string[];
  readonly val: readonly string[];
}

/** How to find the patient of a case. */
export interface PatientRule {
  /** Patients that the data set names, by case id. */
  readonly named?: ReadonlyMap<string, string>;
  /** Its first group, or else its whole match, is the patient. */
  readonly pattern?: RegExp;
}

/**
 * The patient of a case: as named, else by the pattern, else the id without an ending such as `_scan2` or `-visit-3`.
 *
 * @throws InputError where there is a pattern and the id does not match it
 */
export function patientOfCase(id: string, { named, pattern }: PatientRule = {}): string {
  const name = named?.get(id);
  if (name !== undefined) return name;
  if (pattern === undefined)
    return id.replace(/[_-](?:scan|visit|ses|session|study|followup|fu)[_-]?\d+$/i, "");
  const match = pattern.exec(id);
  if (match === null)
    throw new InputError(
      `The case ${id} does not match the pattern of patients ${pattern.source}; give a pattern that every case matches.`,
    );
  return match[1] ?? match[0];
}

/**
 * Folds for cross-validation: every case is validated on once. Patients are ordered by their nodes, and each `folds` of
 * them in a row go to as many folds, drawn by the seed: so folds differ by one patient at most, and by no more nodes
 * than the patient with most of them has. The order of the cases does not matter.
 *
 * @throws InputError where there are fewer than two folds, or fewer patients than folds
 */
export function splitIntoFolds(cases: readonly SplitCase[], folds: number, seed: number): Split[] {
  const patients = patientsByNodes(cases);
  if (folds < 2)
    throw new InputError(`Cross-validation needs at least 2 folds, not ${folds}; give a larger number.`);
  if (patients.length < folds)
    throw new InputError(
      `The data set has ${counted(patients.length, "patient")}, and ${folds} folds need one each at least; give fewer folds or more patients.`,
    );
  const random = indexedStream(seed, FOLD_STREAM);
  const foldOf = new Map<string, number>();
  for (let first = 0; first < patients.length; first += folds) {
    const order = shuffled(
      Array.from({ length: folds }, (_, fold) => fold),
      random,
    );
    patients.slice(first, first + folds).forEach((patient, place) => {
      foldOf.set(patient, order[place]);
    });
  }
  return Array.from({ length: folds }, (_, fold) => ({
    train: idsOf(cases.filter(({ patient }) => foldOf.get(patient) !== fold)),
    val: idsOf(cases.filter(({ patient }) => foldOf.get(patient) === fold)),
  }));
}

/**
 * Sets a share of the patients aside as a test set: one, drawn by the seed, of each of as many groups of neighbours in
 * the order of their nodes.
 *
 * @param share of the patients, above 0 and below 1; one patient at least is set aside
 * @throws InputError where no patient would be left
 */
export function holdOut<C extends SplitCase>(
  cases: readonly C[],
  share: number,
  seed: number,
): { readonly development: readonly C[]; readonly test: readonly C[] } {
  const patients = patientsByNodes(cases);
  const count = Math.max(1, Math.round(share * patients.length));
  if (!(share > 0 && share < 1) || count >= patients.length)
    throw new InputError(
      `A share of ${share} of ${counted(patients.length, "patient")} cannot be held out; give one above 0 that leaves patients to train on.`,
    );
  const random = indexedStream(seed, HOLD_OUT_STREAM);
  const aside = new Set<string>();
  for (let group = 0; group < count; group++) {
    const first = Math.floor((group * patients.length) / count);
    const end = Math.floor(((group + 1) * patients.length) / count);
    aside.add(patients[first + uniformWhole(random, end - first)]);
  }
  return {
    development: cases.filter(({ patient }) => !aside.has(patient)),
    test: cases.filter(({ patient }) => aside.has(patient)),
  };
}

/**
 * Checks folds that were read from a file against the cases at hand.
 *
 * @param file for messages
 * @throws InputError where a fold names a case that is not there, has nothing on a side, or has a patient on both
 */
export function checkSplits(
  splits: readonly Split[],
  cases: readonly Pick<SplitCase, "id" | "patient">[],
  file: string,
): void {
  const patientOf = new Map(cases.map(({ id, patient }) => [id, patient]));
  for (const [fold, { train, val }] of splits.entries()) {
    const refuse = (found: string, remedy: string): InputError =>
      new InputError(`Fold ${fold} of ${file} ${found}; ${remedy}.`);
    const unknown = [...train, ...val].filter((id) => !patientOf.has(id));
    if (unknown.length > 0)
      throw refuse(
        `names ${unknown.length === 1 ? "a case" : `${unknown.length} cases`} that the data set does not have, such as ${unknown[0]}`,
        "correct the file or add the scans",
      );
    if (train.length === 0 || val.length === 0)
      throw refuse(`has no case to ${train.length === 0 ? "train" : "validate"} on`, "correct the file");
    const trained = new Map(train.map((id) => [patientOf.get(id), id]));
    const straddling = val.find((id) => trained.has(patientOf.get(id)));
    if (straddling !== undefined)
      throw refuse(
        `trains on ${trained.get(patientOf.get(straddling))} and validates on ${straddling}, which are of one patient`,
        "put all scans of a patient on one side",
      );
  }
}

/** Random streams that are not used for patches, masks or weights. */
const FOLD_STREAM = 2 ** 48;
const HOLD_OUT_STREAM = FOLD_STREAM + 1;

/** Most nodes first; patients of equal count by name. */
function patientsByNodes(cases: readonly SplitCase[]): string[] {
  const nodes = new Map<string, number>();
  for (const importedCase of cases)
    nodes.set(importedCase.patient, (nodes.get(importedCase.patient) ?? 0) + importedCase.nodes);
  return [...nodes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([patient]) => patient);
}

const idsOf = (cases: readonly SplitCase[]): string[] => cases.map(({ id }) => id).sort();

/** Fisher and Yates. */
function shuffled<T>(values: readonly T[], random: RandomGenerator): T[] {
  const order = [...values];
  for (let last = order.length - 1; last > 0; last--) {
    const other = uniformWhole(random, last + 1);
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
