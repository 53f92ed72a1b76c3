export {
  type Augmentation,
  type AugmentationName,
  augmentationNames,
  type Chance,
  defaultAugmentation,
  drawVariation,
  noAugmentation,
  noVariation,
  type PatchVariation,
  type Range,
  type RangeMm,
  withoutVariations,
} from "./augmentation.js";
export { cutPatch, IGNORED, type Patch, type PatchSize, type PatchSource } from "./patch.js";
export {
  type IntensityWindow,
  normaliseHu,
  normaliseInPlace,
  type Prepared,
  prepareImage,
  prepareLabel,
  prepareOnGrid,
  restoreMask,
  workingGrid,
} from "./preprocess.js";
export { indexedStream, type RandomGenerator, uniform, uniformWhole } from "./random.js";
