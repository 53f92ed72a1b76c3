// The scans that watch a training, ready to be outlined by its weights.
import { counted, type Plan } from "@lnsnet/core";
import { meanDsc } from "@lnsnet/core/inference";
import { nodeRuntime } from "@lnsnet/core/node";
import { type BuildNetwork, forwardModel, type PreparedCase, type TrainingHost } from "@lnsnet/core/training";
import type { Job } from "../work/job.js";

/** Share of a patch that the next one covers again. */
export const VALIDATION_OVERLAP = 0.25;

/** Validation of a network in training. Release it when done. */
export interface Validator {
  readonly validate: NonNullable<TrainingHost["validate"]>;
  release(): Promise<void>;
}

/**
 * Loads the network once for the whole run, its weights an input.
 *
 * @returns null where no scan can watch
 */
export async function openValidator(
  build: BuildNetwork,
  plan: Plan,
  threads: number,
  cases: readonly PreparedCase[],
  log: Job["log"],
): Promise<Validator | null> {
  const watchers = watchersOf(cases, log);
  if (watchers.length === 0) return null;
  const model = forwardModel(build, [1, plan.network.configuration.inputs, ...plan.patchSize]);
  const session = await nodeRuntime.createSession(model, { threads });
  return {
    validate: (constants) => meanDsc(watchers, session, { ...plan, overlap: VALIDATION_OVERLAP, constants }),
    release: () => session.release(),
  };
}

/** The scans that can watch: of one without foreground, the DSC is 0 or 1 and says nothing of how well nodes are outlined. */
function watchersOf(cases: readonly PreparedCase[], log: Job["log"]): PreparedCase[] {
  const watchers = cases.filter(({ foreground }) => foreground.length > 0);
  const without = cases.length - watchers.length;
  if (without > 0)
    log?.(
      `${counted(without, "scan")} of the ${cases.length} that watch ${without === 1 ? "has" : "have"} no foreground, and no validation DSC counts ${without === 1 ? "it" : "them"}`,
    );
  return watchers;
}
