export { folderOf } from "./companion.js";
export { anonymousSource } from "./dicom/anonymise.js";
export { type DrawnObject, requireDrawnOn } from "./dicom/belonging.js";
export { dicomFileHeader } from "./dicom/encode.js";
export { type InstanceHeader, instanceHeader, routingAttributes } from "./dicom/instance-header.js";
export { type ReportedNode, writeMeasurementReport } from "./dicom/measurement-report.js";
export { dicomModality } from "./dicom/modality.js";
export { type ObjectSummary, objectSummary, type RegionSummary } from "./dicom/object-summary.js";
export { locateCodecs } from "./dicom/pixel-codecs.js";
export { matchRois, roiPattern } from "./dicom/roi-names.js";
export {
  type DrawnRoi,
  readRtstruct,
  type StructureSet,
  type StructureSetRoi,
  writeRtstruct,
} from "./dicom/rtstruct.js";
export { type ColourPicture, writeSecondaryCaptures } from "./dicom/secondary-capture.js";
export { type LabelName, readSeg, type Segment, type SegmentationObject, writeSeg } from "./dicom/seg.js";
export {
  chooseSeries,
  type DicomSeries,
  isCtScan,
  listSeries,
  middleSlice,
  problemsOfReading,
  readSeries,
  type SeriesListing,
  type SlicePicture,
} from "./dicom/series.js";
export type { SeriesProblem } from "./dicom/series-problem.js";
export type { NamedFile } from "./dicom/slices.js";
export type {
  ModelIdentity,
  SourceInstance,
  SourceSeries,
  StudyIdentity,
  WritingContext,
} from "./dicom/source-series.js";
export {
  type FileLookup,
  type FoundImages,
  filesOfZip,
  imagesAmong,
  lookupAmong,
  type ReadImage,
  readChosen,
  readVolumeFile,
  type VolumeFile,
} from "./found-images.js";
export { type NamedPoint, readMarkups, writeFcsv, writeMarkupsJson } from "./markups.js";
export { readNifti, writeNifti } from "./nifti.js";
export { type NamedSegment, nrrdSegments } from "./nrrd.js";
export type { ReportProblem } from "./place.js";
export {
  readSafetensors,
  type StoredTensor,
  type TensorType,
  writeSafetensors,
} from "./safetensors.js";
export { type EventMoment, fileVersionRecord, restartRecord, scalarsRecord } from "./tensorboard.js";
export {
  readVolume,
  type VolumeFormat,
  volumeCompanion,
  volumeFormatOf,
  volumeFormats,
  volumeSize,
  writeVolume,
} from "./volume-file.js";
export { isZip, listZip, type ZipEntry } from "./zip.js";
