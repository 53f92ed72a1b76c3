// Measures the nodes of a label file: volume, axes, density and position.
import { nodeJson, nodesCsv } from "@lnsnet/core";
import type { NodeJson } from "@lnsnet/core/reports";
import { measureNodes, type NodeSplit } from "@lnsnet/core/voxels";
import { writeAtomically } from "../files/disk.js";
import { readImage } from "../files/imaging.js";
import { hasSeveralValues, type ReadLabels, readLabels } from "../files/labels.js";
import { requireFreeFile } from "../files/outputs.js";
import type { Job } from "../work/job.js";

export interface MeasuringOptions {
  /** The scan that the labels were drawn on, for densities and the side of the neck. */
  readonly image?: string | undefined;
  /** Which series of the image, where there are several. */
  readonly series?: string | undefined;
  /** Which segments or ROIs are measured, by their names; null measures all. */
  readonly pattern?: RegExp | null;
  /** What counts as one node. "auto" takes each label where there are several or they have names, and components elsewhere. */
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
  const split = splitOf(options.split ?? "auto", labels);
  const names = split === "labels" ? labels.names : [];
  const nameOf = new Map(names.map(({ label, name }) => [label, name]));
  const nodes = measureNodes(labels.volume, reference?.volume ?? null, split).map((node) =>
    nodeJson(node, null, nameOf.get(node.id) ?? null),
  );
  if (csvPath !== undefined) await writeAtomically(csvPath, nodesCsv(nodes));
  return nodes;
}

/** Nodes that have a name or a value of their own stay whole, in however many pieces. */
function splitOf(asked: "auto" | NodeSplit, { volume, names }: ReadLabels): NodeSplit {
  if (asked !== "auto") return asked;
  return names.length > 0 || hasSeveralValues(volume) ? "labels" : "components";
}
