// Scans, labels, models and outputs on disk.
export { type ConversionOptions, convertFile } from "./converting.js";
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
} from "./disk.js";
export { whileWriting } from "./folder-lock.js";
export { readImage, readScan } from "./imaging.js";
export {
  type InspectedMarkups,
  type InspectedObject,
  type InspectedSeries,
  type InspectedVolume,
  type Inspection,
  inspectPath,
} from "./inspecting.js";
export { maskFormats } from "./mask-origin.js";
export { loadModel, type StoredModel, saveModel } from "./model-file.js";
export { requireFreeNames } from "./outputs.js";
