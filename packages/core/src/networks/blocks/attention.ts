// The blocks of transformers: self-attention, multilayer perceptron, transformer block.
import { attention, gelu } from "../../graph/functions.js";
import { type Value, within } from "../../graph/graph.js";
import { add } from "../../graph/operations/elementwise.js";
import { reshape, split, transpose } from "../../graph/operations/layout.js";
import { sizeOf } from "../../graph/shape.js";
import type { NetworkBuilder } from "../builder.js";
import { type Initialization, pytorchDefault } from "../initialization.js";
import { linearLayer } from "./layers.js";
import { layerNormLayer } from "./normalization.js";

export interface SelfAttention {
  readonly heads: number;
  /** Whether queries, keys and values have a bias. */
  readonly qkvBias?: boolean;
  /** Name of the last linear layer. */
  readonly projection?: string;
  /** Added to the scores, to broadcast over [..., heads, tokens, tokens]. */
  readonly bias?: Value | null;
  readonly initialization?: Initialization;
}

/** Self-attention of several heads (Vaswani 2017) over tokens [..., tokens, C]. */
export function selfAttention(
  x: Value,
  builder: NetworkBuilder,
  {
    heads,
    qkvBias = false,
    projection = "out_proj",
    bias = null,
    initialization = pytorchDefault,
  }: SelfAttention,
): Value {
  const groups = x.shape.slice(0, -2);
  const [tokens, width] = x.shape.slice(-2);
  const batch = sizeOf(groups);
  const depth = width / heads;
  const projected = within("qkv", () =>
    linearLayer(x, 3 * width, builder, { bias: qkvBias, initialization }),
  );
  const parts = transpose(reshape(projected, [batch, tokens, 3, heads, depth]), [2, 0, 3, 1, 4]);
  const [q, k, v] = split(parts, 0, [1, 1, 1]).map((part) =>
    reshape(part, [...groups, heads, tokens, depth]),
  );
  const attended = reshape(attention(q, k, v, bias), [batch, heads, tokens, depth]);
  const joined = reshape(transpose(attended, [0, 2, 1, 3]), x.shape);
  return within(projection, () => linearLayer(joined, width, builder, { initialization }));
}

/** Two linear layers with GELU between. */
export function multilayerPerceptron(
  x: Value,
  hidden: number,
  builder: NetworkBuilder,
  initialization: Initialization = pytorchDefault,
): Value {
  const width = x.shape[x.shape.length - 1];
  const inner = gelu(within("linear1", () => linearLayer(x, hidden, builder, { initialization })));
  return within("linear2", () => linearLayer(inner, width, builder, { initialization }));
}

/** A transformer's block with norms first: x + attention(norm(x)), then x + MLP(norm(x)). */
export function transformerBlock(x: Value, heads: number, hidden: number, builder: NetworkBuilder): Value {
  const normalized = within("norm1", () => layerNormLayer(x, builder));
  const attended = add(
    x,
    within("attn", () => selfAttention(normalized, builder, { heads })),
  );
  const again = within("norm2", () => layerNormLayer(attended, builder));
  return add(
    attended,
    within("mlp", () => multilayerPerceptron(again, hidden, builder)),
  );
}

/** A feature map [N, C, …space] from tokens [N, tokens, C]. */
export function featuresOf(tokens: Value, space: readonly number[]): Value {
  const [batch, count, channels] = tokens.shape;
  if (count !== sizeOf(space)) throw new Error(`${count} tokens do not fill ${space.join("×")} voxels`);
  return reshape(transpose(tokens, [0, 2, 1]), [batch, channels, ...space]);
}
