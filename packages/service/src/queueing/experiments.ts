// Experiments over Redis: `crossvalidate`, `compare` and `evaluate` let workers train, predict and evaluate.
import { createHash } from "node:crypto";
import { isAbsolute, relative, resolve } from "node:path";
import { InputError } from "@lnsnet/core/errors";
import type { JudgedPair, PairJudge } from "@lnsnet/node/evaluation";
import type { Elsewhere } from "@lnsnet/node/experiments";
import PQueue from "p-queue";
import { type WorkTask, withPaths } from "../experimenting/tasks.js";
import { openAsking } from "./asking.js";

export interface SpreadingSettings {
  /** Such as redis://127.0.0.1:6379. */
  readonly queue: string;
  /** The folder that all workers see, as this machine does. */
  readonly shared: string;
  /** The only class that is foreground; null for all. */
  readonly foreground: string | null;
  readonly log: (sentence: string) => void;
}

/** Workers who do parts of experiments and evaluate cases. */
export interface Spreading extends Elsewhere {
  readonly judgePair: PairJudge;
  close(): Promise<void>;
}

/** So many tasks stand in the queue at once, since each is asked after. */
const mostAsked = 64;
/** Of a task that workers fail at, such as for want of memory. */
const attempts = 3;

/** @throws InputError where the address is none of Redis */
export function openSpreading({ queue: url, shared, foreground, log }: SpreadingSettings): Spreading {
  const queue = openAsking<WorkTask>("experiments", url, () => true, log);
  const places = new PQueue({ concurrency: mostAsked });
  const inside = (path: string) => pathInside(shared, path);
  const looking = setTimeout(async () => {
    const { workers } = await queue.counts();
    if (workers === 0)
      log(
        "No worker listens to this queue; start some with lnsnet worker, on any machines that see the folder.",
      );
  }, 5000).unref();
  const closing = new AbortController();
  const ask = (task: WorkTask, name: string, given?: AbortSignal) =>
    places.add(async () => {
      const signal = AbortSignal.any([closing.signal, ...(given === undefined ? [] : [given])]);
      const sent = withPaths(task, inside);
      const key = createHash("sha256").update(JSON.stringify(sent)).digest("hex");
      signal.throwIfAborted();
      // An answer that nobody took may be of earlier data; what is done already is done again in a second.
      return queue.ask({ key, name, task: sent, isAnew: true, attempts }, { signal });
    });
  return {
    async doPart(experiment, part, signal) {
      const { folder, threads, cacheFolder, weightsPath, trainsAgain, command, holder } = experiment;
      const { dataset, patients } = experiment;
      const begun = {
        ...{ folder, threads, cacheFolder, weightsPath, trainsAgain, command, holder, foreground },
        datasetFolder: dataset.folder,
        patientPattern: patients.pattern?.source ?? null,
      };
      await ask({ kind: "experiment", experiment: begun, part }, part.kind, signal);
    },
    async judgePair(pair, rules, classes, signal) {
      const task: WorkTask = { kind: "evaluate case", pair: { ...pair }, rules: { ...rules }, classes };
      return judgedBy(await ask(task, task.kind, signal));
    },
    async close() {
      clearTimeout(looking);
      // What was asked for and not waited for is taken back.
      closing.abort(new Error("The command ends."));
      await places.onIdle();
      await queue.close();
    },
  };
}

/** What a worker of this version answers, as its job said. */
const judgedBy = (answer: unknown): JudgedPair => answer as JudgedPair;

/** @throws InputError where the path is not in the shared folder */
function pathInside(shared: string, path: string): string {
  const found = relative(resolve(shared), resolve(path));
  if (found.startsWith("..") || isAbsolute(found))
    throw new InputError(
      `${path} is not in ${resolve(shared)}, which is what all workers see; move it there, or give the option shared the folder that holds it.`,
    );
  return found;
}
