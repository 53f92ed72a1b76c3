export {
  diceCrossEntropyLoss,
  exclusiveDiceCrossEntropyLoss,
  maskedDiceCrossEntropyLoss,
} from "./segmentation.js";
