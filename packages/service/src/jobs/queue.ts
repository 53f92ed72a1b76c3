// The queue of one process: jobs by priority, a few at a time, each stopped by itself; a job that waits for its time waits here.
import PQueue from "p-queue";

/** What a queue does with a job when its turn comes. Never throws: what goes wrong is told to the journal. */
export type Work = (id: string, signal: AbortSignal) => Promise<void>;

export class JobQueue {
  readonly #queue: PQueue;
  readonly #work: Work;
  /** Jobs that wait or run, with what stops them. */
  readonly #stops = new Map<string, AbortController>();
  readonly #running = new Set<string>();
  #isClosed = false;

  /** @param concurrency how many jobs run at a time */
  constructor(work: Work, concurrency: number) {
    this.#work = work;
    this.#queue = new PQueue({ concurrency });
  }

  /** Lets a job wait for its turn. One that waits or runs already is left as it is. */
  add(id: string, { priority = 0, delayMs = 0 }: { priority?: number; delayMs?: number } = {}): void {
    if (this.#isClosed || this.#stops.has(id)) return;
    const stop = new AbortController();
    this.#stops.set(id, stop);
    if (delayMs <= 0) {
      this.#enqueue(id, priority, stop);
      return;
    }
    // Timers run on a clock that does not jump. Longer waits are taken in parts, which Node's timers need.
    const part = Math.min(delayMs, longestTimerMs);
    const timer = setTimeout(() => {
      this.#stops.delete(id);
      this.add(id, { priority, delayMs: delayMs - part });
    }, part);
    stop.signal.addEventListener("abort", () => {
      clearTimeout(timer);
      if (this.#stops.get(id) === stop) this.#stops.delete(id);
    });
  }

  #enqueue(id: string, priority: number, stop: AbortController): void {
    const run = async () => {
      if (stop.signal.aborted) return;
      this.#running.add(id);
      await this.#work(id, stop.signal);
    };
    this.#queue
      .add(run, { priority })
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(id);
        if (this.#stops.get(id) === stop) this.#stops.delete(id);
      });
  }

  /** Takes a job out, or stops it; returns when nothing works on it any more. */
  async cancel(id: string): Promise<void> {
    const stop = this.#stops.get(id);
    if (stop === undefined) return;
    const wasRunning = this.#running.has(id);
    stop.abort(new Stopped(true));
    if (!wasRunning) this.#stops.delete(id);
    while (this.#running.has(id)) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** How many wait for a free place. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Stops what runs, and starts nothing more; returns when nothing runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.clear();
    for (const stop of this.#stops.values()) stop.abort(new Stopped(false));
    await this.#queue.onIdle();
  }
}

/** The reason of a signal by which a job was stopped on purpose. */
export class Stopped extends Error {
  override readonly name = "Stopped";

  /** @param isCancelled whether nobody wants the result any more; else the service alone stops */
  constructor(readonly isCancelled: boolean) {
    super(isCancelled ? "cancelled" : "the service stops");
  }
}

const longestTimerMs = 2 ** 30;
