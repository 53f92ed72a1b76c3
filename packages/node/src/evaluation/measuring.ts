// Measures the nodes of a label file: volume, axes, density and position.
import { type NodeJson, nodeJson, nodesCsv } from "@lnsnet/core/reports";
import { type DrawnLabels, hasSeveralValues } from "@lnsnet/core/results";
import { type LabelScheme, targetNumbers, targetTable, truthOfClass } from "@lnsnet/core/transforms";
import type { IntegerVoxelArray, Volume } from "@lnsnet/core/volume";
import { measureNodes, type NodeSplit } from "@lnsnet/core/voxels";
import { writeAtomically } from "../files/disk.js";
import { readImage } from "../files/imaging.js";
import { readLabels } from "../files/labels.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";
import { classesOfLabels } from "./judged-classes.js";

export interface MeasuringOptions {
  /** The scan that the labels were drawn on, for densities and the side of the neck. */
  readonly image?: string | undefined;
  /** Which series of the image, where there are several. */
  readonly series?: string | undefined;
  /** Which segments or ROIs are measured, by their names; null measures all. */
  readonly pattern?: RegExp | null;
  /** What counts as one node. "auto" takes each label where there are several or they have names, components of each class where a manifest or a dataset.json names classes, and components elsewhere. */
  readonly split?: "auto" | NodeSplit;
  /** A file that the table is written to. */
  readonly csvPath?: string | undefined;
  /** Whether to replace an existing table. */
  readonly force?: boolean;
}

/**
 * Measures the nodes of a volume file, a DICOM SEG or an RTSTRUCT. Anything unusual in the input is logged.
 *
 * @throws InputError where a file cannot be used, the two do not fit each other, or the table stands there already
 */
export async function measureFile(
  path: string,
  options: MeasuringOptions = {},
  { log }: Job = {},
): Promise<NodeJson[]> {
  const { image, series, pattern = null, csvPath } = options;
  if (csvPath !== undefined) {
    const inputs = [path, ...(image === undefined ? [] : [image])];
    await requireFreeFile(csvPath, { inputs, force: options.force === true });
  }
  const reference = image === undefined ? null : await readImage(image, series);
  const labels = await readLabels(path, { reference, pattern });
  for (const problem of [...(reference?.problems ?? []), ...labels.problems]) log?.(problem);
  const scan = reference?.volume ?? null;
  const asked = options.split ?? "auto";
  const scheme = asked === "auto" && labels.names.length === 0 ? await classesOfLabels(path) : null;
  const nodes =
    scheme === null
      ? nodesOfLabels(labels, splitOf(asked, labels), scan)
      : nodesOfClasses(labels.volume, scheme, scan);
  if (csvPath !== undefined) await writeAtomically(csvPath, nodesCsv(nodes));
  return nodes;
}

function nodesOfLabels({ volume, names }: DrawnLabels, split: NodeSplit, scan: Volume | null): NodeJson[] {
  const nameOf = new Map((split === "labels" ? names : []).map(({ label, name }) => [label, name]));
  return measureNodes(volume, scan, split).map((node) => nodeJson(node, null, nameOf.get(node.id) ?? null));
}

/** The connected components of each class, numbered on from class to class. */
function nodesOfClasses(
  labels: Volume<IntegerVoxelArray>,
  scheme: LabelScheme,
  scan: Volume | null,
): NodeJson[] {
  const table = targetTable(scheme);
  const numbers = targetNumbers(labels.data, table);
  return scheme.classes
    .flatMap(({ name }, position) => {
      const mask = { ...labels, data: truthOfClass(numbers, table, position) };
      return measureNodes(mask, scan, "components").map((node) => nodeJson(node, { className: name }));
    })
    .map((node, at) => ({ ...node, id: at + 1 }));
}

/** Nodes that have a name or a value of their own stay whole, in however many pieces. */
function splitOf(asked: "auto" | NodeSplit, { volume, names }: DrawnLabels): NodeSplit {
  if (asked !== "auto") return asked;
  return names.length > 0 || hasSeveralValues(volume) ? "labels" : "components";
}
