// lnsnet import weights: tensors of the same network from elsewhere in, a model out.
import { networkTitle } from "@lnsnet/core/networks";
import { importWeights } from "@lnsnet/node/segmenting";
import { defineCommand } from "citty";
import { forceArgument, jsonArgument } from "../arguments.js";
import { printJson, printText } from "../terminal/terminal.js";

export const importWeightsCommand = defineCommand({
  meta: {
    name: "import weights",
    description:
      "Make a model of weights that the same network has elsewhere, such as in PyTorch: safetensors, or a state dictionary of torch.save",
  },
  args: {
    weights: {
      type: "positional",
      description: "file of tensors: .safetensors, .pt or .pth",
      required: true,
    },
    model: {
      type: "string",
      description: "a model of the same network, whose plan the result has",
      valueHint: "FILE",
      required: true,
    },
    names: {
      type: "string",
      description:
        "JSON file with the name of ours for each name that differs, or null to leave a tensor out",
      valueHint: "FILE",
    },
    data: {
      type: "string",
      description: "what the weights were trained on, as every result names it",
      valueHint: "NAME",
    },
    output: { type: "string", description: "model to write", valueHint: "FILE", required: true },
    force: forceArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const { plan, weights } = await importWeights(args.weights, {
      modelPath: args.model,
      namesPath: args.names,
      dataLabel: args.data,
      output: args.output,
      force: args.force === true,
    });
    if (args.json === true)
      printJson({
        model: args.output,
        network: plan.network,
        tensors: weights.size,
        trained_on: plan.dataLabel,
      });
    else
      printText(
        `${args.output}: ${networkTitle(plan.network)} with ${weights.size} tensors of ${args.weights}, trained on ${plan.dataLabel}. They keep their own licence. Research use only.`,
      );
  },
});
