// The options by which a command lets workers do its work, and how it is given to them.
import { InputError } from "@lnsnet/core/errors";
import type { Spreading } from "@lnsnet/service/queueing";
import type { ArgsDef } from "citty";
import { loadQueueing } from "./service-package.js";
import { printNote } from "./terminal/terminal.js";

/** For commands that can give their work to workers. */
export const queueArguments = {
  queue: {
    type: "string",
    description:
      "let workers do the work: address of Redis, such as redis://10.0.0.7:6379, or the name of a variable that holds it, which keeps a password off the command line",
    valueHint: "URL",
  },
  shared: {
    type: "string",
    description:
      "with --queue: the folder that all workers see, which holds what is read and written; by default the current one",
    valueHint: "FOLDER",
  },
} as const satisfies ArgsDef;

interface QueueValues {
  readonly queue?: string | undefined;
  readonly shared?: string | undefined;
  readonly foreground?: string | undefined;
}

/** The address of a queue, where it is given or the variable by its name is set. */
export const queueAddress = (given: string): string => process.env[given] ?? given;

/**
 * Runs work with those who do it elsewhere; null where this process does it.
 *
 * @throws InputError where the queue's address cannot be used, or the package of the service is not installed
 */
export async function withWorkers<Result>(
  { queue, shared, foreground }: QueueValues,
  work: (workers: Spreading | null) => Promise<Result>,
): Promise<Result> {
  if (queue === undefined) {
    if (shared !== undefined)
      throw new InputError("--shared says what workers see and needs --queue; give both or neither.");
    return work(null);
  }
  const { openSpreading } = await loadQueueing();
  const workers = openSpreading({
    queue: queueAddress(queue),
    shared: shared ?? ".",
    foreground: foreground ?? null,
    log: printNote,
  });
  try {
    return await work(workers);
  } finally {
    await workers.close();
  }
}
