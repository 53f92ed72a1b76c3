// What a forward pass and a training step of a network have to do: multiply-adds and bytes, counted from their graphs.

import { buildNetwork, type NetworkSpecification } from "@lnsnet/core";
import {
  adamW,
  clipByNorm,
  concat,
  differentiate,
  globalNorm,
  input,
  movedBytes,
  movingAverage,
  reshape,
  type Shape,
  sizeOf,
  sortNodes,
  type Value,
} from "@lnsnet/core/graph";
import { diceCrossEntropyLoss } from "@lnsnet/core/losses";
import { NetworkBuilder } from "@lnsnet/core/networks";
import { defaultOptimizer } from "@lnsnet/core/training";

/** Work of a graph, or of all its nodes of one operation. */
export interface Work {
  readonly nodes: number;
  /** True multiply-accumulates of convolutions and matrix products. */
  readonly multiplyAdds: number;
  /** What each node reads and writes if it reads every input once and writes every output once, float32. */
  readonly bytes: number;
}

/** Work of all that `values` need, by the name of the operation, most bytes first. */
function workByOperation(values: readonly Value[]): Map<string, Work> {
  const works = new Map<string, Work>();
  for (const node of sortNodes(values)) {
    const { operation } = node;
    const bytes = movedBytes(node);
    if (bytes === 0) continue;
    const before = works.get(operation.name) ?? { nodes: 0, multiplyAdds: 0, bytes: 0 };
    const cost = operation.cost?.(node);
    works.set(operation.name, {
      nodes: before.nodes + 1,
      multiplyAdds: before.multiplyAdds + (cost?.multiplyAdds ?? 0),
      bytes: before.bytes + bytes,
    });
  }
  return new Map([...works].sort(([, a], [, b]) => b.bytes - a.bytes));
}

/** The sum of works. */
export function totalWork(works: ReadonlyMap<string, Work>): Work {
  return [...works.values()].reduce((total, work) => ({
    nodes: total.nodes + work.nodes,
    multiplyAdds: total.multiplyAdds + work.multiplyAdds,
    bytes: total.bytes + work.bytes,
  }));
}

/** A forward pass in inference mode on an image [N, C, D, H, W]. */
export function forwardWork(network: NetworkSpecification, imageShape: Shape): Map<string, Work> {
  const { logits } = buildNetwork(network, input("image", imageShape), new NetworkBuilder(false));
  return workByOperation([logits]);
}

/** A whole training step on images [N, C, D, H, W]: the graph that `buildTrainingStep` emits. */
export function stepWork(network: NetworkSpecification, imageShape: Shape): Map<string, Work> {
  const builder = new NetworkBuilder(true);
  const { logits } = buildNetwork(network, input("image", imageShape), builder);
  const loss = diceCrossEntropyLoss(logits, input("label", logits.shape));
  const weights = builder.parameters.map(({ value }) => value);
  const gradient = concat(
    differentiate(loss, weights).map((value) => reshape(value, [sizeOf(value.shape)])),
    0,
  );
  const vector = (name: string): Value => input(name, gradient.shape);
  const number = (name: string): Value => input(name, []);
  const next = adamW(
    { theta: vector("theta"), m: vector("m"), v: vector("v") },
    clipByNorm(gradient, globalNorm(gradient), 1),
    {
      kept: vector("kept"),
      learningRate: number("learning_rate"),
      correction1: number("correction1"),
      correction2: number("correction2"),
    },
    defaultOptimizer,
  );
  const average = movingAverage(vector("average"), next.theta, number("average_keep"));
  return workByOperation([loss, next.theta, next.m, next.v, average]);
}
