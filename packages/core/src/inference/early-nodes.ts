// Nodes of a search that is not over: those that lie in planes that are done.
import { restoreMask } from "../transforms/preprocess.js";
import { outerCorners, voxelsAround } from "../volume/bounds.js";
import { crop, cropGeometry } from "../volume/crop.js";
import type { Geometry, Vector3, Volume } from "../volume/volume.js";
import { maskWhere } from "../volume/voxel-array.js";
import { numberedComponents } from "../voxels/instances.js";
import { measureNodes } from "../voxels/node-measurement.js";
import type { OutlinedNode } from "./clicked-node.js";
import { FOREGROUND_THRESHOLD } from "./segmented-nodes.js";

/** A node of a search that is not over. It is not yet judged by its HU or by where it lies. */
export interface EarlyNode extends OutlinedNode {
  readonly centroidMm: Vector3;
}

/**
 * The nodes that have come to their end in the planes that were done last.
 *
 * @param finished probability in all planes that are done, from the first on
 * @param before how many planes were done when this was last asked
 * @param original geometry of the scan, on whose grid the masks are
 */
export function earlyNodes(
  finished: Volume<Float32Array>,
  before: number,
  original: Geometry,
  threshold = FOREGROUND_THRESHOLD,
): EarlyNode[] {
  const instances = numberedComponents({
    ...finished,
    data: maskWhere(finished.data, (value) => value >= threshold),
  });
  const planes = finished.size[2];
  const ended = measureNodes(instances, null, "labels").filter(({ boundingBoxIndex: { start, size } }) => {
    const end = start[2] + size[2];
    return end < planes && end >= before;
  });
  return ended.flatMap(({ id, boundingBoxIndex: { start, size }, centroidLpsMm }) => {
    // With a voxel around it, because probabilities are interpolated between voxels.
    const first: Vector3 = [start[0] - 1, start[1] - 1, start[2] - 1];
    const around: Vector3 = [size[0] + 2, size[1] + 2, size[2] + 2];
    const own = crop(instances, first, around, 0);
    const probability = crop(finished, first, around, 0);
    for (let at = 0; at < own.data.length; at++)
      if (own.data[at] !== 0 && own.data[at] !== id) probability.data[at] = 0;
    const box = voxelsAround(original, outerCorners(probability));
    if (box === null) return [];
    const mask = restoreMask(probability, cropGeometry(original, box.start, box.size), threshold);
    return mask.data.includes(1) ? [{ mask, start: box.start, centroidMm: centroidLpsMm }] : [];
  });
}
