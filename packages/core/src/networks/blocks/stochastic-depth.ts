// Stochastic depth (Huang 2016): in training, a block's branch is left out at random, for each sample by itself.
import type { Value } from "../../graph/graph.js";
import { multiply } from "../../graph/operations/elementwise.js";
import { reshape } from "../../graph/operations/layout.js";
import type { NetworkBuilder } from "../builder.js";

/** What each sample's branch is multiplied by, [N, 1, 1]: 0 or 1/(1 − rate); null where nothing is dropped. */
export const branchMask = (batch: number, rate: number, builder: NetworkBuilder): Value | null =>
  builder.mask("keep", [batch, 1, 1], rate);

/** The branch [N, …], or zeros where it is dropped. */
export function stochasticDepth(branch: Value, rate: number, builder: NetworkBuilder): Value {
  const [batch, ...axes] = branch.shape;
  const mask = branchMask(batch, rate, builder);
  return mask ? multiply(branch, reshape(mask, [batch, ...axes.map(() => 1)])) : branch;
}
