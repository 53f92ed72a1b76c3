export { bestValidation, isExhausted, type Validation } from "./early-stop.js";
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
export { drawSample, type PreparedCase, prepareCase, type Sample, type SamplerOptions } from "./sampler.js";
export { type Decay, type LearningRateSchedule, learningRateAt } from "./schedule.js";
export { ADAM, type BuildNetwork, buildTrainingStep, namedWeights, type TrainingStep } from "./step.js";
export { trainingStepBytes } from "./step-memory.js";
export {
  averagedInputs,
  averagedWeights,
  type StartingPoint,
  startingPoint,
  Trainer,
  type TrainingState,
} from "./trainer.js";
