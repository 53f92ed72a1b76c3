// What programs build on: the stages of a workstation, each a function with typed options and a job.
export { type CacheSettings, cacheNames } from "./datasets/cache.js";
export type { Finding } from "./datasets/checking.js";
export {
  type Cohort,
  type CohortOptions,
  type WrittenCohort,
  writeCohort,
} from "./datasets/cohort.js";
export {
  type CohortCase,
  type CohortTask,
  type MadeCase,
  type NodeRow,
  writeCohortCase,
} from "./datasets/cohort-case.js";
export { type CollectionOptions, importCollection } from "./datasets/collection.js";
export {
  type Case,
  caseId,
  type Dataset,
  listed,
  loadCase,
  openDataset,
} from "./datasets/dataset.js";
export { checkDataset, type DatasetCheck, type OpeningOptions } from "./datasets/dataset-check.js";
export type { Fingerprint } from "./datasets/fingerprint.js";
export {
  type FingerprintOptions,
  type WrittenFingerprint,
  writeFingerprint,
} from "./datasets/fingerprint-files.js";
export {
  type ImplantedCase,
  type ImplantedCohort,
  writeImplantedCohort,
} from "./datasets/implanted-cohort.js";
export type { ImportRecord } from "./datasets/import-record.js";
export { defaultRoi, type Layout, layouts } from "./datasets/import-sources.js";
export type { ImportResult } from "./datasets/importing.js";
export { type JoinedDataset, joinDatasets } from "./datasets/joining.js";
export { type PhantomCohort, writePhantomCohort } from "./datasets/phantom-cohort.js";
export { patientRule, readSplits, trainingPart } from "./datasets/splits.js";
export { type LeftOutStructures, leftOutStructures } from "./datasets/structures.js";
export { detectionJson, detectionText, type ScanNodes } from "./evaluation/detection.js";
export {
  type EvaluatedCase,
  type Evaluation,
  type EvaluationOptions,
  evaluateFiles,
  type JudgedPair,
  judgePair,
  type PairJudge,
  summariseCases,
} from "./evaluation/evaluating.js";
export type { ForegroundRules } from "./evaluation/masks.js";
export { type MeasuringOptions, measureFile } from "./evaluation/measuring.js";
export { type MetricName, type MetricRow, metrics } from "./evaluation/metric-names.js";
export { type CalibratedModel, type CalibrationOptions, calibrateModel } from "./experiments/calibrating.js";
export {
  type Compared,
  comparedByDefault,
  comparedNetworks,
  comparedVariants,
  patchForAll,
} from "./experiments/compared-members.js";
export { comparisonText } from "./experiments/compared-report.js";
export type { ComparisonResult } from "./experiments/compared-result.js";
export { type ComparisonRequest, compareNetworks } from "./experiments/comparing.js";
export {
  type Experiment,
  type ExperimentConfiguration,
  type ExperimentSettings,
  type PredictionSettings,
  protocols,
} from "./experiments/configuration.js";
export { type CrossValidation, crossValidate } from "./experiments/cross-validating.js";
export { type Demo, type DemoOptions, runDemo } from "./experiments/demo.js";
export { demoTable } from "./experiments/demo-report.js";
export { comparisonFiles, experimentFiles, experimentNames } from "./experiments/folder.js";
export { loadModels } from "./experiments/models.js";
export { type BegunExperiment, doPart, type ExperimentPart } from "./experiments/parts.js";
export { type ExperimentResult, summaryText } from "./experiments/report.js";
export type { Elsewhere } from "./experiments/spreading.js";
export { type ConversionOptions, convertFile } from "./files/converting.js";
export {
  ensureWritableFolder,
  hashOfFile,
  isFile,
  isFolder,
  isFullDisk,
  readBytes,
  readJson,
  requirePath,
  writeAtomically,
  writeJson,
} from "./files/disk.js";
export { whileHolding } from "./files/folder-lock.js";
export { readImage, readScan } from "./files/imaging.js";
export {
  type InspectedMarkups,
  type InspectedObject,
  type InspectedSeries,
  type InspectedVolume,
  type Inspection,
  inspectPath,
} from "./files/inspecting.js";
export { maskFormats } from "./files/mask-origin.js";
export { loadModel, type StoredModel, saveModel } from "./files/model-file.js";
export { requireFreeNames } from "./files/outputs.js";
export { type ExportedModel, type ExportOptions, exportModel } from "./segmenting/exporting.js";
export {
  type DicomObject,
  dicomObjects,
  type Form,
  type Manifest,
  type ModelRecord,
} from "./segmenting/manifest.js";
export { type ImportedNnunet, importNnunet, type NnunetImportOptions } from "./segmenting/nnunet.js";
export { importWeights, type WeightsImport } from "./segmenting/other-weights.js";
export {
  type PredictedScan,
  type PredictionOptions,
  type Predictions,
  predictScans,
} from "./segmenting/predicting.js";
export type { NamedScan, ScanOrigin } from "./segmenting/scans.js";
export type { ClicksOf, PlacedClick, Segmented } from "./segmenting/segmenting.js";
export { type ShippedModelName, shippedModelPath } from "./segmenting/shipped-models.js";
export { type TrainingStart, trainingFiles } from "./training/folder.js";
export {
  defaultTrainingOptions,
  MOST_STEPS,
  requireTrainable,
  type TrainingOptions,
} from "./training/options.js";
export {
  cachedSettings,
  defaultWindow,
  planFor,
  type RequestedPlan,
  type RequestedSettings,
  workingSettings,
} from "./training/plan.js";
export { preprocessDataset } from "./training/preprocessing.js";
export { hasStations } from "./training/stations.js";
export { trainNetwork } from "./training/train-network.js";
export type { TrainingResult, TrainingRun } from "./training/training.js";
export { duration } from "./work/duration.js";
export type { Job } from "./work/job.js";
export { packageVersion } from "./work/version.js";
