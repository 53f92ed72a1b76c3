// Starts the worker that measures the nodes of a scan.
import type { Volume } from "@lnsnet/core/volume";
import { wrap } from "comlink";
import type { Measure } from "./live-measures.js";
import { coarseScan } from "./measures.js";
import type { MeasuringWorker } from "./measuring-worker.js";

/** A worker that measures nodes of one scan until it is ended. */
export interface Measuring {
  readonly measure: Measure;
  end(): void;
}

/** @param scan HU */
export function startMeasuring(scan: Volume): Measuring {
  const worker = new Worker(new URL("./measuring-worker.ts", import.meta.url), { type: "module" });
  const remote = wrap<MeasuringWorker>(worker);
  const opened = remote.open(coarseScan(scan));
  return {
    measure: async (input) => {
      await opened;
      return remote.measure(input);
    },
    end: () => worker.terminate(),
  };
}
