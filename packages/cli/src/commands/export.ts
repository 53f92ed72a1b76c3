// lnsnet export: a trained model as an ONNX file that any runtime reads.

import { loadModel } from "@lnsnet/node/files";
import { exportModel, shippedModelPath } from "@lnsnet/node/segmenting";
import { defineCommand } from "citty";
import { forceArgument, jsonArgument, realNumber } from "../arguments.js";
import { networkSize } from "../network-size.js";
import { printJson, printText } from "../terminal/terminal.js";

export const exportCommand = defineCommand({
  meta: {
    name: "export",
    description:
      "Write a trained model as an ONNX file, with a JSON file that says how to use it, or as float16 safetensors",
  },
  args: {
    model: {
      type: "string",
      description: "model.safetensors of a training; by default the shipped finder",
      valueHint: "FILE",
    },
    output: {
      type: "string",
      description: "file to write: .onnx, or .safetensors for a model of half the size",
      default: "lnsnet.onnx",
      valueHint: "FILE",
    },
    patch: {
      type: "string",
      description: "size of the input in voxels; by default that of the training patches",
      valueHint: "D,H,W",
    },
    target: {
      type: "enum",
      description: "what will run the .onnx file; webgpu uses only operations that WebGPU supports",
      options: ["cpu", "webgpu"],
      default: "cpu",
    },
    "average-with": {
      type: "string",
      description:
        "another training of the same network, begun with the weights of the model or with the same ones; the mean of both weights is written",
      valueHint: "FILE",
    },
    threshold: {
      type: "string",
      description:
        "probability from which on a voxel is foreground; the exported LNSNet gives 0.5 there, and has no calibration",
      valueHint: "PROBABILITY",
    },
    force: forceArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const modelPath = args.model ?? shippedModelPath("finder");
    const patchSize =
      args.patch === undefined
        ? undefined
        : networkSize(args.patch, "--patch", (await loadModel(modelPath)).plan.network);
    const { path, dataLabel, onnx } = await exportModel(modelPath, {
      output: args.output,
      patchSize,
      target: args.target,
      averageWith: args["average-with"],
      ...(args.threshold === undefined
        ? {}
        : { threshold: realNumber(args.threshold, "--threshold", 0.001, 0.999) }),
      force: args.force === true,
    });
    if (onnx === null) {
      if (args.json === true) printJson({ model: path, trained_on: dataLabel });
      else printText(`${path}: float16 weights, trained on ${dataLabel}. Research use only.`);
      return;
    }
    const { recipePath, bytes, inputShape, metadata } = onnx;
    if (args.json === true) printJson({ onnx: path, recipe: recipePath, bytes, ...metadata });
    else
      printText(
        `${path}: image [${inputShape.join(", ")}] to logits, ${(bytes / 1e6).toFixed(1)} MB, trained on ${dataLabel}.\nHow to use it: ${recipePath}\nResearch use only.`,
      );
  },
});
