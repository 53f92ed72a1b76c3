// The options of a training and their defaults.

import { InputError } from "@lnsnet/core/errors";
import { counted } from "@lnsnet/core/text";
import { type Decay, defaultOptimizer } from "@lnsnet/core/training";
import { type Augmentation, defaultAugmentation } from "@lnsnet/core/transforms";
import type { LeftOutStructures } from "../datasets/structures.js";

export interface TrainingOptions {
  /** The most, where `minutes` are given. */
  readonly steps: number;
  /** Minutes of updates after which a training ends, whatever its steps; absent for no limit. */
  readonly minutes?: number;
  /** Patches per batch. */
  readonly batchSize: number;
  /** Batches per update. */
  readonly accumulation: number;
  readonly learningRate: number;
  /** How the learning rate falls after the warm-up. */
  readonly decay: Decay;
  readonly weightDecay: number;
  readonly clipNorm: number;
  readonly averageDecay: number;
  readonly foregroundShare: number;
  readonly augmentation: Augmentation;
  readonly seed: number;
  readonly threads: number;
  /** Steps between validations; 0 never validates. */
  readonly validateEvery: number;
  /** Training cases to set aside for validation; see {@link divideCases}. */
  readonly validationCases: number;
  /** Training ends after so many validations in a row that are no better than the best; 0 never ends it early. */
  readonly patience: number;
  /** The whole network, or its head alone. */
  readonly trained: "all" | "head";
  /** Of a promptable network: the structures that are not to be learned; absent for all other networks. */
  readonly leftOut?: LeftOutStructures;
  /** What telling apart the nodes' stations counts beside the loss; absent where they are no target. */
  readonly stationWeight?: number;
  /** Voxels added above and below in the Dice of the loss; absent for nnU-Net's 1e-5. */
  readonly diceSmoothing?: number;
}

export const defaultTrainingOptions: TrainingOptions = {
  steps: 3000,
  batchSize: 1,
  accumulation: 1,
  learningRate: 0.001,
  decay: "cosine",
  weightDecay: defaultOptimizer.weightDecay,
  clipNorm: defaultOptimizer.clipNorm,
  averageDecay: 0.998,
  foregroundShare: 0.6,
  augmentation: defaultAugmentation,
  seed: 1,
  threads: 0,
  validateEvery: 250,
  validationCases: 4,
  patience: 0,
  trained: "all",
};

/** "600 steps", "5 minutes", or "600 steps or 5 minutes". */
export function budgetText({ steps, minutes }: Pick<TrainingOptions, "steps" | "minutes">): string {
  return [
    ...(minutes === undefined || steps < MOST_STEPS ? [counted(steps, "step")] : []),
    ...(minutes === undefined ? [] : [counted(minutes, "minute")]),
  ].join(" or ");
}

/** Of a training that only its minutes end. */
export const MOST_STEPS = 1e7;

/** @throws InputError where options do not go together */
export function requireTrainable(
  { patience, validateEvery, validationCases, trained, stationWeight }: TrainingOptions,
  {
    weightsPath = null,
    cacheFolder = null,
  }: { readonly weightsPath?: string | null; readonly cacheFolder?: string | null },
): void {
  if (patience > 0 && (validateEvery === 0 || validationCases === 0))
    throw new InputError(
      `The option patience is ${patience}, and nothing is validated; give the option validate-every and the option validation-cases, or leave the option patience out.`,
    );
  if (stationWeight !== undefined && (weightsPath !== null || cacheFolder !== null))
    throw new InputError(
      `The option stations is given with the option ${weightsPath !== null ? "weights, and no model holds weights" : "cache, and no cache holds targets"} for them; leave one of the two out.`,
    );
  if (trained === "head" && weightsPath === null)
    throw new InputError(
      "The option train head trains only the head, which makes no sense with random weights; give a model with the option weights.",
    );
}
