// Runs models with onnxruntime-node: on the CPU, WebGPU or CUDA.
import { availableParallelism } from "node:os";
import ort from "onnxruntime-node";
import { openSession } from "./onnxruntime.js";
import type { Runtime } from "./types.js";

/**
 * onnxruntime-node on this machine. `run` blocks the JavaScript thread while it computes. `auto` is CUDA or the CPU, but
 * not WebGPU, whose adapter may be software that is slower than the CPU, which cannot be detected here.
 */
export const nodeRuntime: Runtime = {
  createSession(model, { threads = 0, device = "cpu" } = {}) {
    // Before the first session: a missing library is not only thrown but also printed as an error.
    ort.env.logLevel = "fatal";
    return openSession(
      () => Promise.resolve(ort),
      model,
      device,
      ["cuda", "cpu"],
      (device) => ({
        executionProviders: [device],
        // By default onnxruntime-node 1.30 uses a single thread, however many cores there are.
        intraOpNumThreads: threads > 0 ? threads : availableParallelism(),
        // Memory patterns reserve the sum of all tensors at once: a training step took 3.8 GB with them, 2.2 GB without.
        enableMemPattern: false,
        graphOptimizationLevel: "all",
      }),
    );
  },
};
