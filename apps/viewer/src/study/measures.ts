// Measures one node in its own box, with the axes that a person set.
import { crop, type Volume } from "@lnsnet/core/volume";
import { type IndexBox, measureNodes, type NodeMeasurement, type SideOfPoint } from "@lnsnet/core/voxels";
import type { AxisEnds, StudyNode } from "./nodes.js";
import { type SizeClass, sizeClassOf } from "./size-class.js";
import { type BoxedMask, vector } from "./voxel-box.js";

/** The measurements of a node. Axes that a person set stand in place of the measured ones. */
export interface StudyMeasurement extends NodeMeasurement {
  /** Which axes a person set. */
  readonly edited: { readonly long: boolean; readonly short: boolean };
  readonly sizeClass: SizeClass;
}

/**
 * Measures a node as the command line does, reading the node's box alone.
 *
 * @param mask the node in the smallest box that holds it
 * @param scan HU
 * @param sideOfPoint the side of the neck, LPS mm
 */
export function measureNode(
  node: StudyNode,
  mask: BoxedMask,
  scan: Volume,
  sideOfPoint: SideOfPoint,
): StudyMeasurement {
  const density = crop(scan, mask.start, mask.size);
  const [measured] = measureNodes({ ...density, data: mask.data }, density, "labels", sideOfPoint);
  const { long, short } = node.editedAxes;
  const shortAxisMm = short === null ? measured.shortAxisMm : lengthMm(short);
  return {
    ...measured,
    id: node.number,
    boundingBoxIndex: shifted(measured.boundingBoxIndex, mask),
    longAxisMm: long === null ? measured.longAxisMm : lengthMm(long),
    longAxisEndsLpsMm: long ?? measured.longAxisEndsLpsMm,
    shortAxisMm,
    shortAxisEndsLpsMm: short ?? measured.shortAxisEndsLpsMm,
    edited: { long: long !== null, short: short !== null },
    sizeClass: sizeClassOf(shortAxisMm),
  };
}

const shifted = (box: IndexBox, by: IndexBox): IndexBox => ({
  start: vector((axis) => box.start[axis] + by.start[axis]),
  size: box.size,
});

function lengthMm([a, b]: AxisEnds): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
