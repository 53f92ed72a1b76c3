// lnsnet import nnunet: a trained model of nnU-Net v2 in, a model of ours out, without Python.

import { networkTitle } from "@lnsnet/core/networks";
import { counted } from "@lnsnet/core/text";
import { importNnunet } from "@lnsnet/node/segmenting";
import { defineCommand } from "citty";
import { forceArgument, jsonArgument } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const importNnunetCommand = defineCommand({
  meta: {
    name: "import nnunet",
    description:
      "Make a model of what nnU-Net v2 trained: plain and residual-encoder U-Nets in 3D. It then predicts as nnU-Net does, exports, and runs in a browser",
  },
  args: {
    folder: {
      type: "positional",
      description: "folder with plans.json, dataset.json and fold_0, fold_1, …, as nnU-Net v2 writes it",
      required: true,
    },
    output: {
      type: "string",
      description: "folder for the model, which predict --model takes; several folds are averaged",
      valueHint: "FOLDER",
      required: true,
    },
    fold: {
      type: "string",
      description: "folds to import, separated by commas, such as 0,1 or all; by default every numbered one",
      valueHint: "FOLDS",
    },
    checkpoint: {
      type: "string",
      description: "name of the checkpoint in each fold",
      default: "checkpoint_final.pth",
      valueHint: "NAME",
    },
    mirroring: {
      type: "boolean",
      description: "average over mirrored patches, as nnU-Net does",
      default: true,
      negativeDescription:
        "leave out the average over mirrored patches, which takes up to eight times as long",
    },
    force: forceArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    const { models } = await importNnunet(
      args.folder,
      {
        output: args.output,
        folds: args.fold?.split(","),
        checkpoint: args.checkpoint,
        mirrored: args.mirroring,
        force: args.force === true,
      },
      terminalJob(),
    );
    const [{ model }] = models;
    const { plan, weights } = model;
    const parameters = [...weights.values()].reduce((sum, { length }) => sum + length, 0);
    if (args.json === true)
      printJson({
        output: args.output,
        models: models.map(({ fold, path }) => ({ fold, path })),
        network: plan.network,
        parameters,
        trained_on: plan.dataLabel,
        plan,
      });
    else
      printText(
        [
          `${args.output}: ${counted(models.length, "fold")} of ${networkTitle(plan.network)}, ${(parameters / 1e6).toFixed(2)} million parameters each, trained on ${plan.dataLabel}.`,
          `It finds: ${plan.foreground}.`,
          `Its weights keep the licence under which they were published. Research use only.`,
          `To use it: lnsnet predict SCAN --model ${args.output}`,
        ].join("\n"),
      );
  },
});
