// lnsnet measure: the nodes of a label file, each with its volume, axes, density and place.
import { InputError, nodeJson, nodesCsv, nodesText } from "@lnsnet/core";
import { measureNodes, type NodeSplit } from "@lnsnet/core/voxels";
import {
  hasSeveralValues,
  type ReadLabels,
  readImage,
  readLabels,
  requireFreeFile,
  writeAtomically,
} from "@lnsnet/node";
import { defineCommand } from "citty";
import { forceArgument } from "../arguments.js";
import { printJson, printProblems, printText } from "../terminal/terminal.js";
import { patternOf } from "./convert.js";

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
        "what counts as one node: a connected component, a label value, or labels if there are several (auto)",
      options: ["auto", "components", "labels"],
      default: "auto",
    },
    csv: { type: "string", description: "write the table to a file too", valueHint: "FILE" },
    force: forceArgument,
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    if (args.csv !== undefined) {
      const inputs = [args.labels, ...(args.image === undefined ? [] : [args.image])];
      await requireFreeFile(args.csv, { inputs, force: args.force === true });
    }
    if (args.series !== undefined && args.image === undefined)
      throw new InputError("--series chooses in --image; give both.");
    const reference = args.image === undefined ? null : await readImage(args.image, args.series);
    const { volume, names, problems } = await readLabels(args.labels, {
      reference,
      pattern: patternOf(args.roi),
    });
    printProblems([...(reference?.problems ?? []), ...problems]);
    const split = splitOf(args.split, { volume, names });
    const nameOf = new Map(split === "labels" ? names.map(({ label, name }) => [label, name]) : []);
    const nodes = measureNodes(volume, reference?.volume ?? null, split).map((node) =>
      nodeJson(node, null, nameOf.get(node.id) ?? null),
    );
    if (args.csv !== undefined) await writeAtomically(args.csv, nodesCsv(nodes));
    if (args.json === true) printJson({ nodes });
    else printText(nodes.length > 0 ? nodesText(nodes) : "There is no node: every label is 0.");
  },
});

/** Bodies that have a name or a value of their own stay whole, in however many pieces. */
function splitOf(asked: string, { volume, names }: Pick<ReadLabels, "volume" | "names">): NodeSplit {
  if (asked === "components" || asked === "labels") return asked;
  return names.length > 0 || hasSeveralValues(volume) ? "labels" : "components";
}
