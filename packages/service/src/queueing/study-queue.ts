// The queue of studies on Redis, by which one service and many workers share the work.
import { InputError } from "@lnsnet/core";
import { deviceChoices } from "@lnsnet/core/runtime";
import { dicomObjects } from "@lnsnet/node";
import { z } from "zod";

export const queueName = "lnsnet-segment-study";

const taskSchema = z.object({
  /** Folders below the shared folder, so that it may be mounted elsewhere on each machine. */
  input: z.string(),
  results: z.string(),
  /** A path that is the same on every machine; null for the shipped finder. */
  model: z.string().nullable(),
  outputs: z.array(z.enum(dicomObjects)),
  device: z.enum(deviceChoices),
  longestSeconds: z.number(),
  /** Set by the service when nobody wants the result any more. */
  isStopped: z.boolean(),
});

/** A study that waits for a worker. */
export type QueuedTask = Readonly<z.infer<typeof taskSchema>>;

/** @throws InputError where another program, or another version, put something else into the queue */
export function checkedTask(data: unknown): QueuedTask {
  const { success, data: task } = taskSchema.safeParse(data);
  if (!success)
    throw new InputError(
      "The queue holds a job of another form; let services and workers be of one version.",
    );
  const leadsOut = [task.input, task.results].some(
    (path) => !/^jobs\/[\w-]+\/[\w./-]+$/.test(path) || path.includes(".."),
  );
  if (leadsOut)
    throw new InputError(`The queue holds a job that leads out of the shared folder (${task.input}).`);
  return task;
}

/** What a worker answers. */
export type QueuedAnswer =
  | {
      readonly kind: "done";
      readonly nodes: number;
      readonly seconds: number;
      readonly remarks: readonly string[];
      readonly files: readonly { readonly name: string; readonly sha256: string; readonly bytes: number }[];
    }
  /** Input that a person must correct. */
  | { readonly kind: "refused"; readonly sentence: string };

/** How BullMQ reaches Redis: a server that goes away is waited for. @throws InputError where the address is none of Redis */
export function redisConnection(url: string): { readonly url: string; readonly maxRetriesPerRequest: null } {
  if (!URL.canParse(url) || !["redis:", "rediss:"].includes(new URL(url).protocol))
    throw new InputError(
      `The queue "${url.replace(/\/\/[^@/]*@/, "//…@")}" is no address such as redis://127.0.0.1:6379; correct it.`,
    );
  return { url, maxRetriesPerRequest: null };
}

/** A worker shows so often that it lives; of one that does not, the job goes to another. */
export const lockMs = 10_000;
