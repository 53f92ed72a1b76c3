export { type Agreement, blandAltman } from "./bland-altman.js";
export { clusteredBootstrap, type DrawWhole } from "./bootstrap.js";
export {
  type Calibration,
  calibrated,
  calibratedByOthers,
  fitCalibration,
  type JudgedProbability,
  leastCalibrated,
  type Reliability,
  type ReliabilityBin,
  reliabilityOf,
} from "./calibration.js";
export { holmCorrection } from "./holm.js";
export type { Interval } from "./interval.js";
export { medianOf, quantileOfSorted, type Summary, summarise } from "./summary.js";
export { type SignedRankTest, wilcoxonSignedRank, type ZeroMethod } from "./wilcoxon.js";
