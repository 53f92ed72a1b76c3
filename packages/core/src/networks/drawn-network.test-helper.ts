// A network with weights and an image drawn from seeds, to be run in several ways.

import type { Target } from "../graph/graph.js";
import { drawNumbers } from "../graph/graph.test-helper.js";
import type { Shape } from "../graph/shape.js";
import type { RuntimeTensor } from "../runtime/types.js";
import { inferenceModel, type NetworkSpecification, parametersOf } from "./catalogue.js";

export interface DrawnNetwork {
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly model: (target: Target) => Uint8Array;
  readonly image: RuntimeTensor;
}

/** Weights spread as the network draws them at first, biases and norms a little off their first values. */
export function drawnNetwork(network: NetworkSpecification, size: Shape): DrawnNetwork {
  const weights = new Map(
    parametersOf(network).map(({ name, shape, initial }, index) => [
      name,
      Float32Array.from(drawNumbers(shape, "any", index), (x) =>
        initial.kind === "constant"
          ? initial.value + 0.1 * x
          : (x * (initial.gain ?? Math.SQRT2)) / (DEVIATION * Math.sqrt(initial.fanIn)),
      ),
    ]),
  );
  const shape = [1, network.configuration.inputs, ...size];
  return {
    weights,
    model: (target) => inferenceModel(network, shape, weights, { target }),
    image: { shape, data: Float32Array.from(drawNumbers(shape, "any", 77), (x) => x / 2) },
  };
}

/** Standard deviation of uniform numbers in −2 … 2. */
const DEVIATION = 2 / Math.sqrt(3);

/** The greatest difference of two results. */
export const greatestGap = (a: RuntimeTensor, b: RuntimeTensor): number =>
  Math.max(...a.data.map((value, index) => Math.abs(value - b.data[index])));
