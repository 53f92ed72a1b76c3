// The 3D Partial U-Net (github.com/cii030/3D-Partial-U-Net), a compared network; parameters are named as its authors'.
import {
  batchNormInference,
  batchNormTraining,
  instanceNorm,
  partialConvolution,
} from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { convolution, transposedConvolution } from "../graph/operations/convolution.js";
import { add, leakyRelu, multiply } from "../graph/operations/elementwise.js";
import { reshape } from "../graph/operations/layout.js";
import { ShapeError } from "../graph/shape.js";
import type { NetworkBuilder } from "./builder.js";

export interface PartialUnetConfiguration {
  /** Channels of the input; 1 for CT. */
  readonly inputs: number;
  /** Channels of logits. */
  readonly classes: number;
  /** Channels of the four stages, from full resolution down; each stage halves D, H, W. */
  readonly stages: readonly [number, number, number, number];
  /** Rate of stochastic depth (Huang 2016), the same in every block; per sample. */
  readonly dropPath: number;
}

/** The authors' values. */
export const partialUnetDefaults: PartialUnetConfiguration = {
  inputs: 1,
  classes: 1,
  stages: [32, 64, 128, 256],
  dropPath: 0.2,
};

/** Channels between the two point-wise convolutions of a block, as a multiple. */
const EXPANSION = 4;
/** A partial convolution is over one of this many parts of the channels. */
const PARTS = 4;
/** D, H, W must divide by this: three stages halve them. */
const DIVISOR = 8;

/**
 * Builds the network on `image` [N, inputs, D, H, W], D, H, W divisible by 8.
 * @returns logits [N, classes, D, H, W].
 * @throws ShapeError where a size does not divide.
 */
export function partialUnet(
  image: Value,
  { inputs, classes, stages, dropPath }: PartialUnetConfiguration,
  builder: NetworkBuilder,
): Value {
  if (image.shape.slice(2).some((length) => length % DIVISOR !== 0))
    throw new ShapeError(
      `the 3D Partial U-Net needs D, H, W divisible by ${DIVISOR}, not ${image.shape.slice(2)}`,
    );
  const pair = (x: Value): Value =>
    ["conv1", "conv2"].reduce((y, name) => within(name, () => partialUnetBlock(y, dropPath, builder)), x);
  const pairs = (x: Value, count: number): Value =>
    Array.from({ length: count }).reduce<Value>((y, _, index) => within(`${index}`, () => pair(y)), x);
  const descend = (name: string, x: Value, channels: number): Value =>
    within(name, () => partialUnetDown(x, channels, builder));
  const ascend = (step: number, x: Value, skip: Value): Value => {
    const upsampled = within(`up${step}`, () => partialUnetUp(x, skip.shape[1], builder));
    return within(`decoder${step}`, () => pair(add(upsampled, skip)));
  };

  const [first, second, third, fourth] = stages;
  const entered = within("stem", () => pointwise(image, first, 1, inputs, builder));
  const skip1 = within("encoder1", () => pair(entered));
  const down1 = descend("down1", skip1, second);
  const skip2 = within("encoder2", () => pairs(down1, 2));
  const down2 = descend("down2", skip2, third);
  const skip3 = within("encoder3", () => pairs(down2, 2));
  const down3 = descend("down3", skip3, fourth);
  const deepest = within("bottleneck", () => pairs(down3, 4));
  const features = ascend(3, ascend(2, ascend(1, deepest, skip3), skip2), skip1);
  return within("br", () => partialUnetHead(features, classes, builder));
}

/** x + DropPath(PW₂(LeakyReLU(PW₁(InstanceNorm(PConv(x)))))), the point-wise convolutions of each channel alone. */
export function partialUnetBlock(x: Value, dropRate: number, builder: NetworkBuilder): Value {
  const [batch, channels] = x.shape;
  const convolved = Math.floor(channels / PARTS);
  const mixed = within("partialconv", () =>
    within("partial_conv3", () =>
      partialConvolution(x, builder.weight("weight", [convolved, convolved, 3, 3, 3], 27 * convolved)),
    ),
  );
  const expanded = within("pwconv1", () =>
    pointwise(instanceNorm(mixed, null), EXPANSION * channels, channels, 1, builder),
  );
  const branch = within("pwconv2", () =>
    pointwise(leakyRelu(expanded), channels, channels, EXPANSION, builder),
  );
  const mask = builder.mask("keep", [batch, 1, 1], dropRate);
  return add(x, mask ? multiply(branch, reshape(mask, [batch, 1, 1, 1, 1])) : branch);
}

/** Batch norm and a 2×2×2 convolution of stride 2. */
export function partialUnetDown(x: Value, channels: number, builder: NetworkBuilder): Value {
  const inputs = x.shape[1];
  return within("downsample_layer", () => {
    const normalized = within("0", () => batchNorm(x, builder));
    return within("1", () =>
      convolution(
        normalized,
        builder.weight("weight", [channels, inputs, 2, 2, 2], 8 * inputs, 1),
        builder.bias("bias", channels),
        { stride: [2, 2, 2] },
      ),
    );
  });
}

/** Batch norm and a 2×2×2 transposed convolution of stride 2. */
export function partialUnetUp(x: Value, channels: number, builder: NetworkBuilder): Value {
  const inputs = x.shape[1];
  return within("upsample_layer", () => {
    const normalized = within("0", () => batchNorm(x, builder));
    return within("1", () =>
      transposedConvolution(
        normalized,
        builder.weight("weight", [inputs, channels, 2, 2, 2], inputs, 1),
        builder.bias("bias", channels),
        { stride: [2, 2, 2] },
      ),
    );
  });
}

/** Logits by a 3×3×3 transposed convolution of stride 1, and what sharpens them: logits + PW(LeakyReLU(BatchNorm(DW 7×7×7(PW(logits))))), each class alone. */
export function partialUnetHead(x: Value, classes: number, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const inner = EXPANSION * classes;
  const logits = within("transposeconv1", () =>
    transposedConvolution(
      x,
      builder.weight("weight", [channels, classes, 3, 3, 3], 27 * channels, 1),
      builder.bias("bias", classes),
      { padding: [1, 1, 1] },
    ),
  );
  const widened = within("pwconv1", () => pointwise(logits, inner, classes, 1, builder));
  const filtered = within("dwconv", () =>
    convolution(widened, builder.weight("weight", [inner, 1, 7, 7, 7], 343, 1), builder.bias("bias", inner), {
      padding: [3, 3, 3],
      groups: inner,
    }),
  );
  const active = leakyRelu(within("norm", () => batchNorm(filtered, builder)));
  return add(
    logits,
    within("pwconv2", () => pointwise(active, classes, classes, EXPANSION, builder)),
  );
}

/** A 1×1×1 convolution with bias, each output from `perGroup` inputs. */
function pointwise(
  x: Value,
  outputs: number,
  groups: number,
  perGroup: number,
  builder: NetworkBuilder,
): Value {
  const weight = builder.weight("weight", [outputs, perGroup, 1, 1, 1], perGroup, 1);
  return convolution(x, weight, builder.bias("bias", outputs), { groups });
}

/** Batch norm by the batch in training, which moves the running statistics, and by those in inference. */
function batchNorm(x: Value, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const affine = builder.affine(channels);
  const mean = builder.buffer("running_mean", [channels], 0);
  const variance = builder.buffer("running_var", [channels], 1);
  const running = { mean: mean.value, variance: variance.value };
  if (!builder.training) return batchNormInference(x, affine, running);
  const { y, runningMean, runningVariance } = batchNormTraining(x, affine, running);
  mean.next = runningMean;
  variance.next = runningVariance;
  return y;
}
