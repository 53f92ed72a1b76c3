// How benchmarks time the segmentation of a whole scan: seconds, patches that the network computes, and memory.
import {
  openPredictor,
  type Predictor,
  type Runtime,
  type Segmentation,
  segment,
  type TrainedModel,
  type Volume,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";

/** A measurement. */
export interface TimedRow {
  readonly what: string;
  readonly patches: number | null;
  readonly seconds: number;
  /** The largest resident set of the process so far. */
  readonly peak_mb: number | null;
}

export const timedColumns = [
  { key: "what" as const, title: "what" },
  { key: "patches" as const, title: "patches" },
  { key: "seconds" as const, title: "seconds", format: (value: number) => value.toFixed(2) },
  { key: "peak_mb" as const, title: "peak", unit: "MB", format: (value: number) => value.toFixed(0) },
];

interface TimedOptions {
  readonly overlap: number;
  readonly searched: "neck" | "everything";
  /** A coarse network that says where to look; null for everywhere. */
  readonly proposer?: Predictor | null;
}

/** A predictor whose patches are counted. */
export interface TimedPredictor {
  readonly predictor: Predictor;
  readonly timeWholeScan: (
    scan: Volume,
    options: TimedOptions,
  ) => Promise<{ readonly row: TimedRow; readonly instances: Segmentation["instances"] }>;
}

export async function openTimed(model: TrainedModel, threads: number): Promise<TimedPredictor> {
  const counter = { runs: 0 };
  const predictor = await openPredictor([model], counting(nodeRuntime, counter), { threads });
  return {
    predictor,
    timeWholeScan: async (scan, { overlap, searched, proposer = null }) => {
      counter.runs = 0;
      const start = performance.now();
      const { instances } = await segment(scan, predictor, { overlap, searched, proposer });
      const seconds = (performance.now() - start) / 1000;
      const row = {
        what: `lnsnet, ${searched}, overlap ${overlap}${proposer === null ? "" : ", where proposed"}`,
        patches: counter.runs,
        seconds,
        peak_mb: (process.resourceUsage().maxRSS * 1024) / 1e6,
      };
      return { row, instances };
    },
  };
}

/** A runtime that counts what the network really computes: patches of air are left out. */
function counting(runtime: Runtime, counter: { runs: number }): Runtime {
  return {
    createSession: async (model, options) => {
      const session = await runtime.createSession(model, options);
      return {
        ...session,
        run: (inputs) => {
          counter.runs++;
          return session.run(inputs);
        },
      };
    },
  };
}
