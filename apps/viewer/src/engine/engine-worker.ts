// The worker: a workbench on onnxruntime-web, called by the engine of the page.

import "./no-evaluation.js";
import charlsUrl from "@cornerstonejs/codec-charls/decodewasm?url";
import jpegUrl from "@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm?url";
import openjpegUrl from "@cornerstonejs/codec-openjpeg/decodewasm?url";
import openjphUrl from "@cornerstonejs/codec-openjph/wasm?url";
import { InputError } from "@lnsnet/core";
import { locateCodecs } from "@lnsnet/core/formats";
import clickerUrl from "@lnsnet/models/clicker.safetensors?url";
import finderUrl from "@lnsnet/models/finder.safetensors?url";
import { interruptibleRuntime } from "@lnsnet/web";
import { expose } from "comlink";
import type { EngineJob } from "./answers.js";
import { type ShippedModel, Workbench } from "./workbench.js";

const codecUrls = [openjpegUrl, openjphUrl, charlsUrl, jpegUrl];
locateCodecs((name) => {
  // A bundler may put a hash into the name of a file.
  const [stem] = name.split(".");
  return codecUrls.find((url) => url.slice(url.lastIndexOf("/") + 1).startsWith(stem)) ?? name;
});

const modelUrls: Readonly<Record<ShippedModel, string>> = { finder: finderUrl, clicker: clickerUrl };

/** Put in by the build. */
declare const LNSNET_VERSION: string;

/** Half of the processors, which are the cores of most machines, but both of two. Only an isolated page has threads. */
const threads = crossOriginIsolated
  ? Math.min(navigator.hardwareConcurrency, Math.max(2, Math.min(8, navigator.hardwareConcurrency / 2)))
  : 1;

const workbench = new Workbench({
  runtime: interruptibleRuntime,
  threads: Math.floor(threads),
  version: LNSNET_VERSION,
  async shippedModel(name, signal) {
    const response = await fetch(modelUrls[name], { signal: signal ?? null });
    if (!response.ok)
      throw new InputError(
        `The model that comes with this page cannot be loaded (status ${response.status}); load the page again.`,
      );
    return new Uint8Array(await response.arrayBuffer());
  },
});

/** A call of the workbench by its name. */
export type WorkbenchCall = {
  [Name in keyof Workbench]: Workbench[Name] extends (
    input: infer Input,
    job: EngineJob,
  ) => Promise<infer Answer>
    ? { readonly name: Name; readonly input: Input; readonly answer: Answer }
    : never;
}[keyof Workbench];

const stops = new Map<number, AbortController>();

const server = {
  /** Calls the workbench. Functions are the page's, and each is an argument of its own, as comlink needs them. */
  async call(
    number: number,
    name: WorkbenchCall["name"],
    input: unknown,
    onProgress: EngineJob["onProgress"],
    onNodes: EngineJob["onNodes"],
    onLearning: EngineJob["onLearning"],
    log: EngineJob["log"],
  ): Promise<unknown> {
    const stop = new AbortController();
    stops.set(number, stop);
    const call = workbench[name].bind(workbench) as (input: unknown, job: EngineJob) => Promise<unknown>;
    try {
      return await call(input, { onProgress, onNodes, onLearning, log, signal: stop.signal });
    } finally {
      stops.delete(number);
    }
  },
  stop(number: number): void {
    stops.get(number)?.abort(new InputError("Stopped."));
  },
};

export type EngineServer = typeof server;

expose(server);
