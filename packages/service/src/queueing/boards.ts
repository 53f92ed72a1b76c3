// Both queues as an administrator sees them.
import { Queue } from "bullmq";
import { queueNames, redisConnection } from "./queues.js";

export interface Boards {
  readonly queues: readonly Queue[];
  close(): Promise<void>;
}

/** @throws InputError where the address is none of Redis */
export function openBoards(url: string): Boards {
  const queues = Object.values(queueNames).map(
    (name) => new Queue(name, { connection: redisConnection(url) }),
  );
  // Who asks for tasks says that Redis cannot be reached.
  for (const queue of queues) queue.on("error", () => undefined);
  return {
    queues,
    async close() {
      await Promise.all(queues.map((queue) => queue.close()));
    },
  };
}
