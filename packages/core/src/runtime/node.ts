// Runs models with onnxruntime-node. One of the two files that import onnxruntime.
import ort from "onnxruntime-node";
import type { Runtime, RuntimeTensor } from "./types.js";

const toTensor = ({ data, shape }: RuntimeTensor): ort.Tensor => new ort.Tensor("float32", data, [...shape]);

/** onnxruntime on the CPU of this machine. `run` blocks the JavaScript thread while it computes. */
export const nodeRuntime: Runtime = {
  async createSession(model, { threads = 0 } = {}) {
    const session = await ort.InferenceSession.create(model, {
      intraOpNumThreads: threads,
      // Patterns reserve the sum of all tensors at once: a training step took 3.8 GB with them, 2.2 GB without.
      enableMemPattern: false,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
    });
    return {
      async run(inputs, into = {}) {
        const feeds = Object.fromEntries(
          Object.entries(inputs).map(([name, tensor]) => [name, toTensor(tensor)]),
        );
        const fetches = Object.fromEntries(
          session.outputNames.map((name) => [name, name in into ? toTensor(into[name]) : null]),
        );
        const results = await session.run(feeds, fetches);
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
