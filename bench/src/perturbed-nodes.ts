// Nodes as a network might predict them, made from the true ones without a network, the same each time.

import type { Volume } from "@lnsnet/core";
import { dilate, erode } from "@lnsnet/core/voxels";

/** What becomes of nodes, in turn. */
const changes: readonly ((mask: Volume<Uint8Array>) => Uint8Array)[] = [
  ({ data }) => data,
  ({ data, size }) => dilate(data, size),
  ({ data, size }) => erode(data, size),
  (mask) => movedByOneVoxel(mask).data,
  // Missed.
  ({ data }) => new Uint8Array(data.length),
];

/**
 * The nodes of a scan, in turn kept, grown by a voxel, shrunk by one, moved by one and missed. The first is also drawn
 * where it is not, mirrored along the first axis: a false positive, unless it meets another node there.
 *
 * @param instances - the true nodes, numbered from 1, fewer than 255
 * @param first - which change is the first node's
 */
export function perturbedNodes(instances: Volume<Uint8Array>, first: number): Volume<Uint8Array> {
  const count = instances.data.reduce((greatest, value) => Math.max(greatest, value), 0);
  const perturbed = new Uint8Array(instances.data.length);
  for (let node = 1; node <= count; node++) {
    const mask = { ...instances, data: instances.data.map((value) => (value === node ? 1 : 0)) };
    paint(perturbed, changes[(first + node - 1) % changes.length](mask), node);
    if (node === 1) paint(perturbed, mirrored(mask), count + 1);
  }
  return { ...instances, data: perturbed };
}

/** Along every axis; what leaves the grid is lost, as in bench/scipy/time_metrics.py. */
export function movedByOneVoxel(mask: Volume<Uint8Array>): Volume<Uint8Array> {
  const [width, height] = mask.size;
  const step = 1 + width * (1 + height);
  const data = new Uint8Array(mask.data.length);
  data.set(mask.data.subarray(0, mask.data.length - step), step);
  return { ...mask, data };
}

function mirrored({ data, size: [width] }: Volume<Uint8Array>): Uint8Array {
  return data.map((_, at) => {
    const i = at % width;
    return data[at - i + (width - 1 - i)];
  });
}

/** Where nothing is painted yet. */
function paint(labels: Uint8Array, mask: Uint8Array, value: number): void {
  for (let at = 0; at < mask.length; at++) if (mask[at] !== 0 && labels[at] === 0) labels[at] = value;
}
