// Brings a collection into nnU-Net's layout without its identifiers, case by case, and goes on where it stopped.
import { createHash } from "node:crypto";
import { mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import { writeNifti } from "@lnsnet/core/formats";
import type { DatasetDescription } from "@lnsnet/core/phantom";
import { indexedStream, uniform } from "@lnsnet/core/transforms";
import { type IntegerVoxelArray, maskWhere, type Volume } from "@lnsnet/core/volume";
import { labelMasks, labelValues, type NamedMask } from "@lnsnet/core/voxels";
import { fileError, isFile, isFolder, removeUnfinished, writeAtomically } from "../files/disk.js";
import { requireFreeNames } from "../files/outputs.js";
import { secretOf } from "../files/secret.js";
import type { Job } from "../work/job.js";
import { type ImportedCase, type ImportRecord, importRecordPath, readImportRecord } from "./import-record.js";
import type { ImportSource, SourceList } from "./import-sources.js";
import type { Subset } from "./survey.js";

export interface ImportOptions {
  readonly name: string;
  readonly layout: string;
  /** As it was given; null for the layout's own. */
  readonly roi: string | null;
  /** Chance of a patient to be for testing, where the collection does not divide its cases. */
  readonly testShare: number;
}

export interface ImportResult {
  readonly imported: readonly ImportedCase[];
  /** Cases that were there from an earlier import. */
  readonly kept: number;
  readonly failed: readonly { readonly origin: string; readonly reason: string }[];
  /** What each case is; it identifies patients. */
  readonly mapping: readonly { readonly case: string; readonly patient: string; readonly origin: string }[];
}

/**
 * Writes images, labels (0, 1) and instances of each source as case_0001, …, and `dataset.json` and `import.json`.
 * A source that cannot be used is part of the result, and the others are imported.
 *
 * @throws InputError where the folder holds something else, or an import by other rules; the signal's reason
 */
export async function importDataset(
  { sources }: SourceList,
  folder: string,
  options: ImportOptions,
  job: Job = {},
): Promise<ImportResult> {
  const record = await openRecord(folder, options);
  await prepareFolder(folder, record, sources.length);
  const salt = await saltOf(folder, record.cases.length === 0);
  const hash = (text: string) => createHash("sha256").update(`${salt} ${text}`).digest("hex").slice(0, 32);
  const known = new Map(record.cases.map((importedCase) => [importedCase.source_hash, importedCase]));
  const imported: ImportedCase[] = [];
  const failed: { origin: string; reason: string }[] = [];
  const mapping: { case: string; patient: string; origin: string }[] = [];
  let kept = 0;
  const report = (done: number) =>
    job.onProgress?.({ stage: "import", unit: "case", done, total: sources.length });
  report(0);
  try {
    for (const [done, source] of sources.entries()) {
      job.signal?.throwIfAborted();
      const source_hash = hash(source.origin);
      const before = known.get(source_hash);
      if (before !== undefined) {
        kept++;
        mapping.push({ case: before.case, patient: source.patient, origin: source.origin });
      } else {
        const read = await readCase(source, record.cases, hash, options.testShare, job.log);
        if ("reason" in read) failed.push({ origin: source.origin, reason: read.reason });
        else {
          // Not part of what may fail: a disk that is full for one case is full for all.
          await writeCase(folder, read, record);
          known.set(source_hash, read.case);
          imported.push(read.case);
          mapping.push({ case: read.case.case, patient: source.patient, origin: source.origin });
        }
      }
      report(done + 1);
    }
  } finally {
    if (record.cases.length > 0) await writeDescription(folder, record.cases, options.name);
  }
  return { imported, kept, failed, mapping };
}

/** A case as it will be written: its record, and its files by their names in the folder. */
interface CaseFiles {
  readonly case: ImportedCase;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** What a source becomes, or why it cannot be used. */
async function readCase(...of: Parameters<typeof caseOf>): Promise<CaseFiles | { readonly reason: string }> {
  try {
    return await caseOf(...of);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { reason: error.message };
  }
}

/** Writes a case and its record, or leaves nothing of it. */
async function writeCase(
  folder: string,
  { case: importedCase, files }: CaseFiles,
  record: ImportRecord,
): Promise<void> {
  record.pending = { case: importedCase.case, subset: importedCase.subset };
  await writeRecord(folder, record);
  try {
    for (const [name, bytes] of files) {
      await mkdir(dirname(join(folder, name)), { recursive: true }).catch((error: unknown) => {
        throw fileError(error, join(folder, name), "write");
      });
      await writeAtomically(join(folder, name), bytes);
    }
  } catch (error) {
    await removeFiles(folder, record.pending);
    throw error;
  }
  record.cases.push(importedCase);
  record.pending = null;
  await writeRecord(folder, record);
}

async function caseOf(
  source: ImportSource,
  earlier: readonly ImportedCase[],
  hash: (text: string) => string,
  testShare: number,
  log: Job["log"],
): Promise<CaseFiles> {
  const { scan, labels } = await source.read();
  const problems = [...scan.problems, ...labels.problems];
  for (const problem of problems) log?.(`${source.origin}: ${problem}`);
  const { labels: data, regions } = labelMasks(masksOf(labels.volume), labels.volume.size, true);
  const instances = { ...labels.volume, data };
  const patient_hash = hash(`patient ${source.patient}`);
  const samePatient = earlier.find((importedCase) => importedCase.patient_hash === patient_hash);
  const patient =
    samePatient?.patient ??
    1 + earlier.reduce((most, importedCase) => Math.max(most, importedCase.patient), 0);
  const subset = source.subset ?? samePatient?.subset ?? drawnSubset(patient, testShare);
  const id = caseName(lastNumber(earlier) + 1);
  const mask = maskWhere(data, (value) => value !== 0);
  const volumes: Volume[] = [instances, { ...instances, data: mask }, scan.volume];
  const names = caseFiles({ case: id, subset });
  const files = new Map(names.map((name, at) => [name, writeNifti(volumes[at])]));
  const imported: ImportedCase = {
    case: id,
    patient,
    subset,
    patient_hash,
    source_hash: hash(source.origin),
    rois: labels.names.map(({ name }) => name),
    components: regions.length,
    problems: problems.map((problem) => withoutPaths(problem, source)),
  };
  return { case: imported, files };
}

const caseName = (number: number): string => `case_${String(number).padStart(4, "0")}`;

const lastNumber = (cases: readonly ImportedCase[]): number =>
  cases.reduce((most, importedCase) => Math.max(most, Number(importedCase.case.slice("case_".length))), 0);

/** Instances, labels and image of a case, as they lie in the folder. */
function caseFiles({ case: id, subset }: Pick<ImportedCase, "case" | "subset">): string[] {
  const ending = subset === "training" ? "Tr" : "Ts";
  return [
    join(`instances${ending}`, `${id}.nii.gz`),
    join(`labels${ending}`, `${id}.nii.gz`),
    join(`images${ending}`, `${id}_0000.nii.gz`),
  ];
}

async function removeFiles(
  folder: string,
  importedCase: Pick<ImportedCase, "case" | "subset">,
): Promise<void> {
  for (const name of caseFiles(importedCase)) await rm(join(folder, name), { force: true });
}

/** Removes what a killed import left, and refuses names of cases to come that are taken by files of somebody else. */
async function prepareFolder(folder: string, record: ImportRecord, sources: number): Promise<void> {
  await removeUnfinished(folder);
  for (const kind of ["images", "labels", "instances"])
    for (const ending of ["Tr", "Ts"]) {
      const path = join(folder, `${kind}${ending}`);
      if (await isFolder(path)) await removeUnfinished(path);
    }
  if (record.pending !== null) await removeFiles(folder, record.pending);
  const last = lastNumber(record.cases);
  const coming = Array.from({ length: sources }, (_, n) => caseName(last + 1 + n));
  await requireFreeNames(
    folder,
    coming.flatMap((id) => [
      ...caseFiles({ case: id, subset: "training" }),
      ...caseFiles({ case: id, subset: "test" }),
    ]),
  );
}

/** The voxels of each label, one at a time, since each is as large as the scan. */
function* masksOf({ data }: Volume<IntegerVoxelArray>): Generator<NamedMask> {
  for (const value of labelValues(data)) {
    if (value !== 0) yield { name: `${value}`, mask: maskWhere(data, (voxel) => voxel === value) };
  }
}

/** The same patient falls on the same side whenever it is imported as the same number. */
function drawnSubset(patient: number, testShare: number): Subset {
  return uniform(indexedStream(1, patient)) < testShare ? "test" : "training";
}

/** Paths of a collection hold patients' names and numbers. */
function withoutPaths(sentence: string, { origin, patient }: ImportSource): string {
  const names = [origin, ...origin.split(/[/\\]/), patient].filter((part) => part !== "");
  return names
    .sort((a, b) => b.length - a.length)
    .reduce((text, part) => text.replaceAll(part, "…"), sentence.replace(/(?<!\S)\S*[/\\]\S*/g, "…"));
}

/** The folder is held by the caller. */
async function openRecord(folder: string, { layout, roi }: ImportOptions): Promise<ImportRecord> {
  const record = await readImportRecord(folder);
  if (record !== null) {
    if (record.layout === layout && record.roi === roi) return record;
    throw new InputError(
      `${folder} holds an import with the option layout ${record.layout}${record.roi === null ? "" : ` and the option roi ${record.roi}`}, and another was requested; choose another folder, or repeat those options to go on.`,
    );
  }
  await requireFreeNames(folder, [saltFile]);
  const [found] = (await readdir(folder)).filter((name) => !name.startsWith("."));
  if (found !== undefined)
    throw new InputError(`${folder} is not empty (it holds ${found}) and no import; choose another folder.`);
  const begun: ImportRecord = { kind: "lnsnet-import", layout, roi, cases: [], pending: null };
  // First of all, so that what a killed import leaves is known as its own.
  await writeRecord(folder, begun);
  return begun;
}

const saltFile = ".import-salt";

/** The secret behind the hashes. Whoever has it can test a guessed identifier; without it an import cannot go on. */
async function saltOf(folder: string, isNew: boolean): Promise<string> {
  const path = join(folder, saltFile);
  if (!isNew && !(await isFile(path)))
    throw new InputError(
      `${path} is missing, by which an import knows the cases that it has; bring the file back, or choose another folder.`,
    );
  return secretOf(folder, saltFile);
}

async function writeRecord(folder: string, record: ImportRecord): Promise<void> {
  await writeAtomically(importRecordPath(folder), `${JSON.stringify(record, null, 2)}\n`);
}

async function writeDescription(folder: string, cases: readonly ImportedCase[], name: string): Promise<void> {
  const count = (subset: Subset) => cases.filter((importedCase) => importedCase.subset === subset).length;
  const description: DatasetDescription = {
    name,
    description: "Imported by lnsnet; import.json says from what, without identifiers.",
    channel_names: { "0": "CT" },
    labels: { background: 0, "lymph node": 1 },
    numTraining: count("training"),
    numTest: count("test"),
    file_ending: ".nii.gz",
  };
  await writeAtomically(join(folder, "dataset.json"), `${JSON.stringify(description, null, 2)}\n`);
}
