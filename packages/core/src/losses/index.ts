export {
  binaryCrossEntropyLoss,
  diceCrossEntropyLoss,
  exclusiveDiceCrossEntropyLoss,
  maskedDiceCrossEntropyLoss,
} from "./segmentation.js";
