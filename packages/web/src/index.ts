// What `import … from "@lnsnet/web"` gives: the library in a browser, on onnxruntime-web.
import {
  openPredictor as openOn,
  type Predictor,
  type Runtime,
  type SessionOptions,
  type TrainedModel,
} from "@lnsnet/core";
import { waitingRuntime } from "@lnsnet/core/runtime";
import { webRuntime } from "@lnsnet/core/web";

export * from "@lnsnet/core";
export { fetchModel } from "./fetch-model.js";

/**
 * Loads models, on WebAssembly unless another device is asked for; several are averaged.
 *
 * @param models from {@link fetchModel} or `readModel`; at least one
 * @throws InputError where there is no model, models differ in spacing, patch or window, or there is no such device
 */
export function openPredictor(
  models: readonly TrainedModel[],
  options: SessionOptions = {},
): Promise<Predictor> {
  return openOn(models, interruptibleRuntime, options);
}

/**
 * onnxruntime-web computes a run on WebAssembly without giving events a turn, so that an abort would wait for the last
 * patch; here each run waits for a turn first.
 */
export const interruptibleRuntime: Runtime = waitingRuntime(
  webRuntime,
  () => new Promise((resolve) => setTimeout(resolve)),
);
