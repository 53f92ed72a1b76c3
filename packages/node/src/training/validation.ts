// Validation during a training: predicts the validation scans with the current weights.

import { clickTargets, meanClickDsc, meanDsc } from "@lnsnet/core/inference";
import type { Plan } from "@lnsnet/core/models";
import { nodeRuntime } from "@lnsnet/core/node";
import type { Session } from "@lnsnet/core/runtime";
import { counted } from "@lnsnet/core/text";
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
 * @returns null where no scan can be used for validation
 */
export async function openValidator(
  build: BuildNetwork,
  plan: Plan,
  threads: number,
  cases: readonly PreparedCase[],
  log: Job["log"],
): Promise<Validator | null> {
  const usable = scansWithForeground(cases, log);
  if (usable.length === 0) return null;
  const model = forwardModel(build, [1, plan.network.configuration.inputs, ...plan.patchSize]);
  const session = await nodeRuntime.createSession(model, { threads });
  const validate =
    plan.clickMaps === undefined
      ? async (constants: Weights) => ({
          dsc: await meanDsc(usable, session, { ...plan, overlap: VALIDATION_OVERLAP, constants }),
        })
      : clickValidation(usable, plan, session);
  return {
    validate,
    release: () => session.release(),
  };
}

type Weights = Parameters<NonNullable<TrainingHost["validate"]>>[0];

/** Structures of each scan, and clicks of each. */
const [CLICKED_STRUCTURES, VALIDATION_CLICKS] = [6, 3];

/** Structures clicked once, twice and three times; the mean over all three chooses the best weights. */
function clickValidation(cases: readonly PreparedCase[], plan: Plan, session: Session) {
  const targets = clickTargets(cases, plan, CLICKED_STRUCTURES);
  return async (constants: Weights) => {
    const options = { ...plan, overlap: 0, constants };
    const dscAfterClicks = await meanClickDsc(targets, session, options, VALIDATION_CLICKS);
    const dsc = dscAfterClicks.reduce((sum, value) => sum + value, 0) / VALIDATION_CLICKS;
    return { dsc, dscAfterClicks };
  };
}

/** The scans that can be used for validation: without foreground the DSC is 0 or 1, and does not tell how well nodes are outlined. */
function scansWithForeground(cases: readonly PreparedCase[], log: Job["log"]): PreparedCase[] {
  const usable = cases.filter(({ foreground }) => foreground.length > 0);
  const without = cases.length - usable.length;
  if (without > 0)
    log?.(
      `${counted(without, "scan")} of the ${cases.length} that watch ${without === 1 ? "has" : "have"} no foreground, and no validation DSC counts ${without === 1 ? "it" : "them"}`,
    );
  return usable;
}
