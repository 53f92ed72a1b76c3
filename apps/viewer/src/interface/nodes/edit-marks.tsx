// Drawn over a plane while editing: the ring of the brush, and the line that will cut a node.
import { dot, subtract, type Vector3 } from "@lnsnet/core/volume";
import type { ReadonlySignal } from "@preact/signals";
import { type PlaneName, type PlaneView, pixelOfPoint } from "../../display/plane.js";
import type { Hover } from "../plane-pane.js";
import { tool } from "../tool.js";
import type { View } from "../view.js";
import { radiusMm } from "./brush-settings.js";
import { cutLine } from "./edit-tools.js";

interface EditMarksProps {
  readonly view: View;
  readonly plane: PlaneName;
  readonly shown: PlaneView;
  readonly hover: ReadonlySignal<Hover | null>;
}

export function EditMarks({ view, plane, shown, hover }: EditMarksProps) {
  const line = cutLine.value;
  const at = tool.value === "brush" && hover.value?.view === view ? hover.value.pointMm : null;
  const ring = at === null ? null : ringAt(shown, at);
  const ends =
    line === null || line.plane !== plane
      ? null
      : [line.from, line.to].map((end) => pixelOfPoint(shown, end));
  return (
    <g>
      {ring !== null &&
        ["brush-ring halo", "brush-ring"].map((name) => (
          <circle key={name} class={name} cx={ring.x} cy={ring.y} r={ring.radius} />
        ))}
      {ends !== null && (
        <line class="cut-line" x1={ends[0][0]} y1={ends[0][1]} x2={ends[1][0]} y2={ends[1][1]} />
      )}
    </g>
  );
}

/** The circle in which a ball around a point cuts a plane, in pixels; null where it does not reach it. */
function ringAt(shown: PlaneView, pointMm: Vector3): { x: number; y: number; radius: number } | null {
  const { away } = shown.axes;
  const offMm = dot(subtract(pointMm, shown.centreMm), away);
  const cutMm2 = radiusMm.value ** 2 - offMm ** 2;
  if (cutMm2 <= 0) return null;
  const [x, y] = pixelOfPoint(shown, pointMm);
  return { x, y, radius: Math.sqrt(cutMm2) / shown.mmPerPixel };
}
