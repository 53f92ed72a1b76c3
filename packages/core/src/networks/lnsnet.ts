// LNSNet: a light volumetric network for lymph nodes (doi 10.1002/mp.70123). What the paper leaves open is this project's choice.
import { z } from "zod";
import { instanceNorm, normalizedPointwise, samplewisePointwise } from "../graph/functions.js";
import { type Value, within } from "../graph/graph.js";
import { convolution } from "../graph/operations/convolution.js";
import { add, leakyRelu, multiply } from "../graph/operations/elementwise.js";
import { reshape, split } from "../graph/operations/layout.js";
import { sizeOf } from "../graph/shape.js";
import {
  convolutionLayer,
  partialConvolutionLayer,
  pointwiseLayer,
  transposedConvolutionLayer,
} from "./blocks/layers.js";
import { instanceNormLayer } from "./blocks/normalization.js";
import { down, up } from "./blocks/resampling.js";
import { branchMask, stochasticDepth } from "./blocks/stochastic-depth.js";
import { crossChannelFusion } from "./blocks/stream-fusion.js";
import type { NetworkBuilder } from "./builder.js";
import * as fields from "./fields.js";
import { he, lecun, zeros } from "./initialization.js";
import { cube, type Network, type NetworkOutputs } from "./network.js";

/** Every choice that the paper's abstract leaves open; the defaults are this project's. */
const schema = z
  .strictObject({
    ...fields.common,
    /** Channels of each stage, from the stem's resolution down; each stage halves D, H, W. */
    stages: z.array(fields.channels).min(1).max(8).readonly().default([32, 64, 128, 256]),
    /** A 1×1×1 convolution at full resolution, or a 2×2×2 convolution of stride 2, so that all stages run at half size. */
    stem: z.enum(["full", "half"]).default("full"),
    /** Behind a half-size stem: channels of the features at full resolution that the head reads; 0 goes from the last stage to the logits. */
    headChannels: fields.channels.or(z.literal(0)).default(16),
    /** Volume Blocks of each encoder stage. */
    depths: z.array(fields.repeats).readonly().default([2, 4, 4, 8]),
    /** Volume Blocks of each decoder stage. */
    decoderDepth: fields.repeats.default(2),
    /** Share of the channels that VPConv convolves (FasterNet's 1/4). */
    partialRatio: z.number().min(0).max(1).default(0.25),
    /** Edge of VPConv's kernel in voxels. */
    kernel: fields.oddKernel.default(3),
    /** Channels between the two point-wise convolutions of a block, as a multiple. */
    expansion: fields.multiple.default(2),
    /** Point-wise convolutions of a block: mixing all channels, or with groups = channels as the 3D Partial U-Net. */
    pointwiseGroups: z.enum(["dense", "depthwise"]).default("dense"),
    norm: z.literal("instance").default("instance"),
    /** Greatest rate of stochastic depth (Huang 2016), reached at the last block; per sample. */
    dropPath: fields.dropRate.default(0.2),
    /** Whether the Lightweight Boundary Enhancement Module ends the network. */
    boundaryModule: z.boolean().default(true),
    /** Where the depthwise separable convolution stands. */
    depthwiseSeparable: z.enum(["head", "bottleneck", "none"]).default("head"),
    /** VPConv as a partial convolution, or (to compare) of all channels. */
    convolution: z.enum(["partial", "full"]).default("partial"),
    /**
     * 2: each of two input channels has an encoder of its own, and the two are fused at each scale by attention between
     * channels, see {@link crossChannelFusion}. This project's reading of an idea, not the paper's. One by default.
     */
    streams: z.union([z.literal(1), z.literal(2)]).optional(),
    /**
     * Stations that a further head tells apart in training, as a second target. None by default, and in every model that
     * is saved. This project's reading of an idea, not the paper's.
     */
    stations: z.int().min(1).max(100).optional(),
  })
  .refine(({ stages, depths }) => stages.length === depths.length, {
    path: ["depths"],
    message: "there must be as many depths as stages",
  })
  .refine(({ streams = 1, inputs }) => streams === 1 || inputs === streams, {
    path: ["streams"],
    message: "two streams need two input channels",
  })
  .readonly();

export type LnsnetConfiguration = z.infer<typeof schema>;

export const lnsnetDefaults = schema.parse({});

export const lnsnetNetwork = {
  title: "LNSNet",
  schema,
  presets: {
    lnsnet: lnsnetDefaults,
    /** Trains in minutes, for trials and the demonstration. */
    "lnsnet-small": {
      ...lnsnetDefaults,
      stages: [16, 32, 64],
      depths: [1, 2, 4],
      decoderDepth: 1,
      dropPath: 0.1,
    },
    /** The default without its stage at full resolution, which takes most of the time: the stages below are the same. */
    "lnsnet-half": { ...lnsnetDefaults, stem: "half", stages: [64, 128, 256], depths: [4, 4, 8] },
    /** For two input channels of different kind, such as plain and enhanced CT. */
    "lnsnet-two-streams": { ...lnsnetDefaults, inputs: 2, streams: 2 },
  },
  build: lnsnet,
  divisor: ({ stages, stem }) => cube(2 ** (stages.length - (stem === "half" ? 0 : 1))),
  head: ["head", "boundary"],
} satisfies Network<LnsnetConfiguration>;

/** Kernel edge of the depthwise convolution of LBEM, and its channels for each class. */
const BOUNDARY_KERNEL = 7;
const BOUNDARY_EXPANSION = 4;

/** Builds LNSNet on `image` [N, inputs, D, H, W]. */
export function lnsnet(
  image: Value,
  configuration: LnsnetConfiguration,
  builder: NetworkBuilder,
): NetworkOutputs {
  const { stages, depths, decoderDepth, streams = 1, stations } = configuration;
  const encoded =
    streams === 1
      ? encoder(image, configuration, builder)
      : fused(
          split(image, 1, [1, 1]).map((channel, stream) =>
            within(`stream.${stream}`, () => encoder(channel, configuration, builder)),
          ),
          builder,
        );
  let x = encoded[stages.length - 1];
  if (configuration.depthwiseSeparable === "bottleneck")
    x = within("bottleneck", () => depthwiseSeparable(x, builder));
  let first = sumOf(depths);
  for (let stage = stages.length - 2; stage >= 0; stage--) {
    x = within(`decoder.${stage}`, () => {
      const upsampled = within("up", () => up(x, stages[stage], builder));
      return volumeBlocks(add(upsampled, encoded[stage]), first, decoderDepth, configuration, builder);
    });
    first += decoderDepth;
  }

  const coarse = within("head", () => head(x, configuration, builder));
  const logits = configuration.boundaryModule
    ? within("boundary", () => boundaryEnhancement(coarse, builder))
    : coarse;
  if (stations === undefined) return { logits };
  return {
    logits,
    stationLogits: within("stations", () => stationHead(x, stations, configuration, builder)),
  };
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Features of each encoder stage, from the stem's resolution down. */
function encoder(image: Value, configuration: LnsnetConfiguration, builder: NetworkBuilder): Value[] {
  const { stages, depths } = configuration;
  let x = within("stem", () => stem(image, configuration, builder));
  return stages.map((channels, stage) => {
    x = within(`encoder.${stage}`, () => {
      const entered = stage === 0 ? x : within("down", () => down(x, channels, builder));
      const first = sumOf(depths.slice(0, stage));
      return volumeBlocks(entered, first, depths[stage], configuration, builder);
    });
    return x;
  });
}

/** The features of two encoders as those of one. */
const fused = ([a, b]: readonly Value[][], builder: NetworkBuilder): Value[] =>
  a.map((features, stage) =>
    within(`fusion.${stage}`, () => crossChannelFusion(features, b[stage], builder)),
  );

/** Volume Blocks one after another; stochastic depth grows from the network's first block to its last. */
function volumeBlocks(
  x: Value,
  first: number,
  count: number,
  configuration: LnsnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const { stages, depths, decoderDepth, dropPath } = configuration;
  const last = sumOf(depths) + decoderDepth * (stages.length - 1) - 1;
  let y = x;
  for (let index = 0; index < count; index++) {
    const rate = (dropPath * (first + index)) / Math.max(1, last);
    y = within(`block.${index}`, () => volumeBlock(y, rate, configuration, builder));
  }
  return y;
}

/** Logits of the stations at full resolution, from the last decoder features. */
const stationHead = (
  x: Value,
  stations: number,
  { stem }: LnsnetConfiguration,
  builder: NetworkBuilder,
): Value =>
  stem === "half"
    ? transposedConvolutionLayer(x, stations, builder, { initialization: zeros })
    : pointwiseLayer(x, stations, builder, { initialization: zeros });

/** Features of the first stage: of each voxel, or of each 2×2×2 voxels. */
function stem(image: Value, { stages, stem }: LnsnetConfiguration, builder: NetworkBuilder): Value {
  const edge = stem === "half" ? 2 : 1;
  return convolutionLayer(image, stages[0], builder, { kernel: edge, stride: edge });
}

/** 3D Volume Block: x + DropPath(PW₂(LeakyReLU(PW₁(InstanceNorm(VPConv(x)))))). */
function volumeBlock(
  x: Value,
  dropRate: number,
  { kernel, partialRatio, expansion, pointwiseGroups, convolution }: LnsnetConfiguration,
  builder: NetworkBuilder,
): Value {
  const channels = x.shape[1];
  const convolved = convolution === "full" ? channels : Math.round(channels * partialRatio);
  const mixed = within("vpconv", () => partialConvolutionLayer(x, convolved, kernel, builder));
  const branch = pointwiseGroups === "dense" ? denseBranch : depthwiseBranch;
  return add(branch(mixed, channels * expansion, dropRate, builder), x);
}

/** DropPath(PW₂(LeakyReLU(PW₁(InstanceNorm(x))))), each channel by itself. */
function depthwiseBranch(x: Value, inner: number, dropRate: number, builder: NetworkBuilder): Value {
  const groups = x.shape[1];
  const normalized = within("norm", () => instanceNormLayer(x, builder));
  const expanded = within("pointwise1", () =>
    pointwiseLayer(normalized, inner, builder, { groups, initialization: he() }),
  );
  const branch = within("pointwise2", () => pointwiseLayer(leakyRelu(expanded), groups, builder, { groups }));
  return stochasticDepth(branch, dropRate, builder);
}

/**
 * DropPath(PW₂(LeakyReLU(PW₁(InstanceNorm(x))))), all channels mixed. Norm and mask are folded into the weights of the
 * convolution beside them, which are far smaller than the features.
 */
function denseBranch(x: Value, inner: number, dropRate: number, builder: NetworkBuilder): Value {
  const [batch, channels] = x.shape;
  const matrix = (outputs: number, inputs: number, { weight }: typeof lecun): Value => {
    const shape = [outputs, inputs, 1, 1, 1];
    return builder.weight("weight", shape, weight(inputs, shape));
  };
  const norm = within("norm", () => builder.affine(channels));
  const expanded = within("pointwise1", () =>
    normalizedPointwise(x, norm, matrix(inner, channels, he()), builder.bias("bias", inner)),
  );
  const active = leakyRelu(expanded);
  const mask = branchMask(batch, dropRate, builder);
  return within("pointwise2", () => {
    const weight = matrix(channels, inner, lecun);
    const bias = builder.bias("bias", channels);
    if (!mask) return convolution(active, weight, bias);
    const scaled = multiply(reshape(weight, [1, channels, inner]), mask);
    return samplewisePointwise(
      active,
      scaled,
      multiply(reshape(bias, [1, channels]), reshape(mask, [batch, 1])),
    );
  });
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
  return within("logits", () => convolutionLayer(features, classes, builder));
}

/** Depthwise 3×3×3, point-wise, InstanceNorm, Leaky ReLU. No biases: the norm would take them out again. */
function depthwiseSeparable(x: Value, builder: NetworkBuilder): Value {
  const channels = x.shape[1];
  const filtered = within("depthwise", () =>
    convolutionLayer(x, channels, builder, { groups: channels, bias: false }),
  );
  const mixed = within("pointwise", () =>
    pointwiseLayer(filtered, channels, builder, { bias: false, initialization: he() }),
  );
  return leakyRelu(within("norm", () => instanceNormLayer(mixed, builder)));
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
  const shapes = { pointwise: [inner, classes, 1, 1, 1], depthwise: [inner, 1, ...kernel] };
  const pointwise = within("pointwise1", () =>
    builder.weight("weight", shapes.pointwise, lecun.weight(classes, shapes.pointwise)),
  );
  const depthwise = within("depthwise", () =>
    builder.weight("weight", shapes.depthwise, he().weight(sizeOf(kernel), shapes.depthwise)),
  );
  const filtered = within("depthwise", () =>
    classes === 1
      ? convolution(logits, multiply(depthwise, pointwise), undefined, { padding })
      : convolution(convolution(logits, pointwise), depthwise, undefined, { padding, groups: inner }),
  );
  const norm = within("norm", () => builder.affine(inner));
  const active = leakyRelu(instanceNorm(filtered, norm));
  return add(
    logits,
    within("pointwise2", () => pointwiseLayer(active, classes, builder)),
  );
}
