// What a network costs, layer by layer, counted from its graph.
import { sortNodes } from "../graph/graph.js";
import { movedBytes, peakBytes } from "../graph/memory.js";
import { input } from "../graph/operations/leaves.js";
import { type Shape, sizeOf } from "../graph/shape.js";
import { NetworkBuilder } from "./builder.js";
import { buildNetwork, type NetworkSpecification } from "./catalogue.js";

/** What the tensors of a prediction on one image [1, C, D, H, W] hold at once, weights included, in bytes: an estimate. */
export function predictionBytes(specification: NetworkSpecification, size: Shape): number {
  const image = input("image", [1, specification.configuration.inputs, ...size]);
  return peakBytes([buildNetwork(specification, image, new NetworkBuilder(false)).logits]);
}

/** Work of one layer of a network. */
export interface LayerProfile {
  readonly layer: string;
  readonly parameters: number;
  /** True multiply-accumulates. */
  readonly multiplyAdds: number;
  /** By the rule of thop: a transposed convolution by its output, attention products left out. */
  readonly multiplyAddsThop: number;
  /** What its operations read and write if each reads its inputs once and writes its outputs once, float32. */
  readonly bytes: number;
  /** Shape of the layer's last result. */
  readonly output: Shape;
}

/** Parameters, multiply-adds and bytes of a network, in total and by layer, for one image [1, C, D, H, W]. */
export function profileNetwork(
  specification: NetworkSpecification,
  size: Shape,
): Omit<LayerProfile, "layer" | "output"> & { readonly layers: readonly LayerProfile[] } {
  const builder = new NetworkBuilder(false);
  const { logits } = buildNetwork(
    specification,
    input("image", [1, specification.configuration.inputs, ...size]),
    builder,
  );
  const layers = new Map<string, LayerProfile>();
  const empty = { parameters: 0, multiplyAdds: 0, multiplyAddsThop: 0, bytes: 0, output: [] as Shape };
  for (const node of sortNodes([logits])) {
    const cost = node.operation.cost?.(node);
    const bytes = movedBytes(node);
    if (!cost && bytes === 0) continue;
    const layer = layers.get(node.path) ?? { layer: node.path, ...empty };
    layers.set(node.path, {
      ...layer,
      multiplyAdds: layer.multiplyAdds + (cost?.multiplyAdds ?? 0),
      multiplyAddsThop: layer.multiplyAddsThop + (cost?.multiplyAddsThop ?? 0),
      bytes: layer.bytes + bytes,
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
    bytes: total((layer) => layer.bytes),
    layers: all,
  };
}
