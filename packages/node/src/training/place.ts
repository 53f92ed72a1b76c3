// Saves a training run in its folder, for the training loop of core.
import type { Plan } from "@lnsnet/core/models";
import { partsOf } from "@lnsnet/core/networks";
import { learningCurveSvg } from "@lnsnet/core/reports";
import {
  averagedWeights,
  bestValidation,
  type SavedTraining,
  type TrainingPlace,
  type TrainingState,
  type TrainingStep,
} from "@lnsnet/core/training";
import { writeAtomically } from "../files/disk.js";
import { saveModel } from "../files/model-file.js";
import { type TrainingFolder, trainingFiles } from "./folder.js";
import { type RecordedRun, writeTrainingRecord } from "./record.js";
import { openRunLog, type RunLog } from "./run-log.js";
import { stateBytes } from "./state.js";

/** What is kept of a run beside its state. */
export interface KeptRun {
  readonly folder: string;
  readonly opened: TrainingFolder;
  readonly step: TrainingStep;
  /** What must be the same for a resumed run to be the same run. */
  readonly identity: string;
  readonly record: RecordedRun;
  /** Steps done before; what the log holds of later ones comes again. */
  readonly stepsBefore: number;
}

export interface FolderPlace extends TrainingPlace {
  /** Writes down that the run has come to its end. */
  finish(training: SavedTraining): Promise<void>;
}

/** Nothing is written before the loop begins. */
export function folderPlace({ folder, opened, step, identity, record, stepsBefore }: KeptRun): FolderPlace {
  const files = trainingFiles(folder);
  const { plan } = record;
  let log: RunLog | null = null;
  return {
    async begin() {
      await opened.begin();
      await writeTrainingRecord(folder, record, null);
      log = await openRunLog(folder, stepsBefore);
    },
    async save(training) {
      await writeAtomically(files.state, stateBytes(training, identity));
      await saveWeights(files.model, plan, training.state, step);
      const curve = { title: "Learning curve", note: plan.dataLabel, ...training.history };
      await writeAtomically(files.curve, learningCurveSvg(curve));
    },
    saveBest: (state) => saveWeights(files.best, plan, state, step),
    record: async (entry) => log?.write(entry),
    finish: ({ state, history }) =>
      writeTrainingRecord(folder, record, {
        steps: state.step,
        bestValidation: bestValidation(history.validation),
      }),
  };
}

/** Saves what the plan's network has; a head that only training uses stays in the state. */
function saveWeights(path: string, plan: Plan, state: TrainingState, step: TrainingStep): Promise<void> {
  const all = averagedWeights(state, step);
  const { parameters, buffers } = partsOf(plan.network, plan.patchSize);
  const names = new Set([...parameters, ...buffers].map(({ name }) => name));
  const weights = new Map([...all].filter(([name]) => names.has(name)));
  return saveModel(path, { plan, steps: state.step, weights }, false);
}
