// Jobs, durations, what waits for its next use, and the version.
export { duration } from "./duration.js";
export { IdleKeeper } from "./idle-keeper.js";
export type { Job } from "./job.js";
export { packageVersion } from "./version.js";
