export {
  asInstances,
  type DrawnLabels,
  hasSeveralValues,
  type LabelChoice,
  labelsOfObject,
  labelsOfVolume,
  segmentationKind,
} from "./drawn-labels.js";
