// How much memory a network needs to be trained.
import type { Shape } from "../graph/shape.js";
import { buildNetwork, type NetworkSpecification } from "../networks/catalogue.js";
import { buildTrainingStep } from "./step.js";

/**
 * What the tensors of a training step on images [N, C, D, H, W] hold at once, in bytes. A process has taken 1.6 (UNETR at
 * 32×32×32) to 2 times as much (LNSNet at 64×48×48).
 */
export function trainingStepBytes(specification: NetworkSpecification, imageShape: Shape): number {
  return buildTrainingStep((image, builder) => buildNetwork(specification, image, builder), { imageShape })
    .peakBytes;
}
