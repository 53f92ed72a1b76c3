// import.json: where each case of an imported data set came from, without the patients' identifiers.
import { join } from "node:path";
import { z } from "zod";
import { isFile, readJson } from "../files/disk.js";

const caseSchema = z.object({
  case: z.string(),
  /** Running number of the patient; cases of one patient share it. */
  patient: z.int().positive(),
  subset: z.enum(["training", "test"]),
  /** Salted hashes of the patient's identifier and of where the case came from; a repeated import knows them by. */
  patient_hash: z.string(),
  source_hash: z.string(),
  /** ROIs or segments that became labels, as the drawer named them. */
  rois: z.array(z.string()),
  components: z.int().min(0),
  /** What was odd in reading. */
  problems: z.array(z.string()),
});

const recordSchema = z.object({
  kind: z.literal("lnsnet-import"),
  layout: z.string(),
  roi: z.string().nullable(),
  cases: z.array(caseSchema),
  /** The case whose files are being written; what a killed import left of it is removed by the next. */
  pending: z.object({ case: z.string(), subset: caseSchema.shape.subset }).nullable().default(null),
});

export type ImportedCase = z.infer<typeof caseSchema>;
export type ImportRecord = z.infer<typeof recordSchema>;

export const importRecordPath = (folder: string): string => join(folder, "import.json");

/** @throws InputError where the file has another form */
export async function readImportRecord(folder: string): Promise<ImportRecord | null> {
  const path = importRecordPath(folder);
  return (await isFile(path)) ? readJson(path, recordSchema) : null;
}

/** For each imported case, a name of its patient; empty where the data set was not imported. */
export async function patientsOfImport(folder: string): Promise<Map<string, string>> {
  const record = await readImportRecord(folder);
  return new Map(record?.cases.map((importedCase) => [importedCase.case, `patient ${importedCase.patient}`]));
}
