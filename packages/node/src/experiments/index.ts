// Cross-validations and comparisons, with their tables and reports.
export { type CalibratedModel, type CalibrationOptions, calibrateModel } from "./calibrating.js";
export {
  type Compared,
  comparedByDefault,
  comparedNetworks,
  comparedVariants,
  patchForAll,
} from "./compared-members.js";
export { comparisonText } from "./compared-report.js";
export type { ComparisonResult } from "./compared-result.js";
export { type ComparisonRequest, compareNetworks } from "./comparing.js";
export {
  type Experiment,
  type ExperimentConfiguration,
  type ExperimentSettings,
  type PredictionSettings,
  protocols,
} from "./configuration.js";
export { type CrossValidation, crossValidate } from "./cross-validating.js";
export { type Demo, type DemoOptions, runDemo } from "./demo.js";
export { demoTable } from "./demo-report.js";
export { comparisonFiles, experimentFiles, experimentNames } from "./folder.js";
export type { BegunExperiment, ExperimentPart } from "./parts.js";
export { type ExperimentResult, summaryText } from "./report.js";
export type { Elsewhere } from "./spreading.js";
