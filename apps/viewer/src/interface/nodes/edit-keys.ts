// Keys that edit: undo and redo, brush size, delete.
import { useEffect } from "preact/hooks";
import type { Workspace } from "../workspace.js";
import { stepRadius } from "./brush-settings.js";
import { attempt } from "./edit-tools.js";

/** Listens while the workspace is shown. In a text field keys write. */
export function useEditKeys(workspace: Workspace): void {
  useEffect(() => {
    const stop = new AbortController();
    const { signal } = stop;
    addEventListener("keydown", (event) => onKey(event, workspace), { signal });
    return () => stop.abort();
  }, [workspace]);
}

function onKey(event: KeyboardEvent, { study, selected }: Workspace): void {
  if (isWriting(event.target)) return;
  const key = event.key.toLowerCase();
  const isCommand = event.ctrlKey || event.metaKey;
  const done = (edit: () => void) => {
    event.preventDefault();
    attempt(edit);
  };
  if (isCommand && key === "z") done(() => (event.shiftKey ? study.redo() : study.undo()));
  else if (isCommand && key === "y") done(() => study.redo());
  else if (isCommand || event.altKey) return;
  else if (key === "[") done(() => stepRadius(-1));
  else if (key === "]") done(() => stepRadius(1));
  else if (key === "delete" && selected.value !== null) {
    const number = selected.value;
    done(() => study.deleteNode(number));
  }
}

const isWriting = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.matches('input:not([type="range"], [type="checkbox"]), textarea, select');
