// A training run in a folder.
export { type TrainingStart, trainingFiles } from "./folder.js";
export {
  defaultTrainingOptions,
  MOST_STEPS,
  requireTrainable,
  type TrainingOptions,
} from "./options.js";
export {
  cachedSettings,
  defaultWindow,
  planFor,
  type RequestedPlan,
  type RequestedSettings,
  workingSettings,
} from "./plan.js";
export { preprocessDataset } from "./preprocessing.js";
export { hasStations } from "./stations.js";
export { trainNetwork } from "./train-network.js";
export type { TrainingResult, TrainingRun } from "./training.js";
