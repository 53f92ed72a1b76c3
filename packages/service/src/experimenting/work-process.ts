// The process that does one part of an experiment, or evaluates one case, and ends.
import { serveTask } from "../processes/serve-task.js";
import { workTaskSchema } from "./tasks.js";

serveTask(
  (sent) => workTaskSchema.parse(sent),
  async (task, job) => {
    // Each loads only what it needs: a process does one task, and an evaluation needs no networks.
    if (task.kind === "evaluate case") {
      const { judgePair } = await import("@lnsnet/node/evaluation");
      return judgePair(task.pair, task.rules, task.classes);
    }
    const { doPart } = await import("@lnsnet/node/parts");
    await doPart(task.experiment, task.part, job);
    return null;
  },
  // A training loses nothing when its worker is killed.
  { savesFirst: true },
);
