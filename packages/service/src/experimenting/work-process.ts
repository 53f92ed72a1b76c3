// The process that does parts of experiments and evaluates cases, one after the other.
import { serveTasks } from "../processes/serve-tasks.js";
import { workTaskSchema } from "./tasks.js";

serveTasks(
  (sent) => workTaskSchema.parse(sent),
  async (task, job) => {
    // Each loads only what it needs: an evaluation needs no networks.
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
