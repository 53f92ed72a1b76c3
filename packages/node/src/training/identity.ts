// The identity of a training run: only a run with the same settings, cases and weights can be resumed.
import { createHash } from "node:crypto";
import type { Plan } from "@lnsnet/core/models";
import type { StartingPoint } from "@lnsnet/core/training";
import type { Case } from "../datasets/dataset.js";
import type { TrainingScans } from "./division.js";
import type { TrainingOptions } from "./options.js";

/** What must be the same for a resumed run to be the same run; the numbers of steps and minutes may differ. */
export function runIdentity(
  plan: Plan,
  { threads: _, steps: __, minutes: ___, ...options }: TrainingOptions,
  { training, validation }: TrainingScans,
  start: StartingPoint | null,
): string {
  const idsOf = (cases: readonly Case[]) => cases.map(({ id }) => id);
  return JSON.stringify({
    plan,
    options,
    training: idsOf(training),
    validation: idsOf(validation),
    weights: start && hashOf([start.theta, ...Object.values(start.buffers)]),
  });
}

function hashOf(parts: readonly Float32Array[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest("hex");
}
