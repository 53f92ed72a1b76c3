// What another program has to know to use an exported network: written beside the ONNX file as JSON.

import type { PatchSize, Plan } from "@lnsnet/core";
import { DEFAULT_OVERLAP, FOREGROUND_THRESHOLD, patchWeighting } from "@lnsnet/core/inference";

/**
 * @param onnx name of the ONNX file, which lies beside the recipe
 * @param patchSize depth, height, width of the exported input
 */
export function exportRecipe(onnx: string, plan: Plan, patchSize: PatchSize, steps: number) {
  const { lowHu, highHu } = plan.window;
  const shape = [1, plan.network.configuration.inputs, ...patchSize];
  return {
    onnx,
    use: "research use only",
    network: plan.network,
    trained_on: plan.dataLabel,
    steps,
    preparation: {
      orientation: "LPS",
      spacing_xyz_mm: plan.spacingMm,
      interpolation: "linear",
      window_hu: [lowHu, highHu],
      rounded_to_whole_hu: true,
      scaled_to: [-1, 1],
      outside_hu: lowHu,
    },
    input: {
      name: "image",
      type: "float32",
      shape,
      axes: ["batch", "channel", "z, feet to head", "y, front to back", "x, right to left"],
    },
    output: {
      name: "logits",
      type: "float32",
      shape,
      activation: "sigmoid",
      threshold: FOREGROUND_THRESHOLD,
      labels: { background: 0, [plan.foreground]: 1 },
    },
    patches: {
      size_zyx: patchSize,
      overlap: DEFAULT_OVERLAP,
      weight: "gaussian",
      weight_deviation_share: patchWeighting.deviationShare,
      weight_least: patchWeighting.least,
      skipped: "patches without a voxel above the window's lower end have the probability 0",
    },
  };
}
