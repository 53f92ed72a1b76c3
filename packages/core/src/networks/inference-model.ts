// A trained network as a model that a runtime loads.
import { emitOnnx, type OnnxModelOptions } from "../graph/onnx.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork, type NetworkSpecification, partsOf } from "./catalogue.js";

/**
 * An ONNX model from `image` to `logits` with its weights, for the device that will run it.
 *
 * @param weights parameters and running statistics by name
 */
export function inferenceModel(
  specification: NetworkSpecification,
  imageShape: Shape,
  weights: ReadonlyMap<string, Float32Array>,
  options: Pick<OnnxModelOptions, "target" | "metadata"> = {},
): Uint8Array {
  const image = input("image", imageShape);
  const { logits } = buildNetwork(specification, image, new NetworkBuilder(false));
  return emitOnnx({ inputs: [image], outputs: { logits }, weights, ...options });
}

/** Whether weights fit images of a size that they were not trained on: some networks have weights for each position in a patch. */
export function fitsSize(
  specification: NetworkSpecification,
  weights: ReadonlyMap<string, Float32Array>,
  size: Shape,
): boolean {
  const { parameters, buffers } = partsOf(specification, size);
  return [...parameters, ...buffers].every(({ name, shape }) => weights.get(name)?.length === sizeOf(shape));
}
