// Measures one node in its own box, as the command line does in the whole scan, with the axes that a person set.
import { crop, gridWithSpacing, resample, type Volume } from "@lnsnet/core/volume";
import { measureNodes, type NodeMeasurement, sideByBody } from "@lnsnet/core/voxels";
import type { AxisEnds, StudyNode } from "./nodes.js";
import { type SizeClass, sizeClassOf } from "./size-class.js";
import type { BoxedMask } from "./voxel-box.js";

/** The measurements of a node. Axes that a person set stand in place of the measured ones. */
export interface StudyMeasurement extends NodeMeasurement {
  /** Which axes a person set. */
  readonly edited: { readonly long: boolean; readonly short: boolean };
  readonly sizeClass: SizeClass;
}

/**
 * The scan on a grid of 4 mm: what is needed to tell the side of the neck, in a thousandth of the memory.
 *
 * @param scan HU
 */
export function coarseScan(scan: Volume): Volume {
  return resample(scan, gridWithSpacing(scan, [4, 4, 4]), "nearest", -1024);
}

/**
 * Measures nodes of a scan, each from its mask (0 and 1, in the smallest box that holds it) and the HU in the same box. Takes
 * 50 to 200 ms for a node of 20 mm, and so belongs in a worker.
 *
 * @param coarse of {@link coarseScan}
 */
export function createMeasurer(coarse: Volume): (mask: BoxedMask, hu: Volume) => NodeMeasurement {
  const sideOfPoint = sideByBody(coarse);
  return ({ data }, hu) => measureNodes({ ...hu, data }, hu, "labels", sideOfPoint)[0];
}

/** The HU in the box of a node. @param scan HU */
export const huIn = (scan: Volume, { start, size }: BoxedMask): Volume => crop(scan, start, size);

/** A node's measurements in the scan's own indices, with the axes that a person set in place of the measured ones. */
export function ofNode(
  { number, editedAxes: { long, short } }: StudyNode,
  measured: NodeMeasurement,
  { start, size }: Pick<BoxedMask, "start" | "size">,
): StudyMeasurement {
  const shortAxisMm = short === null ? measured.shortAxisMm : lengthMm(short);
  return {
    ...measured,
    id: number,
    boundingBoxIndex: { start, size },
    longAxisMm: long === null ? measured.longAxisMm : lengthMm(long),
    longAxisEndsLpsMm: long ?? measured.longAxisEndsLpsMm,
    shortAxisMm,
    shortAxisEndsLpsMm: short ?? measured.shortAxisEndsLpsMm,
    edited: { long: long !== null, short: short !== null },
    sizeClass: sizeClassOf(shortAxisMm),
  };
}

function lengthMm([a, b]: AxisEnds): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}
