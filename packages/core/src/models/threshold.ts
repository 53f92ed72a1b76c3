// Moves the threshold of a trained model: from which probability on a voxel is foreground.
import { InputError } from "../errors.js";
import { networkTitle } from "../networks/catalogue.js";
import { labelSchemeOf, logitChannels } from "../transforms/label-scheme.js";
import type { Model } from "./model-file.js";

/** With the boundary module, without it, and without channels at full resolution too; the first that there is comes last. */
const lastBiases = ["boundary.pointwise2.bias", "head.logits.bias", "head.logits.convolution.bias"];

/**
 * The same model with all logits raised by ln((1 − t) / t), so that a voxel that had the probability t has 0.5, at which
 * everything that uses the model draws the line. The order of probabilities stays; a calibration no longer fits, and is dropped.
 * The shift goes into the bias that LNSNet adds last.
 *
 * @param threshold above 0 and below 1
 * @throws InputError for other networks, and for exclusive classes, which have no threshold
 */
export function withThreshold({ plan, steps, weights }: Model, threshold: number): Model {
  const { network } = plan;
  if (network.name !== "lnsnet")
    throw new InputError(
      `The threshold of a model can be moved for LNSNet alone, and this is ${networkTitle(network)}; leave the option threshold out.`,
    );
  const scheme = labelSchemeOf(plan);
  if (logitChannels(scheme) > scheme.classes.length)
    throw new InputError(
      "The model tells classes apart that exclude each other, of which the most probable is taken; leave the option threshold out.",
    );
  const name = lastBiases.find((known) => weights.has(known));
  const bias = name === undefined ? undefined : weights.get(name);
  if (name === undefined || bias === undefined) throw new Error("LNSNet has none of the known last biases");
  const shift = Math.log((1 - threshold) / threshold);
  const { calibration: _, ...rest } = plan;
  return {
    plan: rest,
    steps,
    weights: new Map(weights).set(
      name,
      bias.map((value) => value + shift),
    ),
  };
}
