// The process that does one part of an experiment, or evaluates one case, and ends.
import { doPart, judgePair } from "@lnsnet/node";
import { serveTask } from "../processes/serve-task.js";
import { workTaskSchema } from "./tasks.js";

serveTask(
  (sent) => workTaskSchema.parse(sent),
  async (task, job) => {
    if (task.kind === "evaluate case") return judgePair(task.pair, task.rules, task.classes);
    await doPart(task.experiment, task.part, job);
    return null;
  },
  // A training loses nothing when its worker is killed.
  { savesFirst: true },
);
