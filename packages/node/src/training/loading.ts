// Scans and batches ahead of the training step, made in worker threads: the step itself blocks the main one.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Vector3 } from "@lnsnet/core";
import type { PreparedCase } from "@lnsnet/core/training";
import type { IntensityWindow } from "@lnsnet/core/transforms";
import type { Case, Dataset } from "../datasets/dataset.js";
import type { Job } from "../work/job.js";
import { runInWorkers } from "../work/pool.js";
import type { Batch, BatchMessage, BatchPlan } from "./batch-worker.js";
import type { KeptCase, PrepareTask } from "./prepare-worker.js";

export type { BatchPlan } from "./batch-worker.js";

export interface PrepareOptions {
  readonly spacingMm: Vector3;
  readonly window: IntensityWindow;
  /** Worker threads; 2 by default. */
  readonly threads?: number;
  /** Takes the cases from here, where `lnsnet preprocess` put them. */
  readonly cacheFolder?: string | null;
}

/**
 * Reads cases and brings them to the working grid, in memory that threads share.
 *
 * @throws InputError where a case cannot be used, or the cache does not hold it as its files are now; the
 *   signal's reason
 */
export async function prepareCases(
  { labels }: Pick<Dataset, "labels">,
  cases: readonly Case[],
  { spacingMm, window, threads = 2, cacheFolder = null }: PrepareOptions,
  job: Job = {},
): Promise<PreparedCase[]> {
  const tasks = cases.map((one): PrepareTask => ({ case: one, labels, spacingMm, window, cacheFolder }));
  return runInWorkers<PrepareTask, PreparedCase>(
    tasks,
    { worker: prepareWorker, threads, stage: "prepare", unit: "scan", textOf: ({ id }) => id },
    job,
  );
}

/**
 * Brings cases to the working grid and keeps them in a cache; those that it already holds are left as they are.
 *
 * @returns how many were written
 * @throws InputError where a case cannot be used, or the folder cannot be written to; the signal's reason
 */
export async function fillCache(
  { labels }: Pick<Dataset, "labels">,
  cases: readonly Case[],
  { spacingMm, window, threads = 2, cacheFolder }: PrepareOptions & { readonly cacheFolder: string },
  job: Job = {},
): Promise<number> {
  const kept = await runInWorkers<PrepareTask, KeptCase>(
    cases.map((one) => ({ case: one, labels, spacingMm, window, cacheFolder })),
    {
      worker: prepareWorker,
      name: "keep",
      threads,
      stage: "preprocess",
      unit: "scan",
      textOf: ({ id }) => id,
    },
    job,
  );
  return kept.filter(({ written }) => written).length;
}

const prepareWorker = new URL("./prepare-worker.js", import.meta.url);

/** Batches by the number of their step, made ahead of need. */
export interface BatchLoader {
  /**
   * The batch of a step. Steps are best asked for in order; any other step is made from there on. The result is the
   * same whatever the number of threads.
   */
  next(step: number): Promise<Batch>;
  /** Seconds that {@link next} has waited so far. */
  readonly waitedSeconds: number;
  /** Stops the threads. */
  close(): Promise<void>;
}

/**
 * Starts worker threads that make batches ahead.
 *
 * Requests for `ahead` steps are queued at the workers up front, so that they go on while `run()` of ONNX Runtime
 * blocks this thread; what has arrived meanwhile is taken from the ports without waiting for the event loop.
 *
 * @param plan its cases must lie in shared memory, as those of {@link prepareCases} do; else every thread copies them
 */
export function createBatchLoader(
  plan: BatchPlan,
  { threads = 1, ahead = 4 }: { readonly threads?: number; readonly ahead?: number } = {},
): BatchLoader {
  const ready = new Map<number, Batch>();
  let failure: Error | null = null;
  let wake: () => void = () => undefined;
  let expected = 0;
  let requested = 0;
  let waitedSeconds = 0;

  const accept = ({ step, image, label }: BatchMessage): void => {
    // After a jump, batches of the old place may still arrive.
    if (step >= expected && step < requested) ready.set(step, { image, label });
    wake();
  };
  const fail = (error: Error): void => {
    failure ??= error;
    wake();
  };
  const lanes = Array.from({ length: threads }, () => startWorker(plan, accept, fail));

  return {
    async next(step) {
      if (step !== expected) {
        ready.clear();
        requested = step;
      }
      expected = step;
      for (; requested < step + ahead; requested++) lanes[requested % threads].port.postMessage(requested);
      const start = performance.now();
      let batch: Batch | undefined;
      for (;;) {
        for (const { port } of lanes) drain(port, accept);
        batch = ready.get(step);
        if (batch !== undefined) break;
        if (failure !== null) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      waitedSeconds += (performance.now() - start) / 1000;
      ready.delete(step);
      expected = step + 1;
      return batch;
    },
    get waitedSeconds() {
      return waitedSeconds;
    },
    async close() {
      fail(new Error("The batch loader is closed."));
      await Promise.all(
        lanes.map(({ port, worker }) => {
          port.close();
          return worker.terminate();
        }),
      );
    },
  };
}

function startWorker(
  plan: BatchPlan,
  accept: (message: BatchMessage) => void,
  fail: (error: Error) => void,
): { port: MessagePort; worker: Worker } {
  const { port1: port, port2: batchPort } = new MessageChannel();
  const worker = new Worker(new URL("./batch-worker.js", import.meta.url), {
    workerData: { batchPort, plan },
    transferList: [batchPort],
  });
  port.on("message", accept);
  worker.on("error", fail);
  worker.on("exit", (code) => fail(new Error(`The loading thread ended early, with code ${code}.`)));
  return { port, worker };
}

function drain(port: MessagePort, accept: (message: BatchMessage) => void): void {
  for (;;) {
    const received: { message: BatchMessage } | undefined = receiveMessageOnPort(port);
    if (received === undefined) return;
    accept(received.message);
  }
}
