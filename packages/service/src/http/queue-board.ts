// bull-board, which shows the queues on Redis: behind the same login as everything else, and reading only.
import { createBullBoard } from "@bull-board/api";
import { BullMQAdapter } from "@bull-board/api/bullMQAdapter";
import { FastifyAdapter } from "@bull-board/fastify";
import type { Queue } from "bullmq";
import type { FastifyInstance } from "fastify";
import { contentPolicy } from "./content-policy.js";

const basePath = "/queue";

const foreignFont = /<link href="https:\/\/fonts\.googleapis\.com[^>]*>/;

/** bull-board states styles in its page, and a base for its addresses. */
const boardPolicy = contentPolicy("style-src 'self' 'unsafe-inline'; img-src 'self' data:", "'self'");

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
    scope.addHook("onSend", async (_request, reply, payload) => {
      reply.header("Content-Security-Policy", boardPolicy);
      // Its page asks another origin for a font, which the policy forbids; the browser's own does as well.
      return typeof payload === "string" ? payload.replace(foreignFont, "") : payload;
    });
    scope.addHook("onRoute", (route) => {
      route.schema = { ...route.schema, hide: true };
    });
    await scope.register(board.registerPlugin(), { prefix: basePath });
  });
}
