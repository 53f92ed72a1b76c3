// lnsnet dataset join: two data sets as one to train on.
import { counted } from "@lnsnet/core/text";
import { joinDatasets } from "@lnsnet/node/making";
import { defineCommand } from "citty";
import { jsonArgument } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

const partArgument = {
  type: "positional",
  description: "data set in nnU-Net's layout, with the channels and classes of the other",
  required: true,
} as const;

export const datasetJoinCommand = defineCommand({
  meta: {
    name: "dataset join",
    description:
      "Write a data set that names the training cases of two others where they lie; nothing is copied. Join the result with a third for more",
  },
  args: {
    first: partArgument,
    second: partArgument,
    output: {
      type: "string",
      description: "folder for the joined data set's dataset.json",
      valueHint: "FOLDER",
      required: true,
    },
    name: {
      type: "string",
      description: "name of the joined data set, which every result names; by default both names",
      valueHint: "NAME",
    },
    json: jsonArgument,
  },
  async run({ args }) {
    const { name, training } = await joinDatasets(
      [args.first, args.second],
      args.output,
      { name: args.name },
      terminalJob(),
    );
    if (args.json === true) printJson({ output: args.output, name, training });
    else
      printText(
        `${args.output}: "${name}", with ${training.map(({ dataset, cases }) => `${counted(cases, "training case")} of ${dataset}`).join(" and ")}. Test cases stay in their data sets.`,
      );
  },
});
