// Says whether what was done is saved in this browser.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { saving } from "../texts.js";
import type { Workspace } from "../workspace.js";

export function SavingLine({ workspace }: { readonly workspace: Workspace }) {
  const changes = useSignal(0);
  const { kept } = workspace;
  workspace.keptChanges.value;
  workspace.changes.value;
  const { keeper } = kept;
  useEffect(() => keeper?.subscribe(() => changes.value++), [keeper, changes]);
  changes.value;
  const keeping = keeper?.keeping ?? null;
  return (
    <div class="saving-line">
      {kept.remarks.map((remark) => (
        <p key={remark} class="warning" role="status">
          {remark}
        </p>
      ))}
      {keeping !== null && (
        <p class={keeping.state === "failed" ? "warning" : "faint"} role="status">
          {keeping.state === "failed" ? keeping.why : saving[keeping.state]}
        </p>
      )}
    </div>
  );
}
