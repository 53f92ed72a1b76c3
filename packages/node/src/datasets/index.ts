// Data sets that are there: opening them, their cases, folds and caches.
export { type CacheSettings, cacheNames } from "./cache.js";
export {
  type Case,
  caseId,
  type Dataset,
  listed,
  loadCase,
  openDataset,
} from "./dataset.js";
export { patientRule, readSplits, trainingPart } from "./splits.js";
export { type LeftOutStructures, leftOutStructures } from "./structures.js";
