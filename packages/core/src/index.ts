export { InputError } from "./errors.js";
export { anonymousSource } from "./formats/dicom/anonymise.js";
export { writeMeasurementReport } from "./formats/dicom/measurement-report.js";
export { readRtstruct, type StructureSet, writeRtstruct } from "./formats/dicom/rtstruct.js";
export { readSeg, type Segment, type SegmentationObject, writeSeg } from "./formats/dicom/seg.js";
export {
  chooseSeries,
  type DicomSeries,
  isCtScan,
  listSeries,
  readSeries,
  type SeriesListing,
} from "./formats/dicom/series.js";
export type { NamedFile } from "./formats/dicom/slices.js";
export type {
  ModelIdentity,
  SourceSeries,
  StudyIdentity,
  WritingContext,
} from "./formats/dicom/source-series.js";
export { type NamedPoint, readMarkups, writeFcsv, writeMarkupsJson } from "./formats/markups.js";
export { readNifti, writeNifti } from "./formats/nifti.js";
export {
  readVolume,
  type VolumeFormat,
  volumeFormatOf,
  volumeFormats,
  writeVolume,
} from "./formats/volume-file.js";
export { type CleanUp, cleanedMask, defaultCleanUp } from "./inference/clean-up.js";
export {
  type ClickedNode,
  type NodeClicks,
  type NoNodeAtClick,
  segmentClickedNode,
  segmentNode,
} from "./inference/clicked-node.js";
export {
  openPredictor,
  type PredictionPlan,
  type Predictor,
  type TrainedModel,
} from "./inference/predictor.js";
export {
  type ClickOutcome,
  type Segmentation,
  type SegmentOptions,
  type StandingNodes,
  segment,
} from "./inference/segment.js";
export { nodeMask, type SegmentedNode } from "./inference/segmented-nodes.js";
export { predictProbability } from "./inference/sliding-window.js";
export type { Job, Progress, StopSignal } from "./job.js";
export { type CaseMetrics, evaluateCase } from "./metrics/case.js";
export {
  type DetectionFigures,
  detectionFigures,
  detectNodes,
  type NodeDetection,
} from "./metrics/detection.js";
export { countOverlap, dice } from "./metrics/overlap.js";
export { type SurfaceDistances, surfaceDistances } from "./metrics/surface.js";
export { type Model, type Plan, readModel, writeModel } from "./models/model-file.js";
export {
  buildNetwork,
  type NetworkSpecification,
  networkPresets,
  networkTitle,
} from "./networks/catalogue.js";
export { inferenceModel } from "./networks/inference-model.js";
export { type LayerProfile, profileNetwork } from "./networks/profile.js";
export { generatePatient, type PhantomPatient, phantomNodes } from "./phantom/patient.js";
export { type Report, reportHtml } from "./reports/html.js";
export { nodeJson, nodesCsv, nodesHtml, nodesText } from "./reports/node-table.js";
export { overlayPng } from "./reports/overlay.js";
export { segmentationPreviewPng } from "./reports/segmentation-preview.js";
export type { Device, DeviceChoice, Runtime, Session, SessionOptions } from "./runtime/types.js";
export { blandAltman } from "./statistics/bland-altman.js";
export { clusteredBootstrap } from "./statistics/bootstrap.js";
export { holmCorrection } from "./statistics/holm.js";
export type { Interval } from "./statistics/interval.js";
export { type Summary, summarise } from "./statistics/summary.js";
export { wilcoxonSignedRank } from "./statistics/wilcoxon.js";
export { counted, foldedName, safeFileName, safeJson, safeLines, safeText, shown } from "./text.js";
export { buildTrainingStep, type TrainingStep } from "./training/step.js";
export { Trainer, type TrainingState } from "./training/trainer.js";
export type { PatchSize } from "./transforms/patch.js";
export { crop } from "./volume/crop.js";
export { reorientToLps } from "./volume/orientation.js";
export { resample } from "./volume/resample.js";
export {
  type Geometry,
  indexOfPoint,
  pointOfIndex,
  sameGeometry,
  type Vector3,
  type Volume,
} from "./volume/volume.js";
export { labelComponents } from "./voxels/components.js";
export type { NodeMeasurement } from "./voxels/node-measurement.js";
