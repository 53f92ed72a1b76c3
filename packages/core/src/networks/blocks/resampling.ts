// Halving and doubling the resolution: a norm, then a 2×2×2 convolution of stride 2 or its transpose.
import { type Value, within } from "../../graph/graph.js";
import type { NetworkBuilder } from "../builder.js";
import { type Initialization, lecun } from "../initialization.js";
import { convolutionLayer, transposedConvolutionLayer } from "./layers.js";
import { instanceNormLayer, type NormLayer } from "./normalization.js";

/** The norm, and what the two layers are called. */
export interface Resampling {
  readonly norm: NormLayer;
  readonly names: { readonly norm: string; readonly convolution: string };
  readonly initialization?: Initialization;
}

const byInstanceNorm: Resampling = {
  norm: instanceNormLayer,
  names: { norm: "norm", convolution: "convolution" },
};

/** Half the resolution, with `channels`. */
export const down = (
  x: Value,
  channels: number,
  builder: NetworkBuilder,
  resampling = byInstanceNorm,
): Value =>
  normalizedFirst(x, builder, resampling, (normalized, initialization) =>
    convolutionLayer(normalized, channels, builder, { kernel: 2, stride: 2, initialization }),
  );

/** Twice the resolution, with `channels`. */
export const up = (x: Value, channels: number, builder: NetworkBuilder, resampling = byInstanceNorm): Value =>
  normalizedFirst(x, builder, resampling, (normalized, initialization) =>
    transposedConvolutionLayer(normalized, channels, builder, { initialization }),
  );

/** The norm and then the convolution, each under its name. */
function normalizedFirst(
  x: Value,
  builder: NetworkBuilder,
  { norm, names, initialization = lecun }: Resampling,
  convolve: (normalized: Value, initialization: Initialization) => Value,
): Value {
  const normalized = within(names.norm, () => norm(x, builder));
  return within(names.convolution, () => convolve(normalized, initialization));
}
