export {
  type CacheSettings,
  cacheNames,
  isCache,
  readCacheSettings,
  writeCacheSettings,
} from "./datasets/cache.js";
export { type Finding, findProblems, hasImage } from "./datasets/checking.js";
export { type Cohort, type CohortOptions, type WrittenCohort, writeCohort } from "./datasets/cohort.js";
export {
  type CohortCase,
  type CohortTask,
  type MadeCase,
  type NodeRow,
  writeCohortCase,
} from "./datasets/cohort-case.js";
export {
  type Case,
  caseId,
  type Dataset,
  listDataset,
  listed,
  loadCase,
  openDataset,
} from "./datasets/dataset.js";
export { fingerprintOf, fingerprintReport } from "./datasets/fingerprint.js";
export type { ImportRecord } from "./datasets/import-record.js";
export { defaultRoi, type Layout, layouts, listSources } from "./datasets/import-sources.js";
export { importDataset } from "./datasets/importing.js";
export { writePhantomCohort } from "./datasets/phantom-cohort.js";
export { patientRule, readSplits, scansOfPatients, trainingPart } from "./datasets/splits.js";
export { surveyDataset } from "./datasets/survey-dataset.js";
export { detectionJson, detectionText, type ScanNodes } from "./evaluation/detection.js";
export {
  type ComparedPair,
  checkValues,
  type ForegroundRules,
  type MaskPair,
  readPair,
} from "./evaluation/masks.js";
export {
  forEachMetric,
  type MetricName,
  type MetricRow,
  metricNames,
  metricRow,
  metrics,
} from "./evaluation/metric-names.js";
export { collectExperiment } from "./experiments/collecting.js";
export { beginExperiment, type ExperimentConfiguration, protocols } from "./experiments/configuration.js";
export { experimentFiles, experimentNames, foldFiles } from "./experiments/folder.js";
export { trainedFold, trainFold } from "./experiments/folds.js";
export { loadModels } from "./experiments/models.js";
export { foldNumbers, predictCases, validationCases, validationTarget } from "./experiments/predicting.js";
export { summaryText } from "./experiments/report.js";
export {
  ensureWritableFolder,
  fileError,
  hashOfFile,
  isFile,
  isFolder,
  readBytes,
  readJson,
  removeUnfinished,
  requirePath,
  writeAtomically,
  writeJson,
} from "./files/disk.js";
export { whileHolding, whileHoldingAll } from "./files/folder-lock.js";
export { describeGeometry } from "./files/geometry-text.js";
export {
  type FoundImages,
  findImages,
  type ReadImage,
  readImage,
  readScan,
  type VolumeFile,
} from "./files/imaging.js";
export {
  asInstances,
  hasSeveralValues,
  type ReadLabels,
  readLabels,
  segmentationKind,
} from "./files/labels.js";
export { loadModel, type StoredModel, saveModel } from "./files/model-file.js";
export { requireFreeFile, requireFreeNames } from "./files/outputs.js";
export { markedName } from "./files/process-mark.js";
export { secretOf } from "./files/secret.js";
export { type SegmentationFormat, segmentationBytes } from "./files/writing.js";
export {
  type DicomObject,
  dicomObjects,
  type Form,
  type Manifest,
  type ModelRecord,
  maskFormats,
  modelRecord,
  requireFreeResults,
} from "./segmenting/manifest.js";
export { type NamedScan, readAhead, type ScanOrigin, scansAt } from "./segmenting/scans.js";
export { type ClicksOf, type Segmenting, segmentScan } from "./segmenting/segmenting.js";
export { shippedModelPath } from "./segmenting/shipped-model.js";
export { type TrainingStart, trainingFiles } from "./training/folder.js";
export { fillCache } from "./training/loading.js";
export type { TrainingOptions } from "./training/options.js";
export { type AskedPlan, planFor } from "./training/plan.js";
export type { TrainingHistory } from "./training/state.js";
export { divideCases, train } from "./training/training.js";
export type { Job } from "./work/job.js";
export { packageVersion } from "./work/version.js";
