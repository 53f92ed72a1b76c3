// lnsnet measure: the nodes of a label file, each with its volume, axes, density and place.
import { InputError } from "@lnsnet/core/errors";
import { roiPattern } from "@lnsnet/core/formats";
import { nodesText } from "@lnsnet/core/reports";
import { measureFile } from "@lnsnet/node/evaluation";
import { defineCommand } from "citty";
import { csvArgument, forceArgument, jsonArgument } from "../arguments.js";
import { printJson, printText, terminalJob } from "../terminal/terminal.js";

export const measureCommand = defineCommand({
  meta: {
    name: "measure",
    description:
      "Measure each node: volume, short and long axis in the axial plane (RECIST 1.1), Feret diameters, HU, side",
  },
  args: {
    labels: {
      type: "positional",
      description: "labels: a volume file, a DICOM SEG or an RTSTRUCT",
      required: true,
    },
    image: {
      type: "string",
      description: "the scan that they were drawn on, for HU and the side of the neck",
      valueHint: "PATH",
    },
    series: {
      type: "string",
      description: "which series of --image, if there are several",
      valueHint: "SERIES",
    },
    roi: {
      type: "string",
      description: "which ROIs or segments to measure, by name, such as '/LN|node/i'",
      valueHint: "PATTERN",
    },
    split: {
      type: "enum",
      description:
        "what counts as one node: a connected component, a label value, or labels if there are several that are no classes (auto)",
      options: ["auto", "components", "labels"],
      default: "auto",
    },
    csv: csvArgument,
    force: forceArgument,
    json: jsonArgument,
  },
  async run({ args }) {
    if (args.series !== undefined && args.image === undefined)
      throw new InputError("--series chooses in --image; give both.");
    const nodes = await measureFile(
      args.labels,
      {
        image: args.image,
        series: args.series,
        pattern: args.roi === undefined ? null : roiPattern(args.roi),
        split: args.split,
        csvPath: args.csv,
        force: args.force === true,
      },
      terminalJob(),
    );
    if (args.json === true) printJson({ nodes });
    else printText(nodes.length > 0 ? nodesText(nodes) : "There is no node: every label is 0.");
  },
});
