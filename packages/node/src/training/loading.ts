// Prepares scans and batches ahead in worker threads, because the training step blocks the main thread.
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { BatchPlan, BatchSource, PreparedCase, TrainingBatch } from "@lnsnet/core/sampling";
import type { CacheSettings } from "../datasets/cache.js";
import type { Case, Dataset } from "../datasets/dataset.js";
import type { Job } from "../work/job.js";
import { runInWorkers } from "../work/pool.js";
import type { BatchMessage } from "./batch-worker.js";
import type { KeptCase, PrepareTask } from "./prepare-worker.js";

export interface PrepareOptions extends CacheSettings {
  /** Worker threads; 2 by default. */
  readonly threads?: number;
  /** Takes the cases from here, where `lnsnet preprocess` put them. */
  readonly cacheFolder?: string | null;
  /** Names of the stations that labels tell apart; null or none leaves them as they are. */
  readonly stations?: readonly string[];
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
  { spacingMm, window, channels, threads = 2, cacheFolder = null, leftOut, stations = [] }: PrepareOptions,
  job: Job = {},
): Promise<PreparedCase[]> {
  const settings = { spacingMm, window, channels, cacheFolder, leftOut, stations };
  const tasks = cases.map((scan): PrepareTask => ({ case: scan, labels, ...settings }));
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
  {
    spacingMm,
    window,
    channels,
    leftOut,
    threads = 2,
    cacheFolder,
  }: PrepareOptions & { readonly cacheFolder: string },
  job: Job = {},
): Promise<number> {
  const kept = await runInWorkers<PrepareTask, KeptCase>(
    cases.map((scan) => ({
      ...{ case: scan, labels, spacingMm, window, channels, leftOut, cacheFolder, stations: [] },
    })),
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

/** Batches made ahead of need. The result is the same whatever the number of threads. */
export interface BatchLoader extends BatchSource {
  /** Stops the threads. */
  close(): Promise<void>;
}

/**
 * Starts worker threads that make batches ahead.
 *
 * Requests for `ahead` batches are queued at the workers up front, so that they go on while `run()` of ONNX Runtime
 * blocks this thread; what has arrived meanwhile is taken from the ports without waiting for the event loop. Where the
 * next batch asked for is not the one after the last, batches are made from there on.
 *
 * @param plan its cases must lie in shared memory, as those of {@link prepareCases} do; else every thread copies them
 */
export function createBatchLoader(
  plan: BatchPlan,
  { threads = 1, ahead = 4 }: { readonly threads?: number; readonly ahead?: number } = {},
): BatchLoader {
  const ready = new Map<number, TrainingBatch>();
  let failure: Error | null = null;
  let wake: () => void = () => undefined;
  let expected = 0;
  let requested = 0;

  const accept = ({ index, image, label }: BatchMessage): void => {
    // After a jump, batches of the old place may still arrive.
    if (index >= expected && index < requested) ready.set(index, { image, label });
    wake();
  };
  const fail = (error: Error): void => {
    failure ??= error;
    wake();
  };
  const lanes = Array.from({ length: threads }, () => startWorker(plan, accept, fail));
  const arrival = async (index: number): Promise<TrainingBatch> => {
    for (;;) {
      for (const { port } of lanes) drain(port, accept);
      const batch = ready.get(index);
      if (batch !== undefined) return batch;
      if (failure !== null) throw failure;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  return {
    async next(index) {
      if (index !== expected) {
        ready.clear();
        requested = index;
      }
      expected = index;
      for (; requested < index + ahead; requested++) lanes[requested % threads].port.postMessage(requested);
      const batch = await arrival(index);
      ready.delete(index);
      expected = index + 1;
      return batch;
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
