export { averaged } from "./averaged.js";
export {
  allFinite,
  formatVersionOf,
  MODEL_FORMAT_VERSION,
  type Model,
  type ModelFileKind,
  type Plan,
  parsePlan,
  readModel,
  requireKnownVersion,
  withCalibration,
  writeModel,
} from "./model-file.js";
export { type ImportedModel, type NnunetFold, readNnunetModel } from "./nnunet-model.js";
export { type WeightsFile, withOtherWeights } from "./other-weights.js";
export { withThreshold } from "./threshold.js";
