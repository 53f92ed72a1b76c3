// Runs models with onnxruntime-node: on the CPU, WebGPU or CUDA.
import { availableParallelism } from "node:os";
import ort from "onnxruntime-node";
import { openSession } from "./onnxruntime.js";
import type { Runtime } from "./types.js";

/**
 * onnxruntime on this machine. `run` blocks the JavaScript thread while it computes. `auto` is CUDA or the CPU: whether
 * WebGPU's adapter is a graphics card or software slower than the CPU cannot be told from here.
 */
export const nodeRuntime: Runtime = {
  createSession(model, { threads = 0, device = "cpu" } = {}) {
    // Before the first session: a library that is not there is printed as an error, besides being thrown.
    ort.env.logLevel = "fatal";
    return openSession(ort, model, device, ["cuda", "cpu"], (device) => ({
      executionProviders: [device],
      // Left to itself, onnxruntime-node 1.30 computes on one thread, whatever the machine has.
      intraOpNumThreads: threads > 0 ? threads : availableParallelism(),
      // Patterns reserve the sum of all tensors at once: a training step took 3.8 GB with them, 2.2 GB without.
      enableMemPattern: false,
      graphOptimizationLevel: "all",
    }));
  },
};
