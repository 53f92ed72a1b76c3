// Lets other processes do the parts of experiments: folds are trained side by side, and their cases predicted.
import type { Job } from "../work/job.js";
import type { Experiment } from "./configuration.js";
import { trainedFold } from "./folds.js";
import type { ExperimentPart } from "./parts.js";
import {
  foldNumbers,
  testTargets,
  unpredictedCases,
  validationCases,
  validationTarget,
} from "./predicting.js";

/** Whoever does parts of experiments somewhere else. */
export interface Elsewhere {
  /**
   * Returns when the part is done. Asked twice, it is done once.
   *
   * @throws InputError where a person must correct something; Error where it failed; the signal's reason
   */
  readonly doPart: (experiment: Experiment, part: ExperimentPart, signal: AbortSignal) => Promise<void>;
}

/** Told of parts that are done. */
type CountParts = (parts: number, text: string) => void;

/** Reports how many parts of all these experiments are done. */
export function partCounter(experiments: readonly Experiment[], { onProgress }: Job): CountParts {
  const casesOf = ({ dataset, splits }: Experiment) =>
    splits.reduce((sum, { val }) => sum + val.length, splits.length + dataset.test.length);
  const total = experiments.reduce((sum, experiment) => sum + casesOf(experiment), 0);
  let done = 0;
  const count = (parts: number, text: string) => {
    done += parts;
    onProgress?.({ stage: "over the queue", unit: "part", done, total, text });
  };
  count(0, "");
  return count;
}

/**
 * Has every fold trained and its cases predicted, then the test set, unless it is done already. The first failure stops
 * the others.
 *
 * @throws as {@link Elsewhere.doPart}
 */
export async function spreadExperiment(
  experiment: Experiment,
  elsewhere: Elsewhere,
  count: CountParts,
  given?: AbortSignal | undefined,
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, ...(given === undefined ? [] : [given])]);
  const ask = async (part: ExperimentPart, text: string) => {
    await elsewhere.doPart(experiment, part, signal);
    count(1, text);
  };
  const predict = async (set: "test" | number) => {
    const all = set === "test" ? experiment.dataset.test : validationCases(experiment, set);
    const targets = set === "test" ? testTargets(experiment) : [validationTarget(experiment, set)];
    const lacking = await unpredictedCases(experiment, all, targets);
    count(all.length - lacking.length, "");
    const asked = lacking.map(({ id }) => ask({ kind: "predict case", set, case: id }, id));
    await together(asked, failure);
  };
  const judge = async (fold: number) => {
    // One that is not there, or cannot be used, is told by whoever trains.
    const trained = await trainedFold(experiment, fold).catch(() => null);
    if (trained === null) await ask({ kind: "train fold", fold }, `fold ${fold} is trained`);
    else count(1, "");
    await predict(fold);
  };
  await together(foldNumbers(experiment).map(judge), failure);
  await predict("test");
}

/** All of them; the first failure stops the others, and is thrown when they have ended. */
export async function together(works: readonly Promise<void>[], failure: AbortController): Promise<void> {
  await Promise.all(works.map((work) => work.catch((error: unknown) => failure.abort(error))));
  failure.signal.throwIfAborted();
}
