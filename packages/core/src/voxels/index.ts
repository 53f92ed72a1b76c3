export { bodyMask } from "./body-mask.js";
export {
  type Connectivity,
  type LabelledComponents,
  labelComponents,
  removeSmallComponents,
} from "./components.js";
export {
  contourProblems,
  drawnSpacingMm,
  rasteriseContours,
  rasteriseOnSlices,
  traceContours,
  unevenSlicesMm,
} from "./contours.js";
export { ctProblem, requireCt } from "./ct-check.js";
export { squaredDistanceMm } from "./distance.js";
export { fillHoles } from "./fill-holes.js";
export {
  type LabelledMasks,
  labelMasks,
  labelValues,
  type NamedMask,
  numberedComponents,
} from "./instances.js";
export { requireLabels } from "./label-check.js";
export { maskTest } from "./mask-test.js";
export {
  boundary,
  dilate,
  erode,
  foregroundBox,
  type IndexBox,
  type StructuringElement,
} from "./morphology.js";
export { findNeckRegion, type NeckRegion, type NoNeck } from "./neck-region.js";
export { type NeckSide, type SideOfPoint, sideByBody } from "./neck-side.js";
export { type NodeConfidence, nodeConfidences } from "./node-confidence.js";
export { airBelowHu, boneFromHu, isNodeDensity, mostBoneOrAir, nodeHu } from "./node-density.js";
export { measureNodes, type NodeMeasurement, type NodeSplit } from "./node-measurement.js";
export { defaultNeckRule, type NeckRule, numberedNodes } from "./numbered-nodes.js";
export { clickInto, correctingClick, type SimulatedClick } from "./simulated-click.js";
