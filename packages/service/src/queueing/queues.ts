// The queues on Redis: their names, what a job in them is, and how Redis is reached.
import { InputError } from "@lnsnet/core/errors";
import { packageVersion } from "@lnsnet/node/work";
import { z } from "zod";

/** Studies of a service; folds and cases of experiments. */
export const queueNames = { studies: "lnsnet-studies", experiments: "lnsnet-experiments" } as const;
export type QueueKind = keyof typeof queueNames;

/** A task in a queue. */
export interface QueuedJob<Task> {
  /** Of lnsnet: services, commands and workers of one queue are of one version. */
  readonly version: string;
  readonly task: Task;
  /** Set when nobody wants the result any more. */
  readonly isStopped: boolean;
}

/** What a worker answers. */
export type QueuedAnswer =
  | { readonly kind: "done"; readonly result: unknown }
  /** Input that a person must correct. */
  | { readonly kind: "refused"; readonly sentence: string };

export const queuedJob = <Task>(task: Task): QueuedJob<Task> => ({
  version: packageVersion(),
  task,
  isStopped: false,
});

/** @throws InputError where another program, or another version, put something else into the queue */
export function checkedTask<Task>(data: unknown, schema: z.ZodType<Task>): Task {
  const jobSchema = z.object({ version: z.literal(packageVersion()), task: schema });
  const { success, data: job } = jobSchema.safeParse(data);
  if (!success)
    throw new InputError(
      `The queue holds a job that lnsnet ${packageVersion()} does not understand; let all that use the queue be of one version.`,
    );
  return job.task;
}

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
