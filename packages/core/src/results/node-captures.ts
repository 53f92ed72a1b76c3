// Pictures of a scan's nodes as DICOM, for stations that show no segmentations.
import { writeSecondaryCaptures } from "../formats/dicom/secondary-capture.js";
import type { SourceSeries, WritingContext } from "../formats/dicom/source-series.js";
import { nodePicture } from "../reports/node-picture.js";
import type { Raster } from "../reports/raster.js";
import { segmentationPreview } from "../reports/segmentation-preview.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { nodeName, type WrittenNode } from "./node-objects.js";

export interface CaptureOptions {
  /** What is written on each picture: the scan, as a person knows it. */
  readonly title: string;
  /** What the models were trained on, and what a person edited. */
  readonly caption: string;
  /** What the models were trained to find; "lymph node" by default. */
  readonly className?: string;
  /** Centre and width in HU of the grey window; soft tissue by default. */
  readonly windowHu?: readonly [center: number, width: number];
  /** The picture of all nodes, where it is drawn already. */
  readonly overview?: Raster;
}

/**
 * Secondary captures: an overview of all nodes, then each node in its axial plane with outline, axes and measures burnt
 * in, the largest first; without nodes the overview alone, which says so. Each says "research use only".
 *
 * @param instances - on the scan's grid, each node's voxels hold its id
 * @param nodes - measured on the labels of `instances`
 * @throws InputError where the instances do not have the same geometry as the scan
 */
export function nodeCaptures(
  scan: Volume,
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly WrittenNode[],
  source: SourceSeries,
  context: WritingContext,
  options: CaptureOptions,
): Uint8Array[] {
  const largestFirst = [...nodes].sort((a, b) => b.volumeMl - a.volumeMl);
  const { overview = segmentationPreview(scan, instances, nodes, options) } = options;
  const each = largestFirst.map((node) => {
    const name = nodeName(node);
    return { ...nodePicture(scan, instances, { ...node, name }, options), title: name };
  });
  return writeSecondaryCaptures([{ ...overview, title: "All nodes" }, ...each], source, context);
}
