// Work shared over Redis, without the service: what the worker and the commands with --queue import.
export { openStore } from "../storing/store.js";
export { openSpreading, type Spreading, type SpreadingSettings } from "./experiments.js";
export { runWorker, type WorkerSettings } from "./worker.js";
