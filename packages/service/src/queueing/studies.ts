// A study in the queue.
import { InputError } from "@lnsnet/core/errors";
import { z } from "zod";
import { segmentTaskSchema } from "../segmenting/tasks.js";

/**
 * Folders are below the shared folder, so that it may be mounted elsewhere on each machine, or in the store; the model's path
 * is the same on every machine.
 */
export const studyTaskSchema = segmentTaskSchema
  .omit({ threads: true })
  .extend({ longestSeconds: z.number(), isStored: z.boolean() });
export type StudyTask = Readonly<z.infer<typeof studyTaskSchema>>;

/** What a worker answers, where the study was segmented. */
export const studyResultSchema = z.object({
  nodes: z.number(),
  seconds: z.number(),
  remarks: z.array(z.string()),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), bytes: z.number() })),
  /** Where the results are in the store; null where they are in the shared folder. */
  place: z.string().nullable(),
});

/** @throws InputError where a folder is none of a job of the service */
export function requireJobFolders({ input, results }: StudyTask): void {
  const leadsOut = [input, results].find(
    (path) => !/^jobs\/[\w-]+\/[\w./-]+$/.test(path) || path.includes(".."),
  );
  if (leadsOut !== undefined)
    throw new InputError(`The queue holds a job that leads out of the shared folder (${leadsOut}).`);
}
