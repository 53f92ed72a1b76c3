// The networks by name, and what else is built from a network than a training step.
import type { Value } from "../graph/graph.js";
import { sortNodes } from "../graph/graph.js";
import { emitOnnx, type OnnxModelOptions } from "../graph/onnx.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { NetworkBuilder, type ParameterEntry } from "./builder.js";
import { type LnsnetConfiguration, lnsnet, lnsnetDefaults, lnsnetDivisor } from "./lnsnet.js";

/** A network and its configuration, as plan files and checkpoints state them. */
export interface NetworkSpecification {
  readonly name: "lnsnet";
  readonly configuration: LnsnetConfiguration;
}

/**
 * Named configurations. `small` trains in minutes, for trials and the demonstration. `half` is the default without its
 * stage at full resolution, which is most of the time of a forward pass: the stages of half size and below are the same.
 */
export const networkPresets: Readonly<Record<string, NetworkSpecification>> = {
  lnsnet: { name: "lnsnet", configuration: lnsnetDefaults },
  "lnsnet-small": {
    name: "lnsnet",
    configuration: {
      ...lnsnetDefaults,
      stages: [16, 32, 64],
      depths: [1, 2, 4],
      decoderDepth: 1,
      dropPath: 0.1,
    },
  },
  "lnsnet-half": {
    name: "lnsnet",
    configuration: { ...lnsnetDefaults, stem: "half", stages: [64, 128, 256], depths: [4, 4, 8] },
  },
};

/** Builds a network on an image [N, C, D, H, W]. */
export function buildNetwork(
  specification: NetworkSpecification,
  image: Value,
  builder: NetworkBuilder,
): Value {
  return lnsnet(image, specification.configuration, builder);
}

/** First words of the names of what stands behind the last decoder features: what "the head" is in fine-tuning. */
const heads: Readonly<Record<NetworkSpecification["name"], readonly string[]>> = {
  lnsnet: ["head", "boundary"],
};

/** Whether a parameter belongs to the network's head. */
export function isOfHead({ name }: NetworkSpecification, parameter: string): boolean {
  return heads[name].includes(parameter.split(".")[0]);
}

/** Edge that D, H and W must be multiples of. */
export function sizeDivisor({ configuration }: NetworkSpecification): number {
  return lnsnetDivisor(configuration);
}

/** Parameters of a network, in the order it makes them. */
export function parametersOf(specification: NetworkSpecification): readonly ParameterEntry[] {
  const builder = new NetworkBuilder(false);
  const edge = 2 * sizeDivisor(specification);
  buildNetwork(
    specification,
    input("image", [1, specification.configuration.inputs, edge, edge, edge]),
    builder,
  );
  return builder.parameters;
}

/** An ONNX model from `image` to `logits`, weights inside, for what will run it. */
export function inferenceModel(
  specification: NetworkSpecification,
  imageShape: Shape,
  weights: ReadonlyMap<string, Float32Array>,
  options: Pick<OnnxModelOptions, "target" | "metadata"> = {},
): Uint8Array {
  const image = input("image", imageShape);
  const logits = buildNetwork(specification, image, new NetworkBuilder(false));
  return emitOnnx({ inputs: [image], outputs: { logits }, weights, ...options });
}

/** Work of one layer of a network. */
export interface LayerProfile {
  readonly layer: string;
  readonly parameters: number;
  /** True multiply-accumulates. */
  readonly multiplyAdds: number;
  /** By the rule of thop: a transposed convolution by its output, attention products left out. */
  readonly multiplyAddsThop: number;
  /** Shape of the layer's last result. */
  readonly output: Shape;
}

/** Parameters and multiply-adds of a network, in total and by layer, for one image [1, C, D, H, W]. */
export function profileNetwork(
  specification: NetworkSpecification,
  size: Shape,
): Omit<LayerProfile, "layer" | "output"> & { readonly layers: readonly LayerProfile[] } {
  const builder = new NetworkBuilder(false);
  const logits = buildNetwork(
    specification,
    input("image", [1, specification.configuration.inputs, ...size]),
    builder,
  );
  const layers = new Map<string, LayerProfile>();
  const empty = { parameters: 0, multiplyAdds: 0, multiplyAddsThop: 0, output: [] as Shape };
  for (const node of sortNodes([logits])) {
    const cost = node.operation.cost?.(node);
    if (!cost) continue;
    const layer = layers.get(node.path) ?? { layer: node.path, ...empty };
    layers.set(node.path, {
      ...layer,
      multiplyAdds: layer.multiplyAdds + cost.multiplyAdds,
      multiplyAddsThop: layer.multiplyAddsThop + cost.multiplyAddsThop,
      output: node.outputs[0].shape,
    });
  }
  for (const { name, shape } of builder.parameters) {
    const path = name.slice(0, name.lastIndexOf("."));
    const layer = layers.get(path) ?? { layer: path, ...empty };
    layers.set(path, { ...layer, parameters: layer.parameters + sizeOf(shape) });
  }
  const all = [...layers.values()];
  const total = (of: (layer: LayerProfile) => number): number =>
    all.reduce((sum, layer) => sum + of(layer), 0);
  return {
    parameters: total((layer) => layer.parameters),
    multiplyAdds: total((layer) => layer.multiplyAdds),
    multiplyAddsThop: total((layer) => layer.multiplyAddsThop),
    layers: all,
  };
}
