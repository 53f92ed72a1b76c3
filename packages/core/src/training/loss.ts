// Chooses the loss that fits the label scheme.
import type { Value } from "../graph/graph.js";
import {
  diceCrossEntropyLoss,
  exclusiveDiceCrossEntropyLoss,
  maskedDiceCrossEntropyLoss,
} from "../losses/segmentation.js";
import { type LabelScheme, logitChannels } from "../transforms/label-scheme.js";

/**
 * Dice plus cross-entropy: over a softmax for exclusive classes, over sigmoids for overlapping ones and for one alone.
 * Where there is an ignore label, the voxels that have it are left out.
 */
export function lossOf(scheme: LabelScheme): (logits: Value, label: Value) => Value {
  if (logitChannels(scheme) > scheme.classes.length) return exclusiveDiceCrossEntropyLoss;
  return scheme.ignored === null ? diceCrossEntropyLoss : maskedDiceCrossEntropyLoss;
}
