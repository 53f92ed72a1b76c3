// Writes training.json, a readable record of what the result of a training depends on.

import { FOREGROUND_THRESHOLD } from "@lnsnet/core/inference";
import type { Plan } from "@lnsnet/core/models";
import type { PatientRule } from "@lnsnet/core/sampling";
import type { Case } from "../datasets/dataset.js";
import { patientsOf } from "../datasets/splits.js";
import { writeJson } from "../files/disk.js";
import { currentVersions } from "../work/environment.js";
import type { TrainingScans } from "./division.js";
import { trainingFiles } from "./folder.js";
import { MOST_STEPS, type TrainingOptions } from "./options.js";

export interface RecordedRun extends TrainingScans {
  readonly dataset: string;
  readonly plan: Plan;
  readonly options: TrainingOptions;
  /** Steps of the warm-up, and the learning rate at the end. */
  readonly schedule: { readonly warmUpSteps: number; readonly final: number };
  readonly validationOverlap: number;
  readonly patients: PatientRule;
  /** The model that was begun from. */
  readonly weightsPath: string | null;
}

/** How far a run has come; null at its beginning. */
export interface RecordedEnd {
  readonly steps: number;
  readonly bestValidation: { readonly step: number; readonly dsc: number } | null;
}

/** Writes `training.json`: at the beginning of a run, and again at its end. It names no time, so that equal runs have equal ones. */
export async function writeTrainingRecord(
  folder: string,
  run: RecordedRun,
  end: RecordedEnd | null,
): Promise<void> {
  const { plan, options, schedule, patients } = run;
  const scansOf = (cases: readonly Case[]) => ({
    patients: patientsOf(cases, patients).size,
    scans: cases.map(({ id }) => id),
  });
  await writeJson(trainingFiles(folder).record, {
    state: end === null ? "begun" : "finished",
    dataset: run.dataset,
    foreground: plan.foreground,
    trained_on: scansOf(run.training),
    watched_by: scansOf(run.validation),
    network: plan.network,
    patch_voxels: { depth: plan.patchSize[0], height: plan.patchSize[1], width: plan.patchSize[2] },
    working_spacing_mm: plan.spacingMm,
    window_hu: [plan.window.lowHu, plan.window.highHu],
    ...(plan.channels === undefined ? {} : { channels: plan.channels }),
    ...(plan.labels === undefined ? {} : { labels: plan.labels }),
    ...(plan.clickMaps === undefined
      ? {}
      : { clicks: { radius_mm: plan.clickMaps.radiusMm, left_out: options.leftOut } }),
    threshold: FOREGROUND_THRESHOLD,
    steps: { asked: options.steps < MOST_STEPS ? options.steps : null, done: end?.steps ?? null },
    minutes: options.minutes ?? null,
    schedule: {
      warm_up_steps: schedule.warmUpSteps,
      greatest_learning_rate: options.learningRate,
      decay: options.decay,
      final_learning_rate: schedule.final,
    },
    batch: options.batchSize,
    batches_an_update: options.accumulation,
    weight_decay: options.weightDecay,
    clip_norm: options.clipNorm,
    average_decay: options.averageDecay,
    ...(options.diceSmoothing === undefined ? {} : { dice_smoothing_voxels: options.diceSmoothing }),
    foreground_share: options.foregroundShare,
    augmentation: options.augmentation,
    validation: {
      every_steps: options.validateEvery,
      scans_asked: options.validationCases,
      overlap: run.validationOverlap,
      patience: options.patience,
      best: end?.bestValidation ?? null,
    },
    trained_weights: options.trained,
    begun_from: run.weightsPath ?? "random weights",
    seed: options.seed,
    versions: await currentVersions(),
  });
}
