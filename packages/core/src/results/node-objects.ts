// The DICOM objects of a scan's nodes: segmentation, structure set and report, which belong together.
import { writeMeasurementReport } from "../formats/dicom/measurement-report.js";
import { writeRtstruct } from "../formats/dicom/rtstruct.js";
import { writeSeg } from "../formats/dicom/seg.js";
import type { SourceSeries, WritingContext } from "../formats/dicom/source-series.js";
import { lymphNodeNames } from "../transforms/label-scheme.js";
import { crop } from "../volume/crop.js";
import type { IntegerVoxelArray } from "../volume/resample.js";
import type { Volume } from "../volume/volume.js";
import { traceContours } from "../voxels/contours.js";
import type { NodeConfidence } from "../voxels/node-confidence.js";
import type { NodeMeasurement } from "../voxels/node-measurement.js";

/** A node as its objects describe it: the mean probability where it is known, the class where there are several, a person's name for it. */
export type WrittenNode = NodeMeasurement &
  Partial<Pick<NodeConfidence, "meanProbability">> & {
    readonly className?: string | undefined;
    readonly name?: string | undefined;
  };

/** The DICOM objects of one scan's nodes. */
export interface NodeObjects {
  readonly seg: Uint8Array;
  readonly rtstruct: Uint8Array;
  /** The measurement report, which refers to the segments of `seg`. */
  readonly sr: Uint8Array;
}

/**
 * The bytes of a SEG, an RTSTRUCT and a structured report of the nodes of a scan, in one study.
 *
 * @param instances - on the grid of the series, each node's voxels hold its id
 * @param nodes - at least one; as measured by the labels of `instances`, ids ascending
 * @throws InputError where the grid is another, or the series has no frame of reference
 */
export function nodeObjects(
  instances: Volume<IntegerVoxelArray>,
  nodes: readonly WrittenNode[],
  source: SourceSeries,
  context: WritingContext,
): NodeObjects {
  const known = ({ meanProbability }: WrittenNode) =>
    meanProbability === undefined ? {} : { meanProbability };
  const names = nodes.map((node) => ({
    label: node.id,
    name: nodeName(node),
    ...codedBy(node.className),
    ...known(node),
  }));
  const rois = nodes.map((node) => {
    const { start, size } = node.boundingBoxIndex;
    const box = crop(instances, start, size);
    return {
      name: nodeName(node),
      ...codedBy(node.className),
      contours: traceContours(box.data, box, node.id),
      ...known(node),
    };
  });
  const seg = writeSeg(instances, names, source, context);
  return {
    seg,
    rtstruct: writeRtstruct(rois, source, context),
    sr: writeMeasurementReport(
      nodes.map((node) => ({ ...node, ...codedBy(node.className) })),
      seg,
      source,
      context,
    ),
  };
}

/** Whether a class is coded as lymph nodes, by its name; nodes without a class are. */
export const codedBy = (className: string | undefined): { readonly isLymphNode?: boolean } =>
  className === undefined ? {} : { isLymphNode: lymphNodeNames.test(className) };

/** What a node is called in objects. */
export const nodeName = ({
  id,
  name,
  className = "Lymph node",
}: Pick<WrittenNode, "id" | "name" | "className">): string => name ?? `${className} ${id}`;
