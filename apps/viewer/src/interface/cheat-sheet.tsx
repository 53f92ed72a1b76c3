// Which keys and which parts of the mouse do what.
import { signal } from "@preact/signals";
import { Dialog } from "./dialog.js";
import { cheatSheet, shell } from "./texts.js";

export const isHelpOpen = signal(false);

export function CheatSheet() {
  return (
    <Dialog
      title={shell.help}
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <dl class="cheat-sheet">
        {cheatSheet.map(([what, how]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{how}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
