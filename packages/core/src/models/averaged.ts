// Two trainings of one network as one model: the mean of their weights.
import { InputError } from "../errors.js";
import { requireSamePlan } from "../inference/predictor.js";
import { networkTitle, partsOf } from "../networks/catalogue.js";
import type { Model } from "./model-file.js";

/**
 * The model whose weights are the mean of two models' weights ("model soup", Wortsman et al. 2022, arXiv 2203.05482).
 * It costs no more than one of them. It is a good model only where one training began with the other's weights, or both
 * began with the same. What belonged to the weights of either, a calibration, is dropped; the steps are the first model's.
 *
 * @throws InputError where the models are of different networks, prepare scans in different ways or find different classes,
 *   and for a network with batch norm, whose running statistics fit no other weights
 */
export function averaged({ plan, steps, weights }: Model, other: Model): Model {
  requireSamePlan(plan, other.plan);
  if (JSON.stringify(plan.network) !== JSON.stringify(other.plan.network))
    throw new InputError(
      `Weights are averaged for two trainings of one network, and these are ${networkTitle(plan.network)} and ${networkTitle(other.plan.network)}, or differ in its configuration; give a model of the same network.`,
    );
  if (partsOf(plan.network, plan.patchSize).buffers.length > 0)
    throw new InputError(
      `The network ${networkTitle(plan.network)} holds statistics of batch norm, which fit no averaged weights; leave the option average-with out.`,
    );
  const { calibration: _, ...rest } = plan;
  const { dataLabel } = other.plan;
  return {
    plan: {
      ...rest,
      dataLabel: dataLabel === plan.dataLabel ? dataLabel : `${plan.dataLabel} + ${dataLabel}`,
    },
    steps,
    weights: new Map([...weights].map(([name, ours]) => [name, meanOf(ours, other.weights.get(name))])),
  };
}

function meanOf(ours: Float32Array, theirs: Float32Array | undefined): Float32Array {
  if (theirs?.length !== ours.length) throw new Error("models of one network have other weights");
  return ours.map((value, at) => (value + theirs[at]) / 2);
}
