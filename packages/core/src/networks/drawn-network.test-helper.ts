// A network with weights and an image drawn from seeds, to be run in several ways.

import type { OnnxTarget } from "../graph/graph.js";
import { drawNumbers } from "../graph/graph.test-helper.js";
import type { Shape } from "../graph/shape.js";
import type { RuntimeTensor } from "../runtime/types.js";
import { type NetworkSpecification, partsOf } from "./catalogue.js";
import { inferenceModel } from "./inference-model.js";
import type { Initial } from "./initialization.js";

export interface DrawnNetwork {
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly model: (target: OnnxTarget) => Uint8Array;
  readonly image: RuntimeTensor;
}

/** Weights spread as the network draws them at first; biases, norms and running statistics a little off their first values. */
export function drawnNetwork(network: NetworkSpecification, size: Shape): DrawnNetwork {
  const { parameters, buffers } = partsOf(network, size);
  const parts = [
    ...parameters,
    ...buffers.map((buffer) => ({
      ...buffer,
      initial: { kind: "constant", value: buffer.initial } as const,
    })),
  ];
  const weights = new Map(
    parts.map(({ name, shape, initial }, index) => [
      name,
      Float32Array.from(drawNumbers(shape, "any", index), spreadAs(initial)),
    ]),
  );
  const shape = [1, network.configuration.inputs, ...size];
  return {
    weights,
    model: (target) => inferenceModel(network, shape, weights, { target }),
    image: { shape, data: Float32Array.from(drawNumbers(shape, "any", 77), (x) => x / 2) },
  };
}

/** From a uniform number in −2 … 2 to one spread as `initial`. */
function spreadAs(initial: Initial): (x: number) => number {
  switch (initial.kind) {
    case "constant":
      return (x) => initial.value + 0.1 * x;
    case "uniform":
      return (x) => (x * initial.limit) / 2;
    case "normal":
      return (x) => (x * initial.deviation) / (2 / Math.sqrt(3));
  }
}

/** The greatest difference of two results. */
export const greatestGap = (a: RuntimeTensor, b: RuntimeTensor): number =>
  Math.max(...a.data.map((value, index) => Math.abs(value - b.data[index])));
