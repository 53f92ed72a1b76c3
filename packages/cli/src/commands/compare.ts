// lnsnet compare: several networks under one protocol and budget, in one table.
import { comparedByDefault, comparedNetworks } from "@lnsnet/node/experiments";
import { defineCommand } from "citty";
import { comparisonArguments, namesIn, runComparison } from "../comparison-arguments.js";
import { experimentArguments } from "../experiment-arguments.js";

export const compareCommand = defineCommand({
  meta: {
    name: "compare",
    description:
      "Train several networks on the same data, folds and budget, and write one table of accuracy and cost. The same command again continues where it stopped",
  },
  args: {
    dataset: experimentArguments.dataset,
    output: {
      type: "string",
      description: "folder of the comparison: a cross-validation of each network, tables, picture, report",
      default: "comparison",
      valueHint: "FOLDER",
    },
    networks: {
      type: "string",
      description:
        "networks, separated by commas; the others are tested against the first; by default the main one of each kind, LNSNet first",
      valueHint: "NAMES",
    },
    ...comparisonArguments,
  },
  async run({ args }) {
    const setting = { command: "lnsnet compare", title: "Compared networks" };
    await runComparison(args, setting, () => comparedNetworks(namesIn(args.networks) ?? comparedByDefault));
  },
});
