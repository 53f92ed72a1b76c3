export { type CaseMetrics, evaluateCase } from "./case.js";
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
} from "./detection.js";
export { countsAtScores, countsAtThresholds, type FrocPoint, frocCurve } from "./froc.js";
export { type DatedNode, type FollowedNode, type FollowUp, followUp } from "./node-follow-up.js";
export { type NodePair, pairOfNode } from "./node-level.js";
export { matchNodes, type NodeOverlap } from "./node-matching.js";
export { countOverlap, dice } from "./overlap.js";
export {
  type DirectedDistances,
  type SurfaceConvention,
  type SurfaceDistances,
  surfaceConventions,
  surfaceDistances,
} from "./surface.js";
