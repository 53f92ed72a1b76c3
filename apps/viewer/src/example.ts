// The example that the page opens: a phantom, made when it is asked for.
import type { Volume } from "@lnsnet/core/volume";
import ExampleWorker from "./example-worker.js?worker";

/** A synthetic CT of a neck with lymph nodes, in HU. It is the same every time. */
export function makeExample(): Promise<Volume> {
  const worker = new ExampleWorker();
  return new Promise<Volume>((resolve, reject) => {
    worker.addEventListener("message", ({ data }: MessageEvent<Volume>) => resolve(data));
    worker.addEventListener("error", ({ message }) => reject(new Error(message)));
  }).finally(() => worker.terminate());
}
