// Clicks the batches of a promptable network where its own answers are wrong.
import type { Plan } from "@lnsnet/core/models";
import { nodeRuntime } from "@lnsnet/core/node";
import { type BuildNetwork, clickBatch, forwardModel, type TrainingHost } from "@lnsnet/core/training";
import type { TrainingOptions } from "./options.js";

/** Completes batches by their clicks. Release it when done. */
export interface BatchClicks {
  readonly complete: NonNullable<TrainingHost["complete"]>;
  release(): Promise<void>;
}

/**
 * Loads the network once for the whole run, its weights an input.
 *
 * @returns null for a network that is not clicked
 */
export async function openBatchClicks(
  build: BuildNetwork,
  plan: Plan,
  { seed, batchSize, threads }: Pick<TrainingOptions, "seed" | "batchSize" | "threads">,
): Promise<BatchClicks | null> {
  if (plan.clickMaps === undefined) return null;
  const model = forwardModel(build, [1, plan.network.configuration.inputs, ...plan.patchSize]);
  const session = await nodeRuntime.createSession(model, { threads });
  return {
    complete: (batch, index, weights) =>
      clickBatch(batch, index * batchSize, { ...plan, seed }, session, weights),
    release: () => session.release(),
  };
}
