// The model for validation during training: the weights are an input, so one session is enough for the whole run.
import { emitOnnx } from "../graph/onnx.js";
import { input } from "../graph/operations/leaves.js";
import type { Shape } from "../graph/shape.js";
import { NetworkBuilder } from "../networks/builder.js";
import type { BuildNetwork } from "./step.js";
import { flatCount, inFlatOrder, viewsOf } from "./weights.js";

/** A model from `image`, the flat vector `theta` and the running statistics by their names to `logits`, in inference mode. */
export function forwardModel(build: BuildNetwork, imageShape: Shape): Uint8Array {
  const builder = new NetworkBuilder(false);
  const image = input("image", imageShape);
  const { logits } = build(image, builder);
  const parameters = inFlatOrder(builder.parameters);
  const theta = input("theta", [flatCount(parameters)]);
  return emitOnnx({
    inputs: [image, theta, ...builder.buffers.map((buffer) => buffer.value)],
    outputs: { logits },
    bindings: viewsOf(theta, parameters),
  });
}
