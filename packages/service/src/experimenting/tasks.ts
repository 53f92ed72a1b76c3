// The work of experiments that goes to workers: a fold's training, a case's prediction, a case's evaluation.
import { surfaceConventions } from "@lnsnet/core/metrics";
import { z } from "zod";

const partSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("train fold"), fold: z.int().min(0) }),
  z.object({
    kind: z.literal("predict case"),
    set: z.union([z.literal("test"), z.int().min(0)]),
    case: z.string(),
  }),
]);

const experimentSchema = z.object({
  folder: z.string(),
  datasetFolder: z.string(),
  cacheFolder: z.string().nullable(),
  weightsPath: z.string().nullable(),
  foreground: z.string().nullable(),
  patientPattern: z.string().nullable(),
  threads: z.int().min(0).max(256),
  trainsAgain: z.boolean(),
  command: z.string(),
  holder: z.string(),
});

const rulesSchema = z.object({
  truthLabel: z.number().nullable(),
  predictionLabel: z.number().nullable(),
  threshold: z.number().nullable(),
  ignored: z.number().nullable(),
  surface: z.enum(surfaceConventions),
  split: z.enum(["auto", "components", "labels"]),
  nodes: z.boolean(),
});

export const workTaskSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("experiment"), experiment: experimentSchema, part: partSchema }),
  z.object({
    kind: z.literal("evaluate case"),
    pair: z.object({ case: z.string(), truthPath: z.string(), predictionPath: z.string() }),
    rules: rulesSchema,
    /** The dataset.json whose classes are told apart; null where all foreground is one. */
    classes: z.string().nullable(),
  }),
]);
export type WorkTask = Readonly<z.infer<typeof workTaskSchema>>;

/**
 * The task with every path changed, such as to what another machine calls it.
 *
 * @throws whatever `change` throws
 */
export function withPaths(task: WorkTask, change: (path: string) => string): WorkTask {
  const changed = (path: string | null) => (path === null ? null : change(path));
  if (task.kind === "evaluate case") {
    const { pair, classes } = task;
    const paths = { truthPath: change(pair.truthPath), predictionPath: change(pair.predictionPath) };
    return { ...task, pair: { ...pair, ...paths }, classes: changed(classes) };
  }
  const { folder, datasetFolder, cacheFolder, weightsPath } = task.experiment;
  return {
    ...task,
    experiment: {
      ...task.experiment,
      ...{ folder: change(folder), datasetFolder: change(datasetFolder) },
      ...{ cacheFolder: changed(cacheFolder), weightsPath: changed(weightsPath) },
    },
  };
}
