// Measures each lymph node of a mask: size, density, position and side.

import { InputError } from "../errors.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import {
  pointOfIndex,
  sameGeometry,
  type Vector3,
  type Volume,
  voxelCount,
  voxelVolumeMm3,
} from "../volume/volume.js";
import { type AxialAxes, axialAxes } from "./axial-axes.js";
import { componentRuns, type VoxelRuns } from "./components.js";
import { type FeretDiameters, feretDiameters } from "./feret.js";
import { requireMaskOfSize } from "./mask-size.js";
import type { IndexBox } from "./morphology.js";
import { type NeckSide, type SideOfPoint, sideByBody, sideByGrid } from "./neck-side.js";
import { densityOf, type NodeDensity } from "./node-density.js";

/** The measurements of a node. Its outline runs halfway between voxel centres inside and outside; see `axialAxes`. */
export interface NodeMeasurement extends AxialAxes, FeretDiameters, NodeDensity {
  /** Numbered from 1, the largest node first; or the node's own label. */
  readonly id: number;
  readonly voxels: number;
  /** Number of voxels times the volume of a voxel. */
  readonly volumeMl: number;
  /** Mean of the node's voxel centres. */
  readonly centroidLpsMm: Vector3;
  /** The smallest box of voxels that holds the node. */
  readonly boundingBoxIndex: IndexBox;
  /** Side of the centroid; see `sideByBody`, or `sideByGrid` if there is no scan. */
  readonly side: NeckSide;
}

/**
 * What counts as a node: "components", a connected component of voxels of equal value (by faces, edges or corners);
 * "labels", all voxels of equal value, whether connected or not.
 */
export type NodeSplit = "components" | "labels";

/**
 * Measures each node of a mask. Components are sorted by size, the largest first, equal sizes by their first voxel in
 * memory; labels are in ascending order and are the nodes' ids.
 *
 * @param labels - foreground where nonzero
 * @param scan - HU on the grid of `labels`, for density and for the body's midline
 * @param sideOfPoint - the side of the neck; by default from the body in the scan, or from the grid without a scan
 * @throws InputError where the scan does not have the same grid
 * @throws RangeError where the data does not fill the grid
 */
export function measureNodes(
  labels: Volume<IntegerVoxelArray>,
  scan: Volume | null = null,
  split: NodeSplit = "components",
  sideOfPoint: SideOfPoint | null = null,
): NodeMeasurement[] {
  requireMaskOfSize(labels.data.length, labels.size);
  if (scan !== null && !sameGeometry(labels, scan)) {
    throw new InputError(
      `The scan (${scan.size.join(" × ")} voxels) does not have the same geometry as the labels (${labels.size.join(" × ")} voxels); ` +
        "resample one onto the grid of the other.",
    );
  }
  const nodes = split === "components" ? componentsOf(labels) : labelsOf(labels);
  if (nodes.length === 0) return [];
  const side = sideOfPoint ?? (scan === null ? sideByGrid(labels) : sideByBody(scan));
  return nodes.map((node) => measureNode(node, labels, scan, side));
}

/** A node as runs of voxels along i. */
interface NodeRuns extends VoxelRuns {
  readonly id: number;
}

const componentsOf = ({ data, size }: Volume<IntegerVoxelArray>): NodeRuns[] =>
  componentRuns(data, size).map((runs, rank) => ({ ...runs, id: rank + 1 }));

function labelsOf({ data, size: [width] }: Volume<IntegerVoxelArray>): NodeRuns[] {
  const nodes = new Map<number, { id: number; starts: number[]; ends: number[] }>();
  for (let at = 0; at < data.length; ) {
    const id = data[at];
    const start = at++;
    if (id === 0) continue;
    while (at % width !== 0 && data[at] === id) at++;
    const node = nodes.get(id) ?? { id, starts: [], ends: [] };
    node.starts.push(start);
    node.ends.push(at);
    nodes.set(id, node);
  }
  return [...nodes.values()].sort((a, b) => a.id - b.id);
}

function measureNode(
  node: NodeRuns,
  labels: Volume,
  scan: Volume | null,
  sideOfPoint: SideOfPoint,
): NodeMeasurement {
  const { box, voxels, meanIndex } = extentOf(node, labels.size);
  const mask = maskInBox(node, labels, box);
  const centroidLpsMm = pointOfIndex(labels, meanIndex);
  return {
    id: node.id,
    voxels,
    volumeMl: (voxels * voxelVolumeMm3(labels)) / 1000,
    centroidLpsMm,
    boundingBoxIndex: box,
    ...axialAxes(mask),
    ...feretDiameters(mask),
    ...(scan === null ? noDensity : densityOf(node, scan.data)),
    side: sideOfPoint(centroidLpsMm),
  };
}

function extentOf(
  { starts, ends }: NodeRuns,
  [width, height, depth]: Vector3,
): { box: IndexBox; voxels: number; meanIndex: Vector3 } {
  const low: [number, number, number] = [width, height, depth];
  const high: [number, number, number] = [0, 0, 0];
  const sum: [number, number, number] = [0, 0, 0];
  let voxels = 0;
  for (let run = 0; run < starts.length; run++) {
    const row = Math.floor(starts[run] / width);
    const j = row % height;
    const k = (row - j) / height;
    const first = starts[run] - row * width;
    const length = ends[run] - starts[run];
    const last = first + length - 1;
    voxels += length;
    sum[0] += (length * (first + last)) / 2;
    sum[1] += length * j;
    sum[2] += length * k;
    low[0] = Math.min(low[0], first);
    low[1] = Math.min(low[1], j);
    low[2] = Math.min(low[2], k);
    high[0] = Math.max(high[0], last);
    high[1] = Math.max(high[1], j);
    high[2] = Math.max(high[2], k);
  }
  return {
    box: { start: low, size: [high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1] },
    voxels,
    meanIndex: [sum[0] / voxels, sum[1] / voxels, sum[2] / voxels],
  };
}

/** The mask of the node in its bounding box. */
function maskInBox({ starts, ends }: NodeRuns, grid: Volume, { start, size }: IndexBox): Volume<Uint8Array> {
  const [width, height] = grid.size;
  const data = new Uint8Array(voxelCount({ size }));
  for (let run = 0; run < starts.length; run++) {
    const row = Math.floor(starts[run] / width);
    const j = row % height;
    const k = (row - j) / height;
    const at = starts[run] - row * width - start[0] + size[0] * (j - start[1] + size[1] * (k - start[2]));
    data.fill(1, at, at + ends[run] - starts[run]);
  }
  return {
    data,
    size,
    spacingMm: grid.spacingMm,
    originMm: pointOfIndex(grid, start),
    direction: grid.direction,
  };
}

const noDensity: NodeDensity = { huMean: null, huSd: null, boneOrAirShare: null };
