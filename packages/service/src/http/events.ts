// Server-sent events: each change of a job, and how far its segmentation is.
import type { FastifyReply } from "fastify";
import type { Job } from "../jobs/job.js";

/** A job as it is told to clients. */
export interface JobMessage {
  readonly id: string;
  readonly state: Job["state"] | "removed";
  readonly progress: Progress | null;
}

export interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}

/** A proxy closes a connection on which it hears nothing. */
const beatEveryMs = 15_000;
/** A client that does not read is let go when so much waits for it. */
const mostWaitingBytes = 1_000_000;

export class Events {
  readonly #clients = new Set<FastifyReply>();
  readonly #beat = setInterval(() => this.#send(": beat\n\n"), beatEveryMs).unref();
  /** How far running jobs are. */
  readonly progress = new Map<string, Progress>();

  get clients(): number {
    return this.#clients.size;
  }

  /** Lets a client listen until it goes. */
  add(reply: FastifyReply): void {
    reply.hijack();
    reply.raw.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-store",
      "X-Accel-Buffering": "no",
    });
    reply.raw.write("retry: 3000\n\n");
    this.#clients.add(reply);
    reply.raw.on("close", () => this.#clients.delete(reply));
    reply.raw.on("error", () => this.#clients.delete(reply));
  }

  tell(message: JobMessage): void {
    this.#send(`event: job\ndata: ${JSON.stringify(message)}\n\n`);
  }

  close(): void {
    clearInterval(this.#beat);
    for (const { raw } of this.#clients) raw.end();
    this.#clients.clear();
  }

  #send(text: string): void {
    for (const reply of this.#clients) {
      if (reply.raw.writableLength > mostWaitingBytes) reply.raw.destroy();
      else reply.raw.write(text);
    }
  }
}
