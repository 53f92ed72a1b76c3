// Masks compared with the truth, and nodes measured.
export { detectionJson, detectionText, type ScanNodes } from "./detection.js";
export {
  type EvaluatedCase,
  type Evaluation,
  type EvaluationOptions,
  evaluateFiles,
  type JudgedPair,
  judgePair,
  type PairJudge,
  summariseCases,
} from "./evaluating.js";
export type { ForegroundRules } from "./masks.js";
export { type MeasuringOptions, measureFile } from "./measuring.js";
export { type MetricName, type MetricRow, metrics } from "./metric-names.js";
