// Nodes that were drawn on a scan elsewhere, or saved by this page: from a SEG, an RTSTRUCT or a file of labels.
import { InputError, type Vector3, type Volume } from "@lnsnet/core";
import { type NamedFile, nrrdSegments, type VolumeFile } from "@lnsnet/core/formats";
import type { OutlinedNode } from "@lnsnet/core/inference";
import {
  asInstances,
  type DrawnLabels,
  type LabelChoice,
  labelsOfObject,
  labelsOfVolume,
} from "@lnsnet/core/results";
import { crop } from "@lnsnet/core/volume";
import { ctProblem, requireLabels } from "@lnsnet/core/voxels";

/** A scan that nodes may have been drawn on. */
export type DrawnOn = NonNullable<LabelChoice["reference"]>;

/** A node of a file; its box is in voxels of the scan. */
interface DrawnNode extends OutlinedNode {
  /** Empty where the file states none. */
  readonly name: string;
}

/** The nodes of a file. */
export interface DrawnNodes {
  readonly nodes: readonly DrawnNode[];
  readonly problems: readonly string[];
}

/** The nodes of a SEG or an RTSTRUCT. @throws InputError as `labelsOfObject` */
export async function nodesOfObject({ name, read }: NamedFile, scan: DrawnOn): Promise<DrawnNodes> {
  return nodesOf(await labelsOfObject(await read(), name, { reference: scan, pattern: null }));
}

/**
 * The nodes of a volume file; null where it holds no labels, but an image.
 *
 * @param file the same, as it is stored
 * @throws InputError where it cannot be read, or holds labels on another grid
 */
export async function nodesOfVolume(
  { name, read }: VolumeFile,
  file: NamedFile,
  scan: DrawnOn,
): Promise<DrawnNodes | null> {
  const { volume, problems } = await read();
  if (!isLabels(volume, name)) return null;
  const names = /\.nrrd$/i.test(name) ? nrrdSegments(await file.read(), name) : [];
  const drawn = nodesOf(labelsOfVolume(volume, names, name, { reference: scan, pattern: null }));
  return { ...drawn, problems: [...problems, ...drawn.problems] };
}

function isLabels(volume: Volume, name: string): boolean {
  if (ctProblem(volume) === null) return false;
  try {
    requireLabels(volume, name);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function nodesOf({ volume, names, problems }: DrawnLabels): DrawnNodes {
  const labels = names.length > 0 ? volume : asInstances(volume);
  const nodes = [...boxesOf(labels)].map(([value, { first, last }]): DrawnNode => {
    const size: Vector3 = [last[0] - first[0] + 1, last[1] - first[1] + 1, last[2] - first[2] + 1];
    const box = crop(labels, first, size);
    const data = Uint8Array.from(box.data, (other) => (other === value ? 1 : 0));
    const name = names.find(({ label }) => label === value)?.name ?? "";
    return { name, start: first, mask: { ...box, data } };
  });
  return { nodes, problems };
}

/** The first and the last voxel (i, j, k) of the box around each value but 0, by value. */
function boxesOf({ data, size }: Volume): Map<number, { readonly first: Vector3; readonly last: Vector3 }> {
  const boxes = new Map<number, { first: Vector3; last: Vector3 }>();
  for (let k = 0, at = 0; k < size[2]; k++) {
    for (let j = 0; j < size[1]; j++) {
      for (let i = 0; i < size[0]; i++, at++) {
        const value = data[at];
        if (value === 0) continue;
        const { first, last } = boxes.get(value) ?? { first: [i, j, k], last: [i, j, k] };
        boxes.set(value, {
          first: [Math.min(first[0], i), Math.min(first[1], j), first[2]],
          last: [Math.max(last[0], i), Math.max(last[1], j), k],
        });
      }
    }
  }
  return new Map([...boxes].sort(([a], [b]) => a - b));
}
