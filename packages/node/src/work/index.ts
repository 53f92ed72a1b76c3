// Jobs, durations and the version.
export { duration } from "./duration.js";
export type { Job } from "./job.js";
export { packageVersion } from "./version.js";
