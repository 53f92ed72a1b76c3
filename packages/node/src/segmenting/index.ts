// Scans segmented by trained networks, and networks taken over or given away.
export { type ExportedModel, type ExportOptions, exportModel } from "./exporting.js";
export {
  type DicomObject,
  dicomObjects,
  type Form,
  type Manifest,
  type ModelRecord,
} from "./manifest.js";
export { loadModels } from "./models.js";
export { type ImportedNnunet, importNnunet, type NnunetImportOptions } from "./nnunet.js";
export { importWeights, type WeightsImport } from "./other-weights.js";
export {
  type PredictedScan,
  type PredictionOptions,
  type Predictions,
  predictScans,
} from "./predicting.js";
export type { NamedScan, ScanOrigin } from "./scans.js";
export type { ClicksOf, PlacedClick, Segmented } from "./segmenting.js";
export { type ShippedModelName, shippedModelPath } from "./shipped-models.js";
