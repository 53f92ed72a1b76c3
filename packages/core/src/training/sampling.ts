// Which cases and patches a training draws, without its networks: what loading threads and data sets need of it.
export { type BatchPlan, type BatchSource, drawBatch } from "./batch.js";
export {
  checkSplits,
  holdOut,
  type PatientRule,
  patientOfCase,
  type Split,
  type SplitCase,
  splitIntoFolds,
} from "./folds.js";
export { drawSample, type PreparedCase, prepareCase, type Sample, type SamplerOptions } from "./sampler.js";
export { numberStructures, type StructureLayer } from "./structures.js";
export type { TrainingBatch } from "./trainer.js";
