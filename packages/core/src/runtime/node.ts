// Runs models with onnxruntime-node. One of the two files that import onnxruntime.
import { availableParallelism } from "node:os";
import ort from "onnxruntime-node";
import type { Runtime, RuntimeTensor } from "./types.js";

const toTensor = ({ data, shape }: RuntimeTensor): ort.Tensor => new ort.Tensor("float32", data, [...shape]);

/** onnxruntime on the CPU of this machine. `run` blocks the JavaScript thread while it computes. */
export const nodeRuntime: Runtime = {
  async createSession(model, { threads = 0 } = {}) {
    const session = await ort.InferenceSession.create(model, {
      // Left to itself, onnxruntime-node 1.30 computes on one thread, whatever the machine has.
      intraOpNumThreads: threads > 0 ? threads : availableParallelism(),
      // Patterns reserve the sum of all tensors at once: a training step took 3.8 GB with them, 2.2 GB without.
      enableMemPattern: false,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    return {
      async run(inputs) {
        const feeds = Object.fromEntries(
          Object.entries(inputs).map(([name, tensor]) => [name, toTensor(tensor)]),
        );
        const results = await session.run(feeds);
        return Object.fromEntries(
          Object.entries(results).map(([name, { data, dims }]) => {
            if (!(data instanceof Float32Array)) throw new Error(`output ${name} is not float32`);
            return [name, { data, shape: dims }];
          }),
        );
      },
      release: () => session.release(),
    };
  },
};
