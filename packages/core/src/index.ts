export * from "./errors.js";
export { folderOf } from "./formats/companion.js";
export { anonymousSource } from "./formats/dicom/anonymise.js";
export { type DrawnObject, requireDrawnOn } from "./formats/dicom/belonging.js";
export { type ReportedNode, writeMeasurementReport } from "./formats/dicom/measurement-report.js";
export { dicomModality } from "./formats/dicom/modality.js";
export { type BodySummary, type ObjectSummary, objectSummary } from "./formats/dicom/object-summary.js";
export { locateCodecs } from "./formats/dicom/pixel-codecs.js";
export { matchRois, roiPattern } from "./formats/dicom/roi-names.js";
export {
  type DrawnRoi,
  readRtstruct,
  type StructureSet,
  type StructureSetRoi,
  writeRtstruct,
} from "./formats/dicom/rtstruct.js";
export {
  type LabelName,
  readSeg,
  type Segment,
  type SegmentationObject,
  writeSeg,
} from "./formats/dicom/seg.js";
export {
  chooseSeries,
  type DicomSeries,
  isCtScan,
  listSeries,
  readSeries,
  type SeriesListing,
} from "./formats/dicom/series.js";
export type { SeriesProblem } from "./formats/dicom/series-problem.js";
export type { NamedFile } from "./formats/dicom/slices.js";
export type {
  ModelIdentity,
  SourceInstance,
  SourceSeries,
  StudyIdentity,
  WritingContext,
} from "./formats/dicom/source-series.js";
export { type NamedPoint, readMarkups, writeFcsv, writeMarkupsJson } from "./formats/markups.js";
export { readNifti, writeNifti } from "./formats/nifti.js";
export { type NamedSegment, nrrdSegments } from "./formats/nrrd.js";
export type { ReportProblem } from "./formats/place.js";
export {
  readSafetensors,
  type StoredType,
  type Tensor as StoredTensor,
  writeSafetensors,
} from "./formats/safetensors.js";
export {
  type EventMoment,
  fileVersionRecord,
  restartRecord,
  scalarsRecord,
} from "./formats/tensorboard.js";
export {
  readVolume,
  type VolumeFormat,
  volumeCompanion,
  volumeFormatOf,
  volumeFormats,
  writeVolume,
} from "./formats/volume-file.js";
export { isZip, listZip, type ZipEntry } from "./formats/zip.js";
export { differentiate } from "./graph/differentiate.js";
export { sortNodes, type Value } from "./graph/graph.js";
export { emitOnnx } from "./graph/onnx.js";
export { add } from "./graph/operations/elementwise.js";
export { concat, reshape } from "./graph/operations/layout.js";
export { input, parameter } from "./graph/operations/leaves.js";
export { matmul } from "./graph/operations/matmul.js";
export { sum } from "./graph/operations/reduction.js";
export { adamW, clipByNorm, globalNorm, movingAverage } from "./graph/optimizers.js";
export { type Shape, sizeOf } from "./graph/shape.js";
export { type CleanUp, cleanedMask, defaultCleanUp } from "./inference/clean-up.js";
export {
  openPredictor,
  type PredictionPlan,
  type Predictor,
  type TrainedModel,
} from "./inference/predictor.js";
export {
  type ClickOutcome,
  DEFAULT_OVERLAP,
  type Segmentation,
  type SegmentOptions,
  type StandingNodes,
  segment,
} from "./inference/segment.js";
export { FOREGROUND_THRESHOLD, nodeMask, type SegmentedNode } from "./inference/segmented-nodes.js";
export { patchWeighting, predictProbability } from "./inference/sliding-window.js";
export type { SearchedPart } from "./inference/whole-scan.js";
export { diceCrossEntropyLoss, maskedDiceCrossEntropyLoss } from "./losses/segmentation.js";
export { type CaseMetrics, evaluateCase } from "./metrics/case.js";
export {
  countsOf,
  type DetectionCounts,
  type DetectionFigures,
  type DetectionOptions,
  detectionFigures,
  detectNodes,
  type NodeDetection,
  type PredictedNode,
  type SizeStratum,
  sensitivityBySize,
  type TrueNode,
} from "./metrics/detection.js";
export { countsAtScores, countsAtThresholds, type FrocPoint, frocCurve } from "./metrics/froc.js";
export * from "./metrics/node-level.js";
export { hitIou, type NodeOverlap } from "./metrics/node-matching.js";
export { countOverlap, dice } from "./metrics/overlap.js";
export {
  type DirectedDistances,
  type SurfaceConvention,
  type SurfaceDistances,
  surfaceConventions,
  surfaceDistances,
} from "./metrics/surface.js";
export {
  allFinite,
  MODEL_FORMAT_VERSION,
  type Model,
  type ModelFileKind,
  type Plan,
  parsePlan,
  readModel,
  requireKnownVersion,
  writeModel,
} from "./models/model-file.js";
export type { ParameterEntry } from "./networks/builder.js";
export { NetworkBuilder } from "./networks/builder.js";
export {
  buildNetwork,
  isOfHead,
  type NetworkSpecification,
  networkPresets,
  networkTitle,
  partsOf,
  sizeDivisor,
  sizeRule,
  takesSize,
} from "./networks/catalogue.js";
export { fitsSize, inferenceModel } from "./networks/inference-model.js";
export { type LnsnetConfiguration, lnsnetDefaults, lnsnetNetwork } from "./networks/lnsnet.js";
export { type LayerProfile, predictionBytes, profileNetwork } from "./networks/profile.js";
export {
  type CohortCase,
  type CohortManifest,
  cohortManifest,
  type DatasetDescription,
} from "./phantom/cohort.js";
export { type Host, type HostStructures, prepareHost } from "./phantom/implants/host.js";
export {
  type ImplantedNode,
  type ImplantedScan,
  implantLabels,
  implantNodes,
} from "./phantom/implants/implants.js";
export type { NodeKind, PhantomNode } from "./phantom/nodes.js";
export { defaultPhantomOptions, type PhantomOptions } from "./phantom/options.js";
export { generatePatient, type PhantomPatient, phantomId, phantomNodes } from "./phantom/patient.js";
export { type BlandAltmanPlot, blandAltmanSvg } from "./reports/bland-altman.js";
export { type BoxPlot, boxPlotSvg } from "./reports/box-plot.js";
export { type Histogram, type HistogramSeries, histogramSvg } from "./reports/histogram.js";
export { type Block, type Report, reportHtml, type Section, tableBlock } from "./reports/html.js";
export { type LearningCurve, learningCurveSvg } from "./reports/learning-curve.js";
export { type Curve, type LineChart, lineChartSvg } from "./reports/line-chart.js";
export { type MontageTile, montagePng } from "./reports/montage.js";
export { type NodeJson, nodeJson, nodesCsv, nodesHtml, nodesText } from "./reports/node-table.js";
export { type OverlayOptions, overlayPng, type Plane } from "./reports/overlay.js";
export { type Point, type ScatterPlot, scatterPlotSvg } from "./reports/scatter-plot.js";
export { type PreviewOptions, segmentationPreviewPng } from "./reports/segmentation-preview.js";
export {
  csvTable,
  decimals,
  htmlTable,
  latexTable,
  type TableCell,
  type TableColumn,
  type TableRow,
  textTable,
} from "./reports/table.js";
export {
  type Device,
  type DeviceChoice,
  deviceChoices,
  type ModelSource,
  type Runtime,
  type Session,
  type SessionOptions,
} from "./runtime/types.js";
export { type Agreement, blandAltman } from "./statistics/bland-altman.js";
export { clusteredBootstrap, type DrawWhole } from "./statistics/bootstrap.js";
export { holmCorrection } from "./statistics/holm.js";
export type { Interval } from "./statistics/interval.js";
export { medianOf, quantileOfSorted, type Summary, summarise } from "./statistics/summary.js";
export { type SignedRankTest, wilcoxonSignedRank, type ZeroMethod } from "./statistics/wilcoxon.js";
export { safeFileName, safeJson, safeLines, safeText, shown } from "./text.js";
export { bestValidation, isExhausted, type Validation } from "./training/early-stop.js";
export {
  checkSplits,
  holdOut,
  type PatientRule,
  patientOfCase,
  type Split,
  type SplitCase,
  splitIntoFolds,
} from "./training/folds.js";
export { forwardModel } from "./training/forward.js";
export * from "./training/sampler.js";
export { type Decay, type LearningRateSchedule, learningRateAt } from "./training/schedule.js";
export {
  ADAM,
  type BuildNetwork,
  buildTrainingStep,
  namedWeights,
  type TrainingStep,
} from "./training/step.js";
export { trainingStepBytes } from "./training/step-memory.js";
export {
  averagedInputs,
  averagedWeights,
  type StartingPoint,
  startingPoint,
  Trainer,
  type TrainingState,
} from "./training/trainer.js";
export * from "./transforms/augmentation.js";
export * from "./transforms/patch.js";
export * from "./transforms/preprocess.js";
export { indexedStream, type RandomGenerator, uniform, uniformWhole } from "./transforms/random.js";
export * from "./volume/crop.js";
export * from "./volume/orientation.js";
export type { PlanarContour } from "./volume/planar-contour.js";
export * from "./volume/resample.js";
export * from "./volume/volume.js";
export { maskWhere } from "./volume/voxel-array.js";
export * from "./voxels/body-mask.js";
export * from "./voxels/components.js";
export * from "./voxels/contours.js";
export { ctProblem, requireCt } from "./voxels/ct-check.js";
export * from "./voxels/distance.js";
export * from "./voxels/instances.js";
export { isProbabilityMap, requireLabels } from "./voxels/label-check.js";
export * from "./voxels/morphology.js";
export { findNeckRegion, type NeckRegion, type NoNeck, regionTest } from "./voxels/neck-region.js";
export type { NeckSide } from "./voxels/neck-side.js";
export * from "./voxels/node-confidence.js";
export { isNodeHu, nodeHu } from "./voxels/node-density.js";
export * from "./voxels/node-measurement.js";
