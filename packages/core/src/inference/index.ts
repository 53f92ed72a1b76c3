export { type CleanUp, cleanedMask, defaultCleanUp } from "./clean-up.js";
export { type ClickTarget, clickTargets, meanClickDsc } from "./click-validation.js";
export {
  type ClickedNode,
  type ClickOptions,
  measureClickedNode,
  type NodeAtClick,
  type NodeClicks,
  type NoNodeAtClick,
  type OutlinedNode,
  segmentClickedNode,
  segmentNode,
} from "./clicked-node.js";
export { type EarlyNode, earlyNodes } from "./early-nodes.js";
export { openPredictor, type PredictionPlan, type Predictor, type TrainedModel } from "./predictor.js";
export { proposedMask } from "./proposals.js";
export { type LeftOut, scanCleaner } from "./scan-cleaner.js";
export {
  type ClickOutcome,
  DEFAULT_OVERLAP,
  type Segmentation,
  type SegmentOptions,
  type StandingNodes,
  segment,
} from "./segment.js";
export {
  type ClassPrediction,
  classLabels,
  FOREGROUND_THRESHOLD,
  nodeMask,
  type SegmentedNode,
} from "./segmented-nodes.js";
export { type Prediction, patchWeighting, placesOf, predictProbability } from "./sliding-window.js";
export { type LabelledScan, meanDsc } from "./validation.js";
export { nodesOfPredictions, probabilityOfScan, type SearchedPart } from "./whole-scan.js";
