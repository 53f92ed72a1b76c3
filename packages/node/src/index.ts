// What programs build on: the stages of a workstation, each a function with typed options and a job.
export * from "./datasets/index.js";
export * from "./datasets/making.js";
export * from "./evaluation/index.js";
export * from "./experiments/index.js";
export { doPart } from "./experiments/parts.js";
export * from "./files/index.js";
export * from "./segmenting/index.js";
export * from "./training/index.js";
export * from "./work/index.js";
