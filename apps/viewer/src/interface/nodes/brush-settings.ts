// What the brush is: its size, shape, limits of HU, and whether it erases. Kept while the page is open.
import type { Vector3 } from "@lnsnet/core/volume";
import { signal } from "@preact/signals";
import type { Brush } from "../../study/brush.js";

export type BrushShape = "sphere" | "circle";

export const shape = signal<BrushShape>("sphere");
/** Of the brush, mm. */
export const radiusMm = signal(4);
export const isEraser = signal(false);
export const overOthers = signal(false);
/** Whether only voxels of some HU are painted. */
export const isLimited = signal(false);
/** HU of soft tissue without fat, air and bone. */
export const lowHu = signal(-20);
export const highHu = signal(200);
/** Whether only HU outside of the limits are painted. */
export const isInverted = signal(false);
/** By how much nodes grow and shrink, mm. */
export const marginMm = signal(1);

export const radiusLimitsMm = { least: 0.5, most: 40 } as const;

/** Makes the brush larger or smaller by steps that grow with it: 0.5 mm up to 5 mm, then 1, then 2 mm. */
export function stepRadius(direction: 1 | -1): void {
  const now = radiusMm.value;
  const step = now + direction / 100 < 5 ? 0.5 : now + direction / 100 < 12 ? 1 : 2;
  setRadius(Math.round((now + direction * step) / 0.5) * 0.5);
}

export function setRadius(mm: number): void {
  if (Number.isFinite(mm)) radiusMm.value = Math.min(radiusLimitsMm.most, Math.max(radiusLimitsMm.least, mm));
}

/** The brush as it is set now. @param away the normal of the plane in which it is used, LPS */
export function brushNow(away: Vector3): Brush {
  return {
    radiusMm: radiusMm.value,
    planeNormal: shape.value === "circle" ? away : null,
    limits: isLimited.value
      ? {
          lowHu: Math.min(lowHu.value, highHu.value),
          highHu: Math.max(lowHu.value, highHu.value),
          invert: isInverted.value,
        }
      : null,
  };
}
