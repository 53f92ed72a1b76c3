// lnsnet ablate: variants of LNSNet under one protocol and budget, in one table.
import { lnsnetVariantNames, networkPresets } from "@lnsnet/core/networks";
import { comparedVariants } from "@lnsnet/node/experiments";
import { hasStations } from "@lnsnet/node/training";
import { defineCommand } from "citty";
import { comparisonArguments, namesIn, runComparison } from "../comparison-arguments.js";
import { experimentArguments } from "../experiment-arguments.js";

export const ablateCommand = defineCommand({
  meta: {
    name: "ablate",
    description:
      "Compare variants of LNSNet, each of which changes one thing, as lnsnet compare does with networks. The same command again continues where it stopped",
  },
  args: {
    dataset: experimentArguments.dataset,
    output: {
      type: "string",
      description: "folder of the ablation: a cross-validation of each variant, tables, picture, report",
      default: "ablation",
      valueHint: "FOLDER",
    },
    network: {
      type: "enum",
      description: "the LNSNet that is varied, and against which its variants are tested",
      options: Object.keys(networkPresets).filter((name) => networkPresets[name].name === "lnsnet"),
      default: "lnsnet",
    },
    variants: {
      type: "string",
      description: `variants, separated by commas: ${lnsnetVariantNames.join(", ")}; by default all that differ from the network and that the data allow`,
      valueHint: "NAMES",
    },
    ...comparisonArguments,
  },
  async run({ args }) {
    const setting = { command: "lnsnet ablate", title: "Ablation of LNSNet" };
    await runComparison(args, setting, async (dataset) =>
      comparedVariants(args.network, namesIn(args.variants), {
        channels: dataset.channels.length,
        hasStations: await hasStations(dataset),
      }),
    );
  },
});
