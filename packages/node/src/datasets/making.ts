// Data sets that are made: phantoms, implants, imports and joins, with their checks and descriptions.
export type { Finding } from "./checking.js";
export {
  type Cohort,
  type CohortOptions,
  type WrittenCohort,
  writeCohort,
} from "./cohort.js";
export {
  type CohortCase,
  type CohortTask,
  type MadeCase,
  type NodeRow,
  writeCohortCase,
} from "./cohort-case.js";
export { type CollectionOptions, importCollection } from "./collection.js";
export { checkDataset, type DatasetCheck, type OpeningOptions } from "./dataset-check.js";
export type { Fingerprint } from "./fingerprint.js";
export {
  type FingerprintOptions,
  type WrittenFingerprint,
  writeFingerprint,
} from "./fingerprint-files.js";
export {
  type ImplantedCase,
  type ImplantedCohort,
  writeImplantedCohort,
} from "./implanted-cohort.js";
export type { ImportRecord } from "./import-record.js";
export { defaultRoi, type Layout, layouts } from "./import-sources.js";
export type { ImportResult } from "./importing.js";
export { type JoinedDataset, joinDatasets } from "./joining.js";
export { type PhantomCohort, writePhantomCohort } from "./phantom-cohort.js";
