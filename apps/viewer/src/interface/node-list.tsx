// The nodes of a scan, one below the other; a click shows one in all planes.
import { nodeList } from "./texts.js";
import { jumpTo, type Workspace } from "./workspace.js";

export function NodeList({ workspace }: { readonly workspace: Workspace }) {
  workspace.changes.value;
  const nodes = workspace.nodes.value;
  return (
    <section class="node-list" aria-label={nodeList.title}>
      <h2>{nodeList.title}</h2>
      {nodes.length === 0 && <p class="faint">{nodeList.none}</p>}
      <ul>
        {nodes.map(({ number, name, colour }) => {
          const measured = workspace.measures.of(number);
          return (
            <li key={number}>
              <button
                type="button"
                class="node-item"
                aria-pressed={workspace.selected.value === number}
                onClick={() => jumpTo(workspace, number)}
              >
                <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                  <circle cx="5" cy="5" r="5" fill={colour} />
                </svg>
                <strong>{name}</strong>
                <span class="faint">
                  {measured === null
                    ? nodeList.measuring
                    : nodeList.size(measured.longAxisMm, measured.shortAxisMm)}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
