// The smallest task that can be learned: a bright ball in noise, by two convolutions.
import { instanceNorm } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { leakyRelu, multiply } from "../graph/operations/elementwise.js";
import { reshape } from "../graph/operations/layout.js";
import { convolutionLayer, pointwiseLayer } from "../networks/blocks/layers.js";
import type { NetworkBuilder } from "../networks/builder.js";
import { he } from "../networks/initialization.js";
import type { NetworkOutputs } from "../networks/network.js";
import { indexedStream, uniform } from "../random.js";
import type { TrainingBatch } from "./trainer.js";

const edge = 8;
export const imageShape = [1, 1, edge, edge, edge];

/** Two convolutions with a norm between and a branch that is dropped at random. */
export function tinyNetwork(image: Value, builder: NetworkBuilder): NetworkOutputs {
  const first = within("first", () =>
    convolutionLayer(image, 4, builder, { bias: false, initialization: he() }),
  );
  const active = leakyRelu(within("norm", () => instanceNorm(first, builder.affine(4))));
  const mask = builder.mask("keep", [1, 1], 0.2);
  const kept = mask ? multiply(active, reshape(mask, [1, 1, 1, 1, 1])) : active;
  return { logits: within("second", () => pointwiseLayer(kept, 1, builder)) };
}

/** Batch number `index`: noise with a brighter ball, whose voxels are the label. */
export function tinyBatch(index: number): TrainingBatch {
  const random = indexedStream(11, index);
  const centre = [0, 1, 2].map(() => uniform(random, 2, 6));
  const label = Float32Array.from({ length: edge ** 3 }, (_, n) => {
    const at = [n % edge, Math.floor(n / edge) % edge, Math.floor(n / edge ** 2)];
    return Math.hypot(...at.map((x, axis) => x - centre[axis])) < 2 ? 1 : 0;
  });
  const image = label.map((inside) => inside + uniform(random, -0.5, 0.5));
  return { image, label };
}
