// What can be done with the selected node.
import type { StudyNode } from "../../study/nodes.js";
import { nodes as texts } from "../texts.js";
import { tool } from "../tool.js";
import type { Workspace } from "../workspace.js";
import { attempt } from "./edit-tools.js";

interface NodeActionsProps {
  readonly workspace: Workspace;
  readonly node: StudyNode;
  readonly onRename: () => void;
}

export function NodeActions({ workspace, node, onRename }: NodeActionsProps) {
  const { study, selected } = workspace;
  const { number, name, colour, locked, editedAxes } = node;
  const others = workspace.nodes.value.filter((other) => other.number !== number && !other.locked);
  const isEdited = editedAxes.long !== null || editedAxes.short !== null;
  const action = (label: string, edit: () => void, disabled = locked) => (
    <button type="button" class="button small" disabled={disabled} onClick={() => attempt(edit)}>
      {label}
    </button>
  );
  return (
    <fieldset class="node-actions">
      <legend>{name}</legend>
      {action(texts.rename, onRename)}
      <label class="colour-field">
        {texts.colour}
        <input
          type="color"
          value={colour}
          disabled={locked}
          onChange={(event) => {
            const { value } = event.currentTarget;
            attempt(() => study.setColour(number, value));
          }}
        />
      </label>
      {action(locked ? texts.unlock : texts.lock, () => study.setLocked(number, !locked), false)}
      {action(texts.split, () => study.splitComponents(number))}
      {action(texts.cut, () => {
        tool.value = "cut";
      })}
      {isEdited && action(texts.resetAxes, () => study.resetAxes(number))}
      {action(texts.delete, () => study.deleteNode(number))}
      {!locked && others.length > 0 && (
        <select
          aria-label={texts.mergeWith}
          value=""
          onChange={(event) => {
            const other = Number(event.currentTarget.value);
            event.currentTarget.value = "";
            attempt(() => study.merge([number, other]));
            selected.value = number;
          }}
        >
          <option value="">{texts.mergeWith}</option>
          {others.map((other) => (
            <option key={other.number} value={other.number}>
              {other.name}
            </option>
          ))}
        </select>
      )}
    </fieldset>
  );
}
