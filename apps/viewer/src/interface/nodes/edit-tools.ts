// What the pointer does in a plane with the tools that edit: brush, fill and cut.
import { InputError } from "@lnsnet/core";
import type { Vector3 } from "@lnsnet/core/volume";
import { signal } from "@preact/signals";
import { patientPlanes } from "../../display/plane.js";
import { fillRegion } from "../../study/edits.js";
import { beginStroke, type Stroke } from "../../study/stroke.js";
import { makeRoomToDraw } from "../making-room.js";
import { notice, openScan, tellError } from "../session.js";
import { editing } from "../texts.js";
import type { PlanePointer, Tool } from "../tool.js";
import type { Workspace } from "../workspace.js";
import { brushNow, isEraser, overOthers } from "./brush-settings.js";

let stroke: Stroke | null = null;

/** Paints, or erases with Ctrl or the eraser chosen. Without a selected node it draws a new one. */
export const brushTool: Tool = (pointer) => {
  const workspace = workspaceOf(pointer);
  if (workspace === null) return;
  makeRoomToDraw();
  // A press that was refused told why, and that stays to be read.
  if (pointer.phase !== "press" && stroke === null) return;
  attempt(() => {
    if (pointer.phase === "press") stroke = startStroke(workspace, pointer);
    else if (pointer.phase === "drag") stroke?.to(pointer.pointMm);
    else {
      const ended = stroke;
      stroke = null;
      if (pointer.phase === "lift") ended?.end();
      else ended?.cancel();
    }
  });
};

function startStroke({ study, selected }: Workspace, { pointMm, plane, ctrl }: PlanePointer): Stroke {
  stroke?.end();
  const isErasing = isEraser.value || ctrl;
  const number = selected.value ?? (isErasing ? study.numberAt(pointMm) : null);
  if (isErasing && number === null) throw new InputError(editing.nothingToErase);
  const brush = brushNow(patientPlanes[plane].away);
  const started = beginStroke(study, { brush, number, isErasing, overOthers: overOthers.value }, pointMm);
  selected.value = started.number;
  return started;
}

/** Fills the region around a point that an outline encloses in the plane. */
export const fillTool: Tool = (pointer) => {
  const workspace = workspaceOf(pointer);
  if (workspace === null || pointer.phase !== "press") return;
  attempt(() =>
    fillRegion(workspace.study, selectedIn(workspace), pointer.pointMm, patientPlanes[pointer.plane].away),
  );
};

/** The line that is being drawn to cut a node, LPS mm; null while there is none. */
export const cutLine = signal<{
  readonly plane: PlanePointer["plane"];
  readonly from: Vector3;
  readonly to: Vector3;
} | null>(null);

/** Splits the selected node along a line that is drawn across it. */
export const cutTool: Tool = (pointer) => {
  const workspace = workspaceOf(pointer);
  if (workspace === null) return;
  const { phase, plane, pointMm } = pointer;
  const line = cutLine.value;
  if (phase === "press") cutLine.value = { plane, from: pointMm, to: pointMm };
  else if (phase === "drag" && line !== null) cutLine.value = { ...line, to: pointMm };
  else if (line !== null) {
    cutLine.value = null;
    if (phase !== "lift") return;
    attempt(() => {
      const along: Vector3 = [
        pointMm[0] - line.from[0],
        pointMm[1] - line.from[1],
        pointMm[2] - line.from[2],
      ];
      const { away } = patientPlanes[line.plane];
      const number = selectedIn(workspace);
      if (Math.hypot(...along) === 0) throw new InputError(editing.drawAcross);
      workspace.study.splitByPlane(number, line.from, [
        along[1] * away[2] - along[2] * away[1],
        along[2] * away[0] - along[0] * away[2],
        along[0] * away[1] - along[1] * away[0],
      ]);
    });
  }
};

/** The node that is selected. @throws InputError where none is */
export function selectedIn({ selected }: Workspace): number {
  if (selected.value === null) throw new InputError(editing.selectFirst);
  return selected.value;
}

/** Does an edit; what is not allowed is told to the person. */
export function attempt(edit: () => void): void {
  try {
    edit();
    // What went wrong before is past.
    if (notice.value?.kind === "error") notice.value = null;
  } catch (error) {
    tellError(error);
  }
}

/** The open scan, if the pointer is in one of its planes. */
function workspaceOf({ view }: PlanePointer): Workspace | null {
  return openScan.value?.view === view ? openScan.value : null;
}
