// Worker thread that says who it is, or refuses.
import { threadId } from "node:worker_threads";

export const run = async ({ isRefused }) =>
  isRefused ? { inputError: "This task is refused." } : { value: threadId };
