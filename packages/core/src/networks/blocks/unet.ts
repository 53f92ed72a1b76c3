// The U-Net (Ronneberger 2015): pairs of convolutions, max pooling down, transposed convolutions up, and skips that are
// joined. Named as MONAI's BasicUNet.
import { type Value, within } from "../../graph/graph.js";
import { concat } from "../../graph/operations/layout.js";
import { maxPool } from "../../graph/operations/pooling.js";
import type { Shape } from "../../graph/shape.js";
import type { NetworkBuilder } from "../builder.js";
import type { Initialization } from "../initialization.js";
import { convolutionLayer, pointwiseLayer, transposedConvolutionLayer } from "./layers.js";

/** Channels of the stages, each list from full resolution down. */
export interface UnetStages {
  /** After the first and the second convolution of each encoder stage. */
  readonly encoder: readonly (readonly [number, number])[];
  /** Of the upsampled features, and after either convolution; one stage fewer than the encoder has. */
  readonly decoder: readonly { readonly upsampled: number; readonly channels: number }[];
}

/** What the layers of a U-Net have in common. */
export interface UnetLayers {
  readonly kernel: Shape;
  /** What each stage divides depth, height and width by. */
  readonly step: Shape;
  /** Whether the transposed convolutions have a bias. */
  readonly upsamplingBias: boolean;
  /** What follows each convolution: a norm, if any, and a rectifier. */
  readonly activation: (x: Value, builder: NetworkBuilder) => Value;
  readonly initialization: Initialization;
}

/** Logits [N, classes, D, H, W] of an image [N, C, D, H, W]. */
export function unet(
  image: Value,
  classes: number,
  { encoder, decoder }: UnetStages,
  { kernel, step, upsamplingBias, activation, initialization }: UnetLayers,
  builder: NetworkBuilder,
): Value {
  const pair = (x: Value, channels: readonly number[]): Value =>
    channels.reduce(
      (y, count, index) =>
        within(`conv_${index}`, () => {
          const convolved = within("conv", () =>
            convolutionLayer(y, count, builder, { kernel, initialization }),
          );
          return activation(convolved, builder);
        }),
      x,
    );

  const skips: Value[] = [];
  let x = image;
  encoder.forEach((channels, stage) => {
    x =
      stage === 0
        ? within("conv_0", () => pair(x, channels))
        : within(`down_${stage}.convs`, () => pair(maxPool(x, step), channels));
    skips.push(x);
  });
  for (let stage = decoder.length; stage > 0; stage--)
    x = within(`upcat_${stage}`, () => {
      const { upsampled, channels } = decoder[stage - 1];
      const larger = within("upsample.deconv", () =>
        transposedConvolutionLayer(x, upsampled, builder, {
          kernel: step,
          stride: step,
          bias: upsamplingBias,
          initialization,
        }),
      );
      const joined = concat([skips[stage - 1], larger], 1);
      return within("convs", () => pair(joined, [channels, channels]));
    });
  return within(UNET_HEAD, () => pointwiseLayer(x, classes, builder, { initialization }));
}

/** First word of the names of the head's parameters. */
export const UNET_HEAD = "final_conv";
