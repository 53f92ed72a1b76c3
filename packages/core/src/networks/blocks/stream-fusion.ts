// Fusion of two streams of features, by attention between their channels. This project's reading of an idea: networks for
// several kinds of image (CEUSegNet and others) let each kind have its own encoder and attend to the other one's channels.
import { instanceNorm } from "../../graph/functions.js";
import { type Value, within } from "../../graph/graph.js";
import { add, multiply } from "../../graph/operations/elementwise.js";
import { concat, reshape } from "../../graph/operations/layout.js";
import { matmul } from "../../graph/operations/matmul.js";
import { softmax } from "../../graph/operations/reduction.js";
import { sizeOf } from "../../graph/shape.js";
import type { NetworkBuilder } from "../builder.js";
import { pointwiseLayer } from "./layers.js";

/** What correlations are multiplied by at first: with it a channel's likes outweigh the rest from the beginning. */
const FIRST_SHARPNESS = 8;

/**
 * PW([a + A·b, b + B·a]) of features a and b [N, C, …space], again [N, C, …space]. A and B [C, C] say how much of each
 * channel of the other stream a channel takes: the softmax of how the two correlate over the patch, times a number that
 * is learned.
 */
export function crossChannelFusion(a: Value, b: Value, builder: NetworkBuilder): Value {
  const [batch, channels, ...space] = a.shape;
  const voxels = sizeOf(space);
  const rows = (x: Value): Value => reshape(x, [batch, channels, voxels]);
  const [standardA, standardB] = [a, b].map((x) => rows(instanceNorm(x, null)));
  const sharpness = builder.parameter("sharpness", [1], { kind: "constant", value: FIRST_SHARPNESS });
  const taken = (of: Value, own: Value, other: Value): Value => {
    const correlation = multiply(matmul(own, other, { transposeB: true }), 1 / voxels);
    return reshape(matmul(softmax(multiply(correlation, sharpness), 2), rows(of)), a.shape);
  };
  const joined = concat([add(a, taken(b, standardA, standardB)), add(b, taken(a, standardB, standardA))], 1);
  return within("pointwise", () => pointwiseLayer(joined, channels, builder));
}
