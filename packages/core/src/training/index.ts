export { type BatchPlan, type BatchSource, drawBatch } from "./batch.js";
export { drawClickSample } from "./click-sampler.js";
export { type ClickingPlan, clickBatch } from "./correcting-clicks.js";
export {
  checkSplits,
  holdOut,
  type PatientRule,
  patientOfCase,
  type Split,
  type SplitCase,
  splitIntoFolds,
} from "./folds.js";
export { forwardModel } from "./forward.js";
export {
  bestValidation,
  emptyHistory,
  isExhausted,
  type TrainingHistory,
  type Validation,
} from "./history.js";
export {
  type LogEntry,
  type LoopOptions,
  type SavedTraining,
  type TrainingHost,
  type TrainingPlace,
  train,
  type ValidationFigures,
} from "./loop.js";
export { lossOf } from "./loss.js";
export { drawSample, type PreparedCase, prepareCase, type Sample, type SamplerOptions } from "./sampler.js";
export { type Decay, type LearningRateSchedule, learningRateAt, usualSchedule } from "./schedule.js";
export {
  type BuildNetwork,
  buildTrainingStep,
  defaultOptimizer,
  type Loss,
  type OptimizerSettings,
  type StepOptions,
  type TrainingStep,
} from "./step.js";
export { trainingStepBytes } from "./step-memory.js";
export { numberStructures, type StructureLayer } from "./structures.js";
export {
  averagedInputs,
  averagedWeights,
  initialState,
  type StartingPoint,
  startingPoint,
  Trainer,
  type TrainingBatch,
  type TrainingState,
} from "./trainer.js";
export { flatCount, namedWeights } from "./weights.js";
