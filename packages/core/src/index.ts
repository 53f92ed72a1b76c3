export * from "./errors.js"; export * from "./volume/volume.js";
export * from "./transforms/preprocess.js";
export * from "./transforms/patch.js";
export { type RandomGenerator, indexedStream } from "./transforms/random.js";
export * from "./training/sampler.js";
