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
 *
 * @param smooth voxels added above and below in the Dice; absent for nnU-Net's 1e-5
 */
export function lossOf(scheme: LabelScheme, smooth?: number): (logits: Value, label: Value) => Value {
  const loss = lossFunctionOf(scheme);
  return (logits, label) => loss(logits, label, smooth === undefined ? {} : { smooth });
}

function lossFunctionOf(scheme: LabelScheme) {
  if (logitChannels(scheme) > scheme.classes.length) return exclusiveDiceCrossEntropyLoss;
  return scheme.ignored === null ? diceCrossEntropyLoss : maskedDiceCrossEntropyLoss;
}
