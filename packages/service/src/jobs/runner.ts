// Takes complete jobs through segmentation and sending, and writes each step to the journal first.
import { InputError } from "@lnsnet/core/errors";
import { isFullDisk } from "@lnsnet/node/disk";
import { type BackOff, waitAfter, waitUntil } from "./back-off.js";
import type { Job, JobFile, JobPlan } from "./job.js";
import type { Journal } from "./journal.js";
import { JobQueue, Stopped } from "./queue.js";

/** What a segmentation gave. */
export interface SegmentedJob {
  readonly nodes: number;
  readonly seconds: number;
  readonly files: readonly JobFile[];
  readonly remarks: readonly string[];
}

export interface RunnerOptions {
  readonly journal: Journal;
  /** Segments a job's input into its results folder. Twice gives the same files. @throws InputError where the input cannot be used */
  readonly segment: (job: Job, plan: JobPlan, signal: AbortSignal) => Promise<SegmentedJob>;
  /** Sends a job's DICOM results to a target; sending twice does no harm. @throws InputError where the target refuses */
  readonly send: (job: Job, target: string, signal: AbortSignal) => Promise<void>;
  /** How many jobs are segmented at a time. */
  readonly concurrency: number;
  readonly segmentingBackOff: BackOff;
  readonly sendingBackOff: BackOff;
  /** Milliseconds until jobs that wait for off-peak hours may begin. */
  readonly untilOffPeakMs: () => number;
  readonly now: () => Date;
  readonly log: (sentence: string, job: Job) => void;
  /** Told when not even the journal can be written to. */
  readonly trouble: (error: unknown) => void;
}

export class Runner {
  readonly #options: RunnerOptions;
  readonly #segmenting: JobQueue;
  /** A queue for each target, so that one that does not answer holds no other. */
  readonly #sending = new Map<string, JobQueue>();

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#segmenting = new JobQueue((id, signal) => this.#segment(id, signal), options.concurrency);
  }

  /** Goes on with what an earlier process left. */
  resume(): void {
    for (const job of this.#options.journal.list()) this.proceed(job);
  }

  /** Does what is next for a job, if anything is. */
  proceed(job: Job): void {
    if (job.plan === null) return;
    if (job.state === "queued" || job.state === "running") {
      const waitMs = waitUntil(job.retryAt, this.#options.now(), this.#options.segmentingBackOff);
      const delayMs = Math.max(waitMs, Math.min(this.#untilMayBegin(job.plan), mostOffPeakWaitMs));
      this.#segmenting.add(job.id, { priority: job.plan.priority, delayMs });
    }
    if (job.state !== "sending") return;
    for (const { target, state, retryAt } of job.deliveries) {
      if (state !== "waiting") continue;
      const delayMs = waitUntil(retryAt, this.#options.now(), this.#options.sendingBackOff);
      this.#queueOf(target).add(job.id, { priority: job.plan.priority, delayMs });
    }
  }

  #untilMayBegin({ offPeak }: JobPlan): number {
    return offPeak ? this.#options.untilOffPeakMs() : 0;
  }

  /** Stops all work on a job; the journal is not told. */
  async halt(id: string): Promise<void> {
    await this.#segmenting.cancel(id);
    for (const queue of this.#sending.values()) await queue.cancel(id);
  }

  /** Stops a job for good. @throws InputError where it is at rest already */
  async cancel(id: string, by: string): Promise<Job> {
    const job = this.#options.journal.get(id);
    if (job === null || !["receiving", "queued", "running", "sending"].includes(job.state))
      throw new InputError(`The job ${id} is ${job?.state ?? "gone"}, so there is nothing to cancel.`);
    await this.halt(id);
    return this.#options.journal.append(id, { event: "cancelled", by });
  }

  /** Begins a job again that failed or was cancelled. @throws InputError where it did not */
  async retry(id: string, by: string): Promise<Job> {
    const job = this.#options.journal.get(id);
    if (job === null || !["failed", "cancelled"].includes(job.state))
      throw new InputError(
        `The job ${id} is ${job?.state ?? "gone"}; only one that failed or was cancelled is tried again.`,
      );
    const again = await this.#options.journal.append(id, { event: "retried", by });
    this.proceed(again);
    return again;
  }

  get waiting(): number {
    return this.#segmenting.waiting;
  }

  async close(): Promise<void> {
    await Promise.all([this.#segmenting, ...this.#sending.values()].map((queue) => queue.close()));
  }

  #queueOf(target: string): JobQueue {
    const known = this.#sending.get(target);
    if (known !== undefined) return known;
    const queue = new JobQueue((id, signal) => this.#send(id, target, signal), 1);
    this.#sending.set(target, queue);
    return queue;
  }

  async #segment(id: string, signal: AbortSignal): Promise<void> {
    const { journal, segment, segmentingBackOff, now, log } = this.#options;
    const queued = journal.get(id);
    if (queued?.plan == null || !["queued", "running"].includes(queued.state)) return;
    const { plan } = queued;
    if (this.#untilMayBegin(plan) > 0) return this.#proceedSoon(id);
    await this.#orLog(queued, async () => {
      const job = await journal.append(id, { event: "started", attempt: queued.attempts + 1 });
      try {
        const { nodes, seconds, files, remarks } = await segment(job, plan, signal);
        signal.throwIfAborted();
        const entry = {
          event: "segmented" as const,
          nodes,
          seconds,
          files: [...files],
          remarks: [...remarks],
        };
        await journal.append(id, entry);
        this.#proceedSoon(id);
      } catch (error) {
        if (error instanceof Stopped || signal.aborted) return;
        const sentence = sentenceOf(error);
        // Somebody has taken it away.
        if (journal.get(id) === null) throw error;
        const waitMs = waitAfterFault(error, job.attempts, segmentingBackOff);
        const retryAt = waitMs === null ? null : new Date(now().getTime() + waitMs).toISOString();
        const failed = await journal.append(id, { event: "attempt failed", sentence, retryAt });
        log(sentence, failed);
        this.#proceedSoon(id);
      }
    });
  }

  async #send(id: string, target: string, signal: AbortSignal): Promise<void> {
    const { journal, send, sendingBackOff, now, log } = this.#options;
    const job = journal.get(id);
    const delivery = job?.deliveries.find((entry) => entry.target === target);
    if (job?.state !== "sending" || delivery?.state !== "waiting") return;
    await this.#orLog(job, async () => {
      try {
        await send(job, target, signal);
        signal.throwIfAborted();
        await journal.append(id, { event: "sent", target });
      } catch (error) {
        if (error instanceof Stopped || signal.aborted) return;
        const attempt = delivery.attempts + 1;
        const waitMs = waitAfter(attempt, sendingBackOff);
        const retryAt = waitMs === null ? null : new Date(now().getTime() + waitMs).toISOString();
        const sentence = sentenceOf(error);
        const failed = await journal.append(id, { event: "not sent", target, attempt, sentence, retryAt });
        log(`Not sent to ${target}: ${sentence}`, failed);
        this.#proceedSoon(id);
      }
    });
  }

  /** After the queue has let go of the job, so that it can be taken again. */
  #proceedSoon(id: string, waitMs = 0): void {
    setTimeout(() => {
      const job = this.#options.journal.get(id);
      if (job !== null) this.proceed(job);
    }, waitMs).unref();
  }

  /** Where not even the journal can be written to, such as on a full disk, the job stays as it was and is tried again later. */
  async #orLog(job: Job, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.trouble(error);
      this.#proceedSoon(job.id, 1000 * this.#options.segmentingBackOff.longestSeconds);
    }
  }
}

/** A full disk is waited for as long as it takes; what a person must correct is not tried again by itself. */
function waitAfterFault(error: unknown, attempts: number, backOff: BackOff): number | null {
  if (isFullDisk(error)) return 1000 * backOff.longestSeconds;
  return error instanceof InputError ? null : waitAfter(attempts, backOff);
}

/** After so long the clock is asked again, which may have been set. */
const mostOffPeakWaitMs = 600_000;

/** What a person reads of an error. */
function sentenceOf(error: unknown): string {
  if (error instanceof InputError) return error.message;
  const text = error instanceof Error ? error.message : String(error);
  return new InputError(text).message;
}
