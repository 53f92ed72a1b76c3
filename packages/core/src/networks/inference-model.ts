// A trained network as a model that a runtime loads.
import { emitOnnx, type OnnxModelOptions } from "../graph/onnx.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork, type NetworkSpecification, partsOf } from "./catalogue.js";

/**
 * An ONNX model from `image` to `logits`, weights inside, for what will run it.
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

/** Whether weights that were trained on patches of one size serve images of another: those of some networks belong to places in the patch. */
export function fitsSize(
  specification: NetworkSpecification,
  weights: ReadonlyMap<string, Float32Array>,
  size: Shape,
): boolean {
  const { parameters, buffers } = partsOf(specification, size);
  return [...parameters, ...buffers].every(({ name, shape }) => weights.get(name)?.length === sizeOf(shape));
}
