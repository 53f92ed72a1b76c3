// The bar of editing: brush, limits of HU, commands on the selected node, undo and redo.
import type { Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { patientPlanes } from "../../display/plane.js";
import { fillHolesOf, growNode, interpolateNode, shrinkNode } from "../../study/edits.js";
import { strokeRehearsal } from "../../study/rehearsal.js";
import { inTurns } from "../in-turns.js";
import { editing, steps } from "../texts.js";
import { tool } from "../tool.js";
import type { Workspace } from "../workspace.js";
import {
  highHu,
  isEraser,
  isInverted,
  isLimited,
  lowHu,
  marginMm,
  overOthers,
  radiusLimitsMm,
  radiusMm,
  setRadius,
  shape,
} from "./brush-settings.js";
import { useEditKeys } from "./edit-keys.js";
import { attempt, selectedIn } from "./edit-tools.js";

export function EditToolbar({ workspace }: { readonly workspace: Workspace }) {
  useEditKeys(workspace);
  workspace.changes.value;
  const { study, selected } = workspace;
  const hasNone = selected.value === null;
  const onSelected = (edit: (number: number) => void) => () => attempt(() => edit(selectedIn(workspace)));
  return (
    <section class="edit-bar" aria-label={editing.title}>
      <div class="edit-row">
        <button
          type="button"
          class="button small"
          disabled={study.nextUndo === null}
          title={editing.undoKeys}
          onClick={() => attempt(() => study.undo())}
        >
          {study.nextUndo === null ? editing.undo : editing.undoStep(steps[study.nextUndo])}
        </button>
        <button
          type="button"
          class="button small"
          disabled={study.nextRedo === null}
          title={editing.redoKeys}
          onClick={() => attempt(() => study.redo())}
        >
          {study.nextRedo === null ? editing.redo : editing.redoStep(steps[study.nextRedo])}
        </button>
      </div>
      {tool.value === "brush" && <BrushRows />}
      <div class="edit-row">
        <button
          type="button"
          class="button small"
          disabled={hasNone}
          title={editing.fillHolesHint}
          onClick={onSelected((number) => fillHolesOf(study, number, patientPlanes.axial.away))}
        >
          {editing.fillHoles}
        </button>
        <button
          type="button"
          class="button small"
          disabled={hasNone}
          title={editing.interpolateHint}
          onClick={onSelected((number) => interpolateNode(study, number))}
        >
          {editing.interpolate}
        </button>
      </div>
      <div class="edit-row">
        <button
          type="button"
          class="button small"
          disabled={hasNone}
          onClick={onSelected((number) => growNode(study, number, marginMm.value))}
        >
          {editing.grow}
        </button>
        <button
          type="button"
          class="button small"
          disabled={hasNone}
          onClick={onSelected((number) => shrinkNode(study, number, marginMm.value))}
        >
          {editing.shrink}
        </button>
        <NumberField label={editing.byMm} value={marginMm} min={0.1} max={20} step={0.5} />
      </div>
    </section>
  );
}

function BrushRows() {
  useEffect(() => inTurns(12, strokeRehearsal), []);
  return (
    <>
      <div class="edit-row">
        <Choice
          label={editing.sphere}
          isOn={shape.value === "sphere"}
          onChoose={() => set(shape, "sphere")}
        />
        <Choice
          label={editing.circle}
          isOn={shape.value === "circle"}
          onChoose={() => set(shape, "circle")}
        />
        <Choice
          label={editing.eraser}
          isOn={isEraser.value}
          onChoose={() => set(isEraser, !isEraser.value)}
        />
      </div>
      <label class="edit-row">
        <span>{editing.radius(radiusMm.value)}</span>
        <input
          type="range"
          min={radiusLimitsMm.least}
          max={20}
          step={0.5}
          value={radiusMm.value}
          title={editing.radiusKeys}
          onInput={(event) => setRadius(event.currentTarget.valueAsNumber)}
        />
      </label>
      <div class="edit-row">
        <Check label={editing.limits} value={isLimited} />
        {isLimited.value && (
          <>
            <NumberField label={editing.lowHu} value={lowHu} min={-1024} max={3071} step={10} />
            <NumberField label={editing.highHu} value={highHu} min={-1024} max={3071} step={10} />
            <Check label={editing.invert} value={isInverted} />
          </>
        )}
      </div>
      <div class="edit-row">
        <Check label={editing.overOthers} value={overOthers} />
      </div>
    </>
  );
}

function Choice({
  label,
  isOn,
  onChoose,
}: {
  readonly label: string;
  readonly isOn: boolean;
  readonly onChoose: () => void;
}) {
  return (
    <button type="button" class="button small choice" aria-pressed={isOn} onClick={onChoose}>
      {label}
    </button>
  );
}

function Check({ label, value }: { readonly label: string; readonly value: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}

function NumberField({
  label,
  value,
  min,
  max,
  step,
}: {
  readonly label: string;
  readonly value: Signal<number>;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}) {
  return (
    <label class="number-field">
      {label}
      <input
        type="number"
        {...{ min, max, step }}
        value={value.value}
        onChange={(event) => {
          const given = event.currentTarget.valueAsNumber;
          if (Number.isFinite(given)) value.value = Math.min(max, Math.max(min, given));
          event.currentTarget.valueAsNumber = value.value;
        }}
      />
    </label>
  );
}

function set<T>(to: Signal<T>, value: T): void {
  to.value = value;
}
