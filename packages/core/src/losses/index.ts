export { diceCrossEntropyLoss, maskedDiceCrossEntropyLoss } from "./segmentation.js";
