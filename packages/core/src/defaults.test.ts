// Every default and constant that a paper, nnU-Net or this project fixed: a change must be meant, and come with its reason.
import { describe, expect, test } from "vitest";
import { evaluate } from "./graph/evaluate.js";
import { instanceNorm } from "./graph/functions.js";
import type { Value } from "./graph/graph.js";
import { leakyRelu } from "./graph/operations/elementwise.js";
import { constant } from "./graph/operations/leaves.js";
import { defaultCleanUp } from "./inference/clean-up.js";
import { DEFAULT_OVERLAP } from "./inference/segment.js";
import { FOREGROUND_THRESHOLD } from "./inference/segmented-nodes.js";
import { patchWeighting } from "./inference/sliding-window.js";
import { deepSupervisionLoss, diceCrossEntropyLoss, focalLoss, softDiceLoss } from "./losses/segmentation.js";
import { sensitivityBySize } from "./metrics/detection.js";
import { matchNodes } from "./metrics/node-matching.js";
import { networkPresets } from "./networks/catalogue.js";
import { he, kaimingNormal, lecun, xavier } from "./networks/initialization.js";
import { learningRateAt, usualSchedule } from "./training/schedule.js";
import { defaultOptimizer } from "./training/step.js";
import { DEFAULT_AVERAGE_DECAY } from "./training/trainer.js";
import { augmentationNames, defaultAugmentation, noAugmentation } from "./transforms/augmentation.js";
import { airBelowHu, boneFromHu, mostBoneOrAir, nodeHu } from "./voxels/node-density.js";
import { defaultNeckRule } from "./voxels/numbered-nodes.js";

const numbersOf = (value: Value): number[] => [...evaluate([value], new Map())[0].data];
const scalar = (value: number): Value => constant([], [value]);
/** The rate of a run of 100 steps at a step, as a share of the peak. */
const rateAt = (step: number, decay: "cosine" | "polynomial"): number =>
  learningRateAt(step, { ...usualSchedule(100, 1, decay), warmUpSteps: 0, final: 0 });

describe.each<
  [
    subject: string,
    rows: readonly (readonly [name: string, actual: unknown, expected: unknown, source: string])[],
  ]
>([
  [
    "optimiser",
    [
      ["AdamW β₁", defaultOptimizer.beta1, 0.9, "Kingma 2015, PyTorch's default"],
      ["AdamW β₂", defaultOptimizer.beta2, 0.999, "Kingma 2015, PyTorch's default"],
      ["AdamW ε", defaultOptimizer.epsilon, 1e-8, "Kingma 2015, PyTorch's default"],
      ["weight decay", defaultOptimizer.weightDecay, 0.01, "PyTorch's default of AdamW"],
      ["decay of the average of the weights", DEFAULT_AVERAGE_DECAY, 0.998, "ours"],
      ["greatest norm of the gradient", defaultOptimizer.clipNorm, 1, "ours"],
    ],
  ],
  [
    "schedule",
    [
      ["peak learning rate", usualSchedule(3000).peak, 0.001, "PyTorch's default of AdamW"],
      ["warm-up of 3000 steps", usualSchedule(3000).warmUpSteps, 150, "ours: 5 %"],
      ["last learning rate as a share", usualSchedule(3000).final / 0.001, 0.01, "ours"],
      ["decay", usualSchedule(3000).decay, "cosine", "ours; Loshchilov 2017"],
      ["cosine, a quarter of the way", rateAt(25, "cosine"), (1 + Math.SQRT1_2) / 2, "Loshchilov 2017"],
      ["polynomial, half of the way", rateAt(50, "polynomial"), 0.5 ** 0.9, "nnU-Net"],
    ],
  ],
  [
    "initial weights",
    [
      [
        "before a rectifier, 8 inputs",
        he().weight(8, [4, 8]),
        { kind: "normal", deviation: 0.5 },
        "He 2015: √(2/8)",
      ],
      [
        "before a leaky rectifier of slope 1, 16 inputs",
        he(1).weight(16, [4, 16]),
        { kind: "normal", deviation: 0.25 },
        "He 2015",
      ],
      [
        "PyTorch's kaiming_normal_ of 2×2×2",
        kaimingNormal().weight(0, [4, 1, 2, 2, 2]),
        { kind: "normal", deviation: 0.5 },
        "He 2015",
      ],
      [
        "before no rectifier, 16 inputs",
        lecun.weight(16, [4, 16]),
        { kind: "normal", deviation: 0.25 },
        "LeCun 1998",
      ],
      ["linear layers", xavier.weight(2, [4, 2]), { kind: "uniform", limit: 1 }, "Glorot 2010: √(6/6)"],
    ],
  ],
  [
    "sliding window",
    [
      [
        "deviation of the Gaussian as a share of the patch's edge",
        patchWeighting.deviationShare,
        0.125,
        "nnU-Net",
      ],
      ["least weight", patchWeighting.least, 1e-3, "ours"],
      ["overlap", DEFAULT_OVERLAP, 0.5, "nnU-Net's step of half a patch"],
      ["threshold", FOREGROUND_THRESHOLD, 0.5, "nnU-Net"],
      ["smallest component, mL", defaultCleanUp.minimumVolumeMl, 0.03, "ours: a ball of 3.9 mm"],
      ["cavities are filled", defaultCleanUp.fillsCavities, true, "ours"],
      ["components of no node's HU are kept", defaultCleanUp.keepsImplausible, false, "ours"],
      ["width of a neck", defaultNeckRule.widthShare, 0.7, "ours: docs/decisions/segmenting.md"],
      ["least part beside a neck, mL", defaultNeckRule.leastVolumeMl, 0.2, "ours: a ball of 7.3 mm"],
      ["longest group of nodes, mm", defaultNeckRule.mostLengthMm, 150, "ours"],
      ["least confidence of a node", defaultCleanUp.leastConfidence, null, "what the calibration says"],
      ["mean HU of a node", nodeHu, { low: -40, high: 160 }, "ours: necrotic or fatty to strongly enhancing"],
      ["bone from, HU", boneFromHu, 300, "ours: where spongy bone begins"],
      ["air below, HU", airBelowHu, -500, "halfway from air to soft tissue"],
      ["most bone and air of a node", mostBoneOrAir, 0.1, "ours"],
    ],
  ],
  [
    "augmentation",
    [
      ["flip", defaultAugmentation.flip, { probability: 0.5 }, "ours: the neck is nearly symmetric"],
      ["rotation", defaultAugmentation.rotation, { probability: 0.3, maximumDegrees: 15 }, "ours"],
      ["scaling", defaultAugmentation.scaling, { probability: 0.3, lowest: 0.85, highest: 1.15 }, "ours"],
      ["elastic", defaultAugmentation.elastic, { probability: 0.2, maximumMm: 8 }, "ours"],
      ["shift of HU", defaultAugmentation.huShift, { probability: 0.2, maximumHu: 15 }, "ours"],
      [
        "thick slices",
        defaultAugmentation.thickSlices,
        { probability: 0.1, lowestMm: 3, highestMm: 6 },
        "ours",
      ],
      [
        "low resolution",
        defaultAugmentation.lowResolution,
        { probability: 0.1, lowest: 1.25, highest: 2 },
        "ours",
      ],
      ["blur", defaultAugmentation.blur, { probability: 0.15, lowestMm: 0.4, highestMm: 1.2 }, "ours"],
      ["gamma", defaultAugmentation.gamma, { probability: 0.2, lowest: 0.8, highest: 1.25 }, "ours"],
      ["contrast", defaultAugmentation.contrast, { probability: 0.2, lowest: 0.85, highest: 1.15 }, "ours"],
      ["brightness", defaultAugmentation.brightness, { probability: 0.2, maximum: 0.1 }, "ours"],
      ["noise", defaultAugmentation.noise, { probability: 0.15, maximumDeviation: 0.1 }, "ours"],
      ["number of variations", augmentationNames.length, 12, "this table"],
      ["none", Object.values(noAugmentation).every(({ probability }) => probability === 0), true, "ours"],
    ],
  ],
  [
    "networks",
    [
      [
        "LNSNet",
        networkPresets.lnsnet.configuration,
        {
          inputs: 1,
          classes: 1,
          stages: [32, 64, 128, 256], // the 3D Partial U-Net's
          stem: "full",
          headChannels: 16,
          depths: [2, 4, 4, 8], // the 3D Partial U-Net's
          decoderDepth: 2, // the 3D Partial U-Net's
          partialRatio: 0.25, // FasterNet
          kernel: 3, // FasterNet
          expansion: 2, // FasterNet
          pointwiseGroups: "dense", // FasterNet
          norm: "instance",
          dropPath: 0.2, // the 3D Partial U-Net's; stochastic depth by Huang 2016
          boundaryModule: true, // the paper's LBEM
          depthwiseSeparable: "head", // the paper's, "at the bottom of the network"
          convolution: "partial", // the paper's VPConv
        },
        "the paper names the parts; their sizes are ours",
      ],
      [
        "slope of Leaky ReLU at −1",
        numbersOf(leakyRelu(constant([1], [-1])))[0],
        expect.closeTo(-0.01, 8),
        "Maas 2013",
      ],
      [
        "ε of instance normalisation, of values 0 and 2·√1e-5",
        numbersOf(instanceNorm(constant([1, 1, 2], [0, 2 * Math.sqrt(1e-5)]), null))[1],
        expect.closeTo(Math.SQRT1_2, 5),
        "PyTorch's default 1e-5",
      ],
    ],
  ],
  [
    "loss",
    [
      [
        "soft Dice and cross-entropy weigh the same",
        numbersOf(diceCrossEntropyLoss(constant([1, 1, 2], [0, 0]), constant([1, 1, 2], [1, 0])))[0],
        expect.closeTo(0.5 + Math.LN2, 4),
        "nnU-Net",
      ],
      [
        "smoothing of soft Dice, where there is neither foreground nor prediction",
        numbersOf(softDiceLoss(constant([1, 1, 1], [Math.log(1e-5)]), constant([1, 1, 1], [0])))[0],
        expect.closeTo(0.5, 4),
        "nnU-Net's 1e-5",
      ],
      [
        "deep supervision of three outputs whose losses are 0, 0 and 1",
        numbersOf(
          deepSupervisionLoss(
            [0, 0, 1].map((loss) => ({ logits: scalar(loss), label: scalar(0) })),
            (logits) => logits,
          ),
        )[0],
        expect.closeTo(1 / 7, 6),
        "nnU-Net: weights 1, ½, ¼ of their sum",
      ],
      [
        "focus of focal loss at p = ½",
        numbersOf(focalLoss(constant([1, 1, 1], [0]), constant([1, 1, 1], [1])))[0],
        expect.closeTo(Math.LN2 / 4, 6),
        "Lin 2017: γ = 2",
      ],
    ],
  ],
  [
    "nodes",
    [
      [
        "an IoU of 0.3 is no hit, one above is",
        [0.3, 0.31].map((iou) => matchNodes([{ truthId: 1, predictionId: 1, iou }]).length),
        [0, 1],
        "LNQ 2023",
      ],
      [
        "strata of the short axis, mm",
        sensitivityBySize([]).map(({ fromMm, toMm }) => [fromMm, toMm]),
        [
          [0, 5],
          [5, 10],
          [10, 15],
          [15, null],
        ],
        "RECIST 1.1: 10 and 15 mm",
      ],
    ],
  ],
])("%s", (_, rows) => {
  test.each(rows.map(([name, actual, expected, source]) => ({ name, actual, expected, source })))(
    "$name ($source)",
    ({ actual, expected }) => expect(actual).toEqual(expected),
  );
});
