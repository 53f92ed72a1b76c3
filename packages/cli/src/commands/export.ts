// lnsnet export: a trained model as an ONNX file that any runtime reads.
import { basename } from "node:path";
import { InputError, inferenceModel, networkTitle } from "@lnsnet/core";
import { fitsSize } from "@lnsnet/core/networks";
import {
  loadModel,
  requireFreeFile,
  saveModel,
  shippedModelPath,
  writeAtomically,
  writeJson,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { forceArgument, networkSize } from "../arguments.js";
import { exportRecipe } from "../export-recipe.js";
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
      description: "model.safetensors of a training; by default the shipped phantom model",
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
    force: forceArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    const modelPath = args.model ?? shippedModelPath;
    const isOnnx = !args.output.endsWith(".safetensors");
    const recipePath = `${args.output.replace(/\.onnx$/, "")}.json`;
    for (const path of isOnnx ? [args.output, recipePath] : [args.output])
      await requireFreeFile(path, { inputs: [modelPath], force: args.force === true });
    const { plan, weights, steps } = await loadModel(modelPath);
    if (!isOnnx) {
      await saveModel(args.output, { plan, steps, weights }, true);
      if (args.json === true) printJson({ model: args.output, trained_on: plan.dataLabel });
      else printText(`${args.output}: float16 weights, trained on ${plan.dataLabel}. Research use only.`);
      return;
    }
    const patch =
      args.patch === undefined ? plan.patchSize : networkSize(args.patch, "--patch", plan.network);
    if (!fitsSize(plan.network, weights, patch))
      throw new InputError(
        `--patch is ${args.patch}, and the weights of this ${networkTitle(plan.network)} belong to patches of ${plan.patchSize.join(",")}; leave --patch out.`,
      );
    const metadata = {
      target: args.target,
      patch_size: patch.join(","),
      spacing_mm: plan.spacingMm.join(","),
      window_hu: `${plan.window.lowHu},${plan.window.highHu}`,
      labels: JSON.stringify({ background: 0, [plan.foreground]: 1 }),
      trained_on: plan.dataLabel,
      network: JSON.stringify(plan.network),
      steps: String(steps),
      use: "research use only",
    };
    const bytes = inferenceModel(plan.network, [1, plan.network.configuration.inputs, ...patch], weights, {
      target: args.target,
      metadata,
    });
    await writeAtomically(args.output, bytes);
    await writeJson(recipePath, exportRecipe(basename(args.output), plan, patch, steps));
    if (args.json === true)
      printJson({ onnx: args.output, recipe: recipePath, bytes: bytes.length, ...metadata });
    else
      printText(
        `${args.output}: image [1, ${plan.network.configuration.inputs}, ${patch.join(", ")}] to logits, ${(bytes.length / 1e6).toFixed(1)} MB, trained on ${plan.dataLabel}.\nHow to use it: ${recipePath}\nResearch use only.`,
      );
  },
});
