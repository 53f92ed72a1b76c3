// The page's side of the worker: each call of the workbench as a function that is stopped by a signal.
import { InputError } from "@lnsnet/core";
import { proxy, wrap } from "comlink";
import type { EngineJob } from "./answers.js";
import type { EngineServer, WorkbenchCall } from "./engine-worker.js";
import EngineWorker from "./engine-worker.js?worker";

type CallOf<Name extends WorkbenchCall["name"]> = Extract<WorkbenchCall, { readonly name: Name }>;

type CallsOf<Name extends WorkbenchCall["name"]> = (
  input: CallOf<Name>["input"],
  job?: EngineJob,
) => Promise<CallOf<Name>["answer"]>;

/**
 * The calls of the {@link Workbench}, which say what they do. Each throws an `InputError` whose sentence is for the person,
 * the signal's reason where it was stopped, or an error that is a fault of ours.
 */
export type Engine = { readonly [Name in WorkbenchCall["name"]]: CallsOf<Name> } & {
  /** Ends the worker; calls that are not answered fail. */
  readonly close: () => void;
};

/** Starts the worker. */
export function createEngine(): Engine {
  const worker = new EngineWorker();
  const server = wrap<EngineServer>(worker);
  let calls = 0;
  const failures = new Set<(error: Error) => void>();
  const failAll = (error: Error) => {
    for (const fail of failures) fail(error);
  };
  worker.addEventListener("error", (event) => {
    failAll(new InputError(STOPPED_WORKER, { cause: event.error }));
  });

  async function call(name: WorkbenchCall["name"], input: unknown, job: EngineJob = {}): Promise<unknown> {
    const { signal, onProgress, onNodes, onLearning, log } = job;
    signal?.throwIfAborted();
    const number = ++calls;
    const stop = () => server.stop(number);
    signal?.addEventListener("abort", stop, { once: true });
    let fail: (error: Error) => void = () => undefined;
    const failed = new Promise<never>((_, reject) => {
      fail = reject;
      failures.add(fail);
    });
    try {
      return await Promise.race([
        server.call(
          number,
          name,
          input,
          proxied(onProgress),
          proxied(onNodes),
          proxied(onLearning),
          proxied(log),
        ),
        failed,
      ]);
    } catch (error) {
      signal?.throwIfAborted();
      throw asThrown(error);
    } finally {
      failures.delete(fail);
      signal?.removeEventListener("abort", stop);
    }
  }

  const named =
    <Name extends WorkbenchCall["name"]>(name: Name): CallsOf<Name> =>
    (input, job) =>
      call(name, input, job) as Promise<CallOf<Name>["answer"]>;
  return {
    list: named("list"),
    read: named("read"),
    readBeside: named("readBeside"),
    picture: named("picture"),
    adopt: named("adopt"),
    closeScan: named("closeScan"),
    openModel: named("openModel"),
    closeModel: named("closeModel"),
    segmentAt: named("segmentAt"),
    atThreshold: named("atThreshold"),
    findAll: named("findAll"),
    rest: named("rest"),
    searchAtThreshold: named("searchAtThreshold"),
    align: named("align"),
    compare: named("compare"),
    learn: named("learn"),
    modelFile: named("modelFile"),
    save: named("save"),
    summary: named("summary"),
    close() {
      worker.terminate();
      failAll(new Error("the engine was closed"));
    },
  };
}

/** A function of the page that the worker may call. */
const proxied = <Teller extends ((value: never) => void) | undefined>(teller: Teller): Teller =>
  (teller === undefined ? teller : proxy(teller)) as Teller;

const STOPPED_WORKER =
  "The part of the page that computes has stopped, as it does when memory runs out; save your work, and load the page again.";

/** Errors lose their class on the way from the worker. */
function asThrown(error: unknown): unknown {
  return error instanceof Error && error.name === "InputError"
    ? new InputError(error.message, { cause: error })
    : error;
}
