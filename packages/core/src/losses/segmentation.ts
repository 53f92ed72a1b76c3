// Losses of segmentation, as functions over graph values. Logits and labels are [N, C, …space]; losses have shape [].
import type { Value } from "../graph/graph.js";
import {
  abs,
  add,
  divide,
  exp,
  maximum,
  multiply,
  neg,
  relu,
  sigmoid,
  softplus,
  subtract,
} from "../graph/operations/elementwise.js";
import { reshape, slice } from "../graph/operations/layout.js";
import { logSoftmax, mean, sum } from "../graph/operations/reduction.js";
import { range, sizeOf } from "../graph/shape.js";

const meanOfAll = (x: Value): Value => reshape(mean(x, range(x.shape.length)), []);

/** The mean over counted voxels from their sum; 0, and not NaN, where none is counted. */
const meanOfCounted = (total: Value, counted: Value): Value =>
  reshape(divide(total, maximum(counted, 1)), []);

/**
 * Soft Dice: 1 − mean((2·Σpg + s) / (Σp + Σg + s)) with p = sigmoid(logits). The sums run over space, and over the
 * batch too where `batch` is true (nnU-Net's batch Dice); the mean runs over what is left.
 */
export function softDiceLoss(logits: Value, label: Value, { batch = true, smooth = 1e-5 } = {}): Value {
  return diceLossOf(sigmoid(logits), label, { batch, smooth });
}

function diceLossOf(
  probability: Value,
  label: Value,
  { batch, smooth }: { readonly batch: boolean; readonly smooth: number },
): Value {
  const axes = [...(batch ? [0] : []), ...range(label.shape.length - 2, 2)];
  const overlap = sum(multiply(probability, label), axes);
  const total = add(sum(probability, axes), sum(label, axes));
  const dice = divide(add(multiply(overlap, 2), smooth), add(total, smooth));
  return subtract(1, meanOfAll(dice));
}

/** −[g·ln p + (1 − g)·ln(1 − p)] of each voxel, from logits without overflow. */
function crossEntropyOfVoxels(logits: Value, label: Value): Value {
  return add(subtract(relu(logits), multiply(logits, label)), softplus(neg(abs(logits))));
}

/** Binary cross-entropy with logits, mean over all voxels. */
export function binaryCrossEntropyLoss(logits: Value, label: Value): Value {
  return meanOfAll(crossEntropyOfVoxels(logits, label));
}

/** Soft Dice plus binary cross-entropy, the default loss of training. */
export function diceCrossEntropyLoss(
  logits: Value,
  label: Value,
  options: { batch?: boolean; smooth?: number } = {},
): Value {
  return add(softDiceLoss(logits, label, options), binaryCrossEntropyLoss(logits, label));
}

/**
 * Focal loss (Lin 2017): mean of a·(1 − p_t)²·cross-entropy, where p_t is the probability given to the true class and
 * a is alpha on foreground and 1 − alpha on background (1 where alpha is null).
 */
export function focalLoss(logits: Value, label: Value, { alpha = null as number | null } = {}): Value {
  const entropy = crossEntropyOfVoxels(logits, label);
  const missed = subtract(1, exp(neg(entropy)));
  const focused = multiply(multiply(missed, missed), entropy);
  if (alpha === null) return meanOfAll(focused);
  return meanOfAll(multiply(focused, add(multiply(label, 2 * alpha - 1), 1 - alpha)));
}

/** Cross-entropy over classes on axis 1, mean over voxels; `label` is one-hot, of the shape of the logits. */
export function categoricalCrossEntropyLoss(logits: Value, label: Value): Value {
  const voxels = sizeOf(logits.shape) / logits.shape[1];
  const all = sum(multiply(label, logSoftmax(logits, 1)), range(logits.shape.length));
  return reshape(multiply(all, -1 / voxels), []);
}

/**
 * Cross-entropy over stations on axis 1, mean over the voxels that have one; `label` is one-hot there and 0 elsewhere. A
 * patch without a station gives 0.
 */
export function stationCrossEntropyLoss(logits: Value, label: Value): Value {
  const all = range(logits.shape.length);
  const entropy = neg(sum(multiply(label, logSoftmax(logits, 1)), all));
  return meanOfCounted(entropy, sum(label, all));
}

/**
 * Deep supervision: Σ wᵢ·loss(logitsᵢ, labelᵢ) over outputs of falling resolution, with weights 1, ½, ¼, … scaled to
 * sum to 1, as nnU-Net weighs them. Each label is given at its output's resolution.
 */
export function deepSupervisionLoss(
  outputs: readonly { readonly logits: Value; readonly label: Value }[],
  loss: (logits: Value, label: Value) => Value,
): Value {
  if (outputs.length === 1) return loss(outputs[0].logits, outputs[0].label);
  const total = 2 - 2 ** (1 - outputs.length);
  return outputs
    .map(({ logits, label }, index) => multiply(loss(logits, label), 2 ** -index / total))
    .reduce((a, b) => add(a, b));
}

/**
 * {@link diceCrossEntropyLoss} over the voxels whose label is not negative: those of −1 are left out of every sum, so
 * that no gradient comes from them.
 */
export function maskedDiceCrossEntropyLoss(
  logits: Value,
  label: Value,
  { batch = true, smooth = 1e-5 } = {},
): Value {
  const counted = subtract(1, relu(neg(label)));
  const truth = relu(label);
  const dice = diceLossOf(multiply(sigmoid(logits), counted), truth, { batch, smooth });
  const all = range(logits.shape.length);
  const entropy = sum(multiply(crossEntropyOfVoxels(logits, truth), counted), all);
  return add(dice, meanOfCounted(entropy, sum(counted, all)));
}

/**
 * Soft Dice over the classes plus cross-entropy over all channels, of exclusive classes with the background in channel 0
 * (nnU-Net's default: the Dice is of the classes without the background). Voxels whose label is −1 in every channel are
 * left out of every sum.
 *
 * @param label one-hot, of the shape of the logits
 */
export function exclusiveDiceCrossEntropyLoss(
  logits: Value,
  label: Value,
  { batch = true, smooth = 1e-5 } = {},
): Value {
  const [samples, channels, ...space] = logits.shape;
  const truth = relu(label);
  const logProbability = logSoftmax(logits, 1);
  const counted = sum(truth, [1]);
  const all = range(logits.shape.length);
  const entropy = meanOfCounted(neg(sum(multiply(truth, logProbability), all)), sum(counted, all));
  const ofClasses = (x: Value): Value =>
    slice(x, [0, 1, ...space.map(() => 0)], [samples, channels - 1, ...space]);
  const probability = ofClasses(multiply(exp(logProbability), counted));
  return add(diceLossOf(probability, ofClasses(truth), { batch, smooth }), entropy);
}
