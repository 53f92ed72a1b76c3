// What `import … from "lnsnet"` gives in Node: the library, on onnxruntime-node and with files.
import {
  openPredictor as openOn,
  type Predictor,
  type SessionOptions,
  type TrainedModel,
} from "@lnsnet/core";
import { nodeRuntime } from "@lnsnet/core/node";
import { loadModel, type StoredModel } from "@lnsnet/node/files";
import { type ShippedModelName, shippedModelPath } from "@lnsnet/node/segmenting";

export * from "@lnsnet/core";
export { loadModel, readImage, readScan } from "@lnsnet/node/files";

/**
 * Loads models, on the CPU unless another device is asked for; several are averaged.
 *
 * @param models from {@link shippedModel}, {@link loadModel} or `readModel`; at least one
 * @throws InputError where there is no model, models differ in spacing, patch or window, or there is no such device
 */
export function openPredictor(
  models: readonly TrainedModel[],
  options: SessionOptions = {},
): Promise<Predictor> {
  return openOn(models, nodeRuntime, options);
}

/**
 * A model that ships with the package: "finder" finds nodes in whole scans, "clicker" outlines what is clicked. Neither
 * was trained on nodes that a person drew.
 */
export function shippedModel(name: ShippedModelName = "finder"): Promise<StoredModel> {
  return loadModel(shippedModelPath(name));
}
