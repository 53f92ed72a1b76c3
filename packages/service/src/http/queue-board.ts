// bull-board, which shows the queues on Redis: behind the same login as everything else, and reading only.
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { Queue } from "bullmq";
import type { FastifyInstance } from "fastify";

const basePath = "/queue";

/** Pages below /queue/. They state nothing of who may see them, and so are for those who may administer. */
export async function queueBoard(server: FastifyInstance, queues: readonly Queue[]): Promise<void> {
  const board = new FastifyAdapter();
  // Jobs are cancelled and tried again in the worklist, whose records are what counts.
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: board,
    options: { uiConfig: { boardTitle: "lnsnet" } },
  });
  board.setBasePath(basePath);
  await server.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.schema = { ...route.schema, hide: true };
    });
    await scope.register(board.registerPlugin(), { prefix: basePath });
  });
}
