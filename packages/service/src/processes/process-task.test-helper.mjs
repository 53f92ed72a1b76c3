// A process that says who it is, and fails, refuses or waits where it is told to.
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "@lnsnet/core/errors";
import { serveTasks } from "../../dist/processes/serve-tasks.js";

serveTasks(
  (sent) => sent,
  async ({ does, says }, { signal }) => {
    if (does === "fail") throw new Error(says);
    if (does === "refuse") throw new InputError(says);
    if (does === "end") process.exit(7);
    if (does === "wait") await sleep(60_000, null, { signal });
    return { says, pid: process.pid };
  },
);
