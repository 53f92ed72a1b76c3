// Measures nodes away from the page's own thread, which goes on answering meanwhile.
import type { Volume } from "@lnsnet/core/volume";
import type { NodeMeasurement } from "@lnsnet/core/voxels";
import { expose } from "comlink";
import { createMeasurer, type MeasuringInput } from "./measures.js";

let measurer: ((input: MeasuringInput) => NodeMeasurement) | null = null;

const worker = {
  /** Takes the coarse scan, of which the body's midline is found. */
  open(coarse: Volume): void {
    measurer = createMeasurer(coarse);
  },
  measure(input: MeasuringInput): NodeMeasurement {
    if (measurer === null) throw new Error("No scan is open.");
    return measurer(input);
  },
};

/** What the page calls. */
export type MeasuringWorker = typeof worker;

expose(worker);
