// Edits of a whole node by one command each: fill, interpolate, grow and shrink.
import { InputError } from "@lnsnet/core";
import { indexOfPoint, type Vector3 } from "@lnsnet/core/volume";
import { dilate, erode } from "@lnsnet/core/voxels";
import { enclosedRegion, withFilledHoles } from "./fill.js";
import { axisWithGaps, betweenSlices } from "./interpolation.js";
import { nearestAxis } from "./slices.js";
import type { Study } from "./study.js";
import { type BoxedMask, boxWithMargin, vector } from "./voxel-box.js";

/**
 * Fills the holes that a node has in slices.
 *
 * @param normal of the slices, LPS; the nearest index axis is taken
 * @throws InputError where the node is locked, or has no hole that is free
 */
export function fillHolesOf(study: Study, number: number, normal: Vector3): void {
  const mask = maskOf(study, number);
  changing(study, number, "has no hole in these slices; close its outline first", () =>
    study.paint("fill", number, withFilledHoles(mask, nearestAxis(study.scan, normal))),
  );
}

/**
 * Gives a node the region around a point that nodes enclose in the point's slice.
 *
 * @param pointMm LPS
 * @param normal of the slice, LPS; the nearest index axis is taken
 * @throws InputError where the node is locked, the point lies in a node or outside the scan, or nothing encloses it
 */
export function fillRegion(study: Study, number: number, pointMm: Vector3, normal: Vector3): void {
  const exact = indexOfPoint(study.scan, pointMm);
  const index = vector((axis) => Math.round(exact[axis]));
  const isInside = index.every((at, axis) => at >= 0 && at < study.scan.size[axis]);
  const region = isInside ? enclosedRegion(study.labels, index, nearestAxis(study.scan, normal)) : null;
  if (region === null)
    throw new InputError("No closed outline lies around this point; close the outline, then fill it.");
  study.paint("fill", number, region);
}

/**
 * Draws a node in the slices between those in which it was drawn.
 *
 * @throws InputError where the node is locked, or no slice is left out between two others
 */
export function interpolateNode(study: Study, number: number): void {
  const mask = maskOf(study, number);
  const axis = axisWithGaps(mask);
  const between = axis === null ? null : betweenSlices(study.scan, mask, axis);
  if (between === null)
    throw new InputError(
      `${study.node(number).name} has no empty slice between two drawn ones; draw it in slices that are some apart.`,
    );
  study.paint("interpolate", number, between);
}

/**
 * Adds what lies at most some mm around a node and belongs to no other.
 *
 * @throws InputError where the node is locked or has no voxels, or nothing around it is free
 */
export function growNode(study: Study, number: number, byMm: number): void {
  const mask = maskOf(study, number);
  const { spacingMm, size } = study.scan;
  const box = boxWithMargin(
    mask,
    vector((axis) => Math.ceil(byMm / spacingMm[axis])),
    size,
  );
  changing(study, number, `grows by no voxel with ${byMm} mm; give more`, () => {
    const data = dilate(study.maskIn(number, box), box.size, { radiusMm: byMm, spacingMm });
    study.paint("grow", number, { ...box, data });
  });
}

/**
 * Takes away what lies at most some mm from a node's surface.
 *
 * @throws InputError where the node is locked or has no voxels, or nothing or all of it would be taken
 */
export function shrinkNode(study: Study, number: number, byMm: number): void {
  const mask = maskOf(study, number);
  const kept = erode(mask.data, mask.size, { radiusMm: byMm, spacingMm: study.scan.spacingMm });
  if (!kept.includes(1))
    throw new InputError(
      `Shrinking ${study.node(number).name} by ${byMm} mm leaves nothing of it; give less, or delete it.`,
    );
  changing(study, number, `shrinks by no voxel with ${byMm} mm; give more`, () =>
    study.erase("shrink", number, { ...mask, data: mask.data.map((value, at) => value - kept[at]) }),
  );
}

/** @throws InputError where the node has no voxels */
function maskOf(study: Study, number: number): BoxedMask {
  const mask = study.maskOf(number);
  if (mask === null) throw new InputError(`${study.node(number).name} has no voxels; draw it first.`);
  return mask;
}

/** @throws InputError where the edit changed no voxel, so that a person does not wait for what does not come */
function changing(study: Study, number: number, why: string, edit: () => void): void {
  let changed = false;
  const stop = study.subscribe(({ box }) => {
    changed ||= box !== null;
  });
  try {
    edit();
  } finally {
    stop();
  }
  if (!changed) throw new InputError(`${study.node(number).name} ${why}.`);
}
