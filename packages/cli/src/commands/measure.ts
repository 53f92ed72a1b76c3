// lnsnet measure: the nodes of a label file, each with its volume, axes, density and place.
import { InputError, measureNodes, type NodeSplit, textTable } from "@lnsnet/core";
import { defineCommand } from "citty";
import { readImage } from "../imaging.js";
import { hasSeveralValues, type ReadLabels, readLabels } from "../labels.js";
import { type NodeJson, nodeJson } from "../node-json.js";
import { printJson, printProblems, printText } from "../output.js";
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
    series: { type: "string", description: "of several series in --image, the one", valueHint: "SERIES" },
    roi: {
      type: "string",
      description: "names of the bodies to measure, such as '/LN|node/i'",
      valueHint: "PATTERN",
    },
    split: {
      type: "enum",
      description: "what one node is: a connected body, a label value, or labels where there are several",
      options: ["auto", "components", "labels"],
      default: "auto",
    },
    json: { type: "boolean", description: "print JSON" },
  },
  async run({ args }) {
    if (args.series !== undefined && args.image === undefined)
      throw new InputError("--series chooses in --image; give both.");
    const reference = args.image === undefined ? null : await readImage(args.image, args.series);
    const { volume, names, problems } = await readLabels(args.labels, {
      reference,
      pattern: patternOf(args.roi),
    });
    printProblems(problems);
    const nodes = measureNodes(volume, reference?.volume ?? null, splitOf(args.split, { volume, names })).map(
      nodeJson,
    );
    if (args.json === true) printJson({ nodes });
    else printText(nodesText(nodes, new Map(names.map(({ label, name }) => [label, name]))));
  },
});

/** Bodies that have a name or a value of their own stay whole, in however many pieces. */
function splitOf(asked: string, { volume, names }: Pick<ReadLabels, "volume" | "names">): NodeSplit {
  if (asked === "components" || asked === "labels") return asked;
  return names.length > 0 || hasSeveralValues(volume) ? "labels" : "components";
}

function nodesText(nodes: readonly NodeJson[], names: ReadonlyMap<number, string>): string {
  if (nodes.length === 0) return "There is no node: every label is 0.";
  const digits = (count: number) => (value: number) => value.toFixed(count);
  return textTable(
    [
      { key: "id", title: "node" },
      { key: "name", title: "name" },
      { key: "volume_ml", title: "volume", unit: "mL", format: digits(2) },
      { key: "short_axis_mm", title: "short axis", unit: "mm", format: digits(1) },
      { key: "long_axis_mm", title: "long axis", unit: "mm", format: digits(1) },
      { key: "hu_mean", title: "mean", unit: "HU", format: digits(0) },
      { key: "side", title: "side" },
      { key: "x", title: "L", unit: "mm", format: digits(1) },
      { key: "y", title: "P", unit: "mm", format: digits(1) },
      { key: "z", title: "S", unit: "mm", format: digits(1) },
    ],
    nodes.map(({ centroid_lps_mm: [x, y, z], ...node }) => ({
      ...node,
      name: names.get(node.id) ?? null,
      x,
      y,
      z,
    })),
  );
}
