// LNSNet: a light volumetric network for lymph nodes (doi 10.1002/mp.70123), where the paper is silent as this project chose.
import {
  instanceNorm,
  normalizedPointwise,
  partialConvolution,
  samplewisePointwise,
} from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { convolution, transposedConvolution } from "../graph/operations/convolution.js";
import { add, leakyRelu, multiply } from "../graph/operations/elementwise.js";
import { reshape } from "../graph/operations/layout.js";
import { ShapeError, sizeOf } from "../graph/shape.js";
import type { NetworkBuilder } from "./builder.js";

/** Every choice that the paper's abstract leaves open; the values of {@link lnsnetDefaults} are this project's. */
export interface LnsnetConfiguration {
  /** Channels of the input; 1 for CT. */
  readonly inputs: number;
  /** Channels of logits, each with its own sigmoid. */
  readonly classes: number;
  /** Channels of each stage, from the stem's resolution down; each stage halves D, H, W. */
  readonly stages: readonly number[];
  /** A 1×1×1 convolution at full resolution, or a 2×2×2 convolution of stride 2, so that all stages run at half size. */
  readonly stem: "full" | "half";
  /** Behind a half-size stem: channels of the features at full resolution that the head reads; 0 goes from the last stage to the logits. */
  readonly headChannels: number;
  /** Volume Blocks of each encoder stage. */
  readonly depths: readonly number[];
  /** Volume Blocks of each decoder stage. */
  readonly decoderDepth: number;
  /** Share of the channels that VPConv convolves (FasterNet's 1/4). */
  readonly partialRatio: number;
  /** Edge of VPConv's kernel in voxels. */
  readonly kernel: number;
  /** Channels between the two point-wise convolutions of a block, as a multiple. */
  readonly expansion: number;
  /** Point-wise convolutions of a block: mixing all channels, or with groups = channels as the 3D Partial U-Net. */
  readonly pointwiseGroups: "dense" | "depthwise";
  readonly norm: "instance";
  /** Greatest rate of stochastic depth (Huang 2016), reached at the last block; per sample. */
  readonly dropPath: number;
  /** Whether the Lightweight Boundary Enhancement Module ends the network. */
  readonly boundaryModule: boolean;
  /** Where the depthwise separable convolution stands. */
  readonly depthwiseSeparable: "head" | "bottleneck" | "none";
  /** VPConv as a partial convolution, or (to compare) of all channels. */
  readonly convolution: "partial" | "full";
}

export const lnsnetDefaults: LnsnetConfiguration = {
  inputs: 1,
  classes: 1,
  stages: [32, 64, 128, 256],
  stem: "full",
  headChannels: 16,
  depths: [2, 4, 4, 8],
  decoderDepth: 2,
  partialRatio: 0.25,
  kernel: 3,
  expansion: 2,
  pointwiseGroups: "dense",
  norm: "instance",
  dropPath: 0.2,
  boundaryModule: true,
  depthwiseSeparable: "head",
  convolution: "partial",
};

/** Edge that D, H and W must be multiples of: what the stem and the stages divide them by. */
export const lnsnetDivisor = ({ stages, stem }: LnsnetConfiguration): number =>
  2 ** (stages.length - (stem === "half" ? 0 : 1));

/** Kernel edge of the depthwise convolution of LBEM, and its channels for each class. */
const BOUNDARY_KERNEL = 7;
const BOUNDARY_EXPANSION = 4;

/**
 * Builds LNSNet on `image` [N, inputs, D, H, W], D, H, W divisible by {@link lnsnetDivisor}.
 * @returns logits [N, classes, D, H, W].
 * @throws ShapeError where a size does not divide.
 */
export function lnsnet(image: Value, configuration: LnsnetConfiguration, builder: NetworkBuilder): Value {
  const { stages, depths, decoderDepth } = configuration;
  const divisor = lnsnetDivisor(configuration);
  if (image.shape.slice(2).some((length) => length % divisor !== 0))
    throw new ShapeError(
      `LNSNet with ${stages.length} stages and a stem of ${configuration.stem} size needs D, H, W divisible by ${divisor}, not ${image.shape.slice(2)}`,
    );
  if (depths.length !== stages.length)
    throw new ShapeError(
      `${stages.length} stages and ${depths.length} depths: give one depth for each stage`,
    );

  const blockCount = depths.reduce((a, b) => a + b, 0) + decoderDepth * (stages.length - 1);
  let blockIndex = 0;
  const blocks = (x: Value, count: number): Value => {
    let y = x;
    for (let index = 0; index < count; index++) {
      const rate = (configuration.dropPath * blockIndex++) / Math.max(1, blockCount - 1);
      y = within(`block.${index}`, () => volumeBlock(y, rate, configuration, builder));
    }
    return y;
  };

  let x = within("stem", () => stem(image, configuration, builder));
  const skips: Value[] = [];
  for (let stage = 0; stage < stages.length; stage++)
    x = within(`encoder.${stage}`, () => {
      const entered = stage === 0 ? x : within("down", () => down(x, stages[stage], builder));
      const y = blocks(entered, depths[stage]);
      skips.push(y);
      return y;
    });
  if (configuration.depthwiseSeparable === "bottleneck")
    x = within("bottleneck", () => depthwiseSeparable(x, builder));
  for (let stage = stages.length - 2; stage >= 0; stage--)
    x = within(`decoder.${stage}`, () => {
      const upsampled = within("up", () => up(x, stages[stage], builder));
      return blocks(add(upsampled, skips[stage]), decoderDepth);
    });

  const logits = within("head", () => head(x, configuration, builder));
  return configuration.boundaryModule
    ? within("boundary", () => boundaryEnhancement(logits, builder))
    : logits;
}

/** Features of the first stage: of each voxel, or of each 2×2×2 voxels. */
function stem(image: Value, { inputs, stages, stem }: LnsnetConfiguration, builder: NetworkBuilder): Value {
  const edge = stem === "half" ? 2 : 1;
  return convolution(
    image,
    builder.weight("weight", [stages[0], inputs, edge, edge, edge], edge ** 3 * inputs, 1),
    builder.bias("bias", stages[0]),
    { stride: [edge, edge, edge] },
  );
}

/** Logits at full resolution from the last decoder features. */
function head(
  x: Value,
  { classes, stem, headChannels, depthwiseSeparable: place }: LnsnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const separated = (y: Value): Value => (place === "head" ? depthwiseSeparable(y, builder) : y);
  if (stem === "half" && headChannels === 0) {
    const features = separated(x);
    return within("logits", () => up(features, classes, builder));
  }
  const features = separated(stem === "half" ? within("up", () => up(x, headChannels, builder)) : x);
  const channels = features.shape[1];
  return within("logits", () =>
    convolution(
      features,
      builder.weight("weight", [classes, channels, 3, 3, 3], 27 * channels, 1),
      builder.bias("bias", classes),
      { padding: [1, 1, 1] },
    ),
  );
}

/** 3D Volume Block: x + DropPath(PW₂(LeakyReLU(PW₁(InstanceNorm(VPConv(x)))))). */
function volumeBlock(
  x: Value,
  dropRate: number,
  configuration: LnsnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const [batch, channels] = x.shape;
  const { kernel, expansion } = configuration;
  const convolved =
    configuration.convolution === "full" ? channels : Math.round(channels * configuration.partialRatio);
  const inner = channels * expansion;
  const depthwise = configuration.pointwiseGroups === "depthwise";

  const mixed = within("vpconv", () => {
    const weight = builder.weight(
      "weight",
      [convolved, convolved, kernel, kernel, kernel],
      convolved * kernel ** 3,
    );
    if (convolved < channels) return partialConvolution(x, weight);
    return convolution(x, weight, undefined, { padding: new Array(3).fill((kernel - 1) / 2) });
  });
  const norm = within("norm", () => builder.affine(channels));
  const expanded = within("pointwise1", () => {
    const weight = builder.weight(
      "weight",
      [inner, depthwise ? 1 : channels, 1, 1, 1],
      depthwise ? 1 : channels,
    );
    const bias = builder.bias("bias", inner);
    if (depthwise) return convolution(instanceNorm(mixed, norm), weight, bias, { groups: channels });
    return normalizedPointwise(mixed, norm, weight, bias);
  });
  const active = leakyRelu(expanded);
  const mask = builder.mask("keep", [batch, 1, 1], dropRate);
  const branch = within("pointwise2", () => {
    const weight = builder.weight(
      "weight",
      [channels, depthwise ? expansion : inner, 1, 1, 1],
      depthwise ? expansion : inner,
      1,
    );
    const bias = builder.bias("bias", channels);
    if (depthwise) {
      const y = convolution(active, weight, bias, { groups: channels });
      return mask ? multiply(y, reshape(mask, [batch, 1, 1, 1, 1])) : y;
    }
    if (!mask) return convolution(active, weight, bias);
    // Dropping a branch of a sample is scaling its weights: [N, O, C] is far smaller than the branch itself.
    const scaled = multiply(reshape(weight, [1, channels, inner]), mask);
    return samplewisePointwise(
      active,
      scaled,
      multiply(reshape(bias, [1, channels]), reshape(mask, [batch, 1])),
    );
  });
  return add(branch, x);
}

/** InstanceNorm and a 2×2×2 convolution of stride 2. */
function down(x: Value, channels: number, builder: NetworkBuilder): Value {
  const inputs = x.shape[1];
  const normalized = within("norm", () => instanceNorm(x, builder.affine(inputs)));
  return within("convolution", () =>
    convolution(
      normalized,
      builder.weight("weight", [channels, inputs, 2, 2, 2], 8 * inputs, 1),
      builder.bias("bias", channels),
      {
        stride: [2, 2, 2],
      },
    ),
  );
}

/** InstanceNorm and a 2×2×2 transposed convolution of stride 2. */
function up(x: Value, channels: number, builder: NetworkBuilder): Value {
  const inputs = x.shape[1];
  const normalized = within("norm", () => instanceNorm(x, builder.affine(inputs)));
  return within("convolution", () =>
    transposedConvolution(
      normalized,
      builder.weight("weight", [inputs, channels, 2, 2, 2], inputs, 1),
      builder.bias("bias", channels),
      {
        stride: [2, 2, 2],
      },
    ),
  );
}

/** Depthwise 3×3×3, point-wise, InstanceNorm, Leaky ReLU. No biases: the norm would take them out again. */
function depthwiseSeparable(x: Value, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const filtered = within("depthwise", () =>
    convolution(x, builder.weight("weight", [channels, 1, 3, 3, 3], 27, 1), undefined, {
      padding: [1, 1, 1],
      groups: channels,
    }),
  );
  const mixed = within("pointwise", () =>
    convolution(filtered, builder.weight("weight", [channels, channels, 1, 1, 1], channels)),
  );
  return leakyRelu(within("norm", () => instanceNorm(mixed, builder.affine(channels))));
}

/**
 * LBEM: logits + PW(LeakyReLU(InstanceNorm(DW 7×7×7(PW ×4(logits))))). The first two convolutions have no bias and
 * nothing between them, so for one class their kernels are multiplied instead of their results: exact, and a quarter
 * of the work.
 */
function boundaryEnhancement(logits: Value, builder: NetworkBuilder): Value {
  const classes = logits.shape[1];
  const inner = BOUNDARY_EXPANSION * classes;
  const kernel = [BOUNDARY_KERNEL, BOUNDARY_KERNEL, BOUNDARY_KERNEL];
  const padding = kernel.map((length) => (length - 1) / 2);
  const pointwise = within("pointwise1", () =>
    builder.weight("weight", [inner, classes, 1, 1, 1], classes, 1),
  );
  const depthwise = within("depthwise", () =>
    builder.weight("weight", [inner, 1, ...kernel], sizeOf(kernel)),
  );
  const filtered = within("depthwise", () =>
    classes === 1
      ? convolution(logits, multiply(depthwise, pointwise), undefined, { padding })
      : convolution(convolution(logits, pointwise), depthwise, undefined, { padding, groups: inner }),
  );
  const norm = within("norm", () => builder.affine(inner));
  const active = leakyRelu(instanceNorm(filtered, norm));
  const correction = within("pointwise2", () =>
    convolution(
      active,
      builder.weight("weight", [classes, inner, 1, 1, 1], inner, 1),
      builder.bias("bias", classes),
    ),
  );
  return add(logits, correction);
}
