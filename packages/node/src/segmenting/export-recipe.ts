// What another program has to know to use an exported network: written beside the ONNX file as JSON.

import { DEFAULT_OVERLAP, FOREGROUND_THRESHOLD, patchWeighting } from "@lnsnet/core/inference";
import type { Plan } from "@lnsnet/core/models";
import {
  type Channel,
  isWindow,
  type LabelScheme,
  labelSchemeOf,
  logitChannels,
  type NnunetUse,
  outsideOf,
  type PatchSize,
  type Scaling,
} from "@lnsnet/core/transforms";

/**
 * @param onnx name of the ONNX file, which lies beside the recipe
 * @param patchSize depth, height, width of the exported input
 */
export function exportRecipe(onnx: string, plan: Plan, patchSize: PatchSize, steps: number) {
  const { inputs, classes } = plan.network.configuration;
  return {
    onnx,
    use: "research use only",
    network: plan.network,
    trained_on: plan.dataLabel,
    steps,
    preparation:
      plan.nnunet === undefined ? preparationRecipe(plan) : nnunetPreparationRecipe(plan, plan.nnunet),
    input: {
      name: "image",
      type: "float32",
      shape: [1, inputs, ...patchSize],
      axes: ["batch", "channel", ...(plan.nnunet === undefined ? patientAxes : ["depth", "height", "width"])],
      ...(plan.clickMaps === undefined ? {} : { clicks: clickRecipe(plan.clickMaps.radiusMm) }),
    },
    output: {
      name: "logits",
      type: "float32",
      shape: [1, classes, ...patchSize],
      ...answerRecipe(labelSchemeOf(plan), writtenLabels(plan)),
    },
    patches:
      plan.nnunet === undefined ? patchRecipe(plan, patchSize) : nnunetPatchRecipe(patchSize, plan.nnunet),
  };
}

/** What the channels behind those of the image hold. */
const clickRecipe = (radiusMm: number) => ({
  channels: ["positive clicks", "negative clicks"],
  value: "max(0, 1 − d / radius), with the distance d from the voxel's centre to the nearest click",
  radius_mm: radiusMm,
});

const patientAxes = ["z, feet to head", "y, front to back", "x, right to left"];

const preparationRecipe = (plan: Plan) => ({
  orientation: "LPS",
  spacing_xyz_mm: plan.spacingMm,
  interpolation: "linear",
  ...(plan.channels === undefined
    ? scalingRecipe(plan.window)
    : { channels: plan.channels.map(channelRecipe) }),
});

/** nnU-Net's own preparation, in the order of its steps and with its names. */
const nnunetPreparationRecipe = (
  { spacingMm: [width, height, depth] }: Plan,
  { turnedToRas, axes, normalizations, imageResampling }: NnunetUse,
) => ({
  by: "nnU-Net v2, DefaultPreprocessor",
  orientation: turnedToRas ? "RAS" : "the scan's own axes",
  transpose_forward: axes,
  cropping: "to the smallest box around the voxels that are not 0 in every channel",
  normalization_per_channel: normalizations,
  spacing_mm: [depth, height, width],
  resampling: { ...imageResampling, order_along_separate_axis: 0 },
});

const nnunetPatchRecipe = (patchSize: PatchSize, { mirroredAxes, logitResampling }: NnunetUse) => ({
  by: "nnU-Net v2, nnUNetPredictor",
  size: patchSize,
  step_size: 1 - DEFAULT_OVERLAP,
  weight: "gaussian, as nnU-Net's",
  mirrored_axes: mirroredAxes,
  averaged: "logits of mirrored and overlapping patches and of all folds",
  resampling_of_logits: { ...logitResampling, order_along_separate_axis: 0 },
});

function patchRecipe(plan: Plan, patchSize: PatchSize) {
  return {
    size_zyx: patchSize,
    overlap: DEFAULT_OVERLAP,
    weight: "gaussian",
    weight_deviation_share: patchWeighting.deviationShare,
    weight_least: patchWeighting.least,
    skipped:
      plan.channels === undefined
        ? "patches without a voxel above the window's lower end have the probability 0"
        : "patches have the probability 0 where there are channels with a window, and none has a voxel above its lower end",
  };
}

/** The value that is written for each class, by its name. */
export function writtenLabels(plan: Plan): Readonly<Record<string, number>> {
  const { classes } = labelSchemeOf(plan);
  if (classes.length === 1) return { background: 0, [plan.foreground]: 1 };
  return { background: 0, ...Object.fromEntries(classes.map(({ name, writtenAs }) => [name, writtenAs])) };
}

const channelRecipe = ({ name, scaling }: Channel) => ({ name, ...scalingRecipe(scaling) });

function scalingRecipe(scaling: Scaling) {
  if (!isWindow(scaling))
    return {
      z_score:
        "(value - mean) / standard deviation, over the scan's voxels that are not 0, before resampling; voxels of 0 stay 0",
      rounded_to: 0.001,
      outside: outsideOf(scaling),
    };
  return {
    window_hu: [scaling.lowHu, scaling.highHu],
    rounded_to_whole_hu: true,
    scaled_to: [-1, 1],
    outside_hu: outsideOf(scaling),
  };
}

/** How logits become labels. */
function answerRecipe(scheme: LabelScheme, labels: Readonly<Record<string, number>>) {
  const { classes, kind } = scheme;
  if (classes.length === 1) return { activation: "sigmoid", threshold: FOREGROUND_THRESHOLD, labels };
  const first = logitChannels(scheme) - classes.length;
  const rows = classes.map(({ name, values, writtenAs }, at) => ({
    name,
    channel: at + first,
    values,
    written_as: writtenAs,
  }));
  return kind === "exclusive"
    ? { activation: "softmax", decision: "the most probable of all channels", labels, classes: rows }
    : {
        activation: "sigmoid",
        threshold: FOREGROUND_THRESHOLD,
        decision: "in the order of the classes, a later one overwrites an earlier one",
        labels,
        regions_class_order: classes.map(({ writtenAs }) => writtenAs),
        classes: rows,
      };
}
