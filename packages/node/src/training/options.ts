// What a training is asked for.

import type { Decay } from "@lnsnet/core/training";
import type { Augmentation } from "@lnsnet/core/transforms";

export interface TrainingOptions {
  readonly steps: number;
  /** Patches a batch. */
  readonly batchSize: number;
  /** Batches an update. */
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
}
