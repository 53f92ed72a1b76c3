export {
  asInstances,
  type DrawnLabels,
  hasSeveralValues,
  type LabelChoice,
  labelsOfObject,
  labelsOfVolume,
  segmentationKind,
} from "./drawn-labels.js";
export { type CaptureOptions, nodeCaptures } from "./node-captures.js";
export { codedBy, type NodeObjects, nodeName, nodeObjects, type WrittenNode } from "./node-objects.js";
