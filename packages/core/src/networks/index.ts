export { convolutionLayer } from "./blocks/layers.js";
export { NetworkBuilder, type ParameterEntry } from "./builder.js";
export {
  buildNetwork,
  isOfHead,
  type NetworkSpecification,
  networkPresets,
  networkSchema,
  networkTitle,
  partsOf,
  sizeForAll,
  sizeRule,
  takesSize,
} from "./catalogue.js";
export { fitsSize, inferenceModel } from "./inference-model.js";
export { type LnsnetConfiguration, lnsnetDefaults, lnsnetNetwork } from "./lnsnet.js";
export {
  type LnsnetVariant,
  lnsnetVariantNames,
  lnsnetVariants,
  type VariedData,
} from "./lnsnet-variants.js";
export { type LayerProfile, predictionBytes, profileNetwork } from "./profile.js";
