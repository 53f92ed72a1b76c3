// The nodes of a scan in a table: what they measure, and everything that can be done with them.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { StudyNode } from "../../study/nodes.js";
import { nodes as texts } from "../texts.js";
import { jumpTo, type Workspace } from "../workspace.js";
import { attempt } from "./edit-tools.js";
import { NodeActions } from "./node-actions.js";

export function NodesPanel({ workspace }: { readonly workspace: Workspace }) {
  workspace.changes.value;
  const { study, selected } = workspace;
  const list = workspace.nodes.value;
  const renaming = useSignal<number | null>(null);
  const allShown = list.every(({ visible }) => visible);
  const isOfEnsemble = list.some(({ disagreement }) => disagreement !== null);
  const chosen = list.find(({ number }) => number === selected.value) ?? null;
  return (
    <section class="nodes-panel" aria-label={texts.title}>
      <div class="nodes-head">
        <h2>{texts.count(list.length)}</h2>
        <button
          type="button"
          class="button small"
          onClick={() =>
            attempt(() => {
              selected.value = study.addNode(null);
            })
          }
        >
          {texts.add}
        </button>
        {list.length > 1 && (
          <button
            type="button"
            class="button small"
            onClick={() => attempt(() => study.setAllVisible(!allShown))}
          >
            {allShown ? texts.hideAll : texts.showAll}
          </button>
        )}
      </div>
      {list.length === 0 ? (
        <p class="faint">{texts.none}</p>
      ) : (
        <div class="nodes-scroll">
          <table class="nodes-table">
            <caption class="unseen">{texts.caption}</caption>
            <thead>
              <tr>
                <th scope="col">
                  <span class="unseen">{texts.columns.shown}</span>
                </th>
                <th scope="col">{texts.columns.name}</th>
                <th scope="col" title={texts.columns.shortHint}>
                  {texts.columns.short}
                </th>
                <th scope="col" title={texts.columns.longHint}>
                  {texts.columns.long}
                </th>
                <th scope="col">{texts.columns.volume}</th>
                <th scope="col">{texts.columns.hu}</th>
                <th scope="col">{texts.columns.side}</th>
                <th scope="col" title={texts.columns.probabilityHint}>
                  {texts.columns.probability}
                </th>
                {isOfEnsemble && (
                  <th scope="col" title={texts.columns.disagreementHint}>
                    {texts.columns.disagreement}
                  </th>
                )}
                <th scope="col" title={texts.columns.sizeHint}>
                  {texts.columns.size}
                </th>
              </tr>
            </thead>
            <tbody>
              {list.map((node) => (
                <NodeRow key={node.number} {...{ workspace, node, renaming, isOfEnsemble }} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {chosen !== null && (
        <NodeActions
          workspace={workspace}
          node={chosen}
          onRename={() => {
            renaming.value = chosen.number;
          }}
        />
      )}
    </section>
  );
}

interface RowProps {
  readonly workspace: Workspace;
  readonly node: StudyNode;
  /** The number of the node whose name is being written. */
  readonly renaming: { value: number | null };
  /** Whether there is a column for the disagreement of an ensemble. */
  readonly isOfEnsemble: boolean;
}

function NodeRow({ workspace, node, renaming, isOfEnsemble }: RowProps) {
  // A row is drawn anew by the signals that it reads itself.
  workspace.changes.value;
  const { study, selected, measures } = workspace;
  const { number, name, colour, visible, locked, probability, disagreement } = node;
  const measured = measures.of(number);
  const isOld = !measures.isCurrent(number);
  const figure = (value: number | null | undefined, digits: number) =>
    value === null || value === undefined ? texts.unknown : value.toFixed(digits);
  const axis = (mm: number | undefined, edited: boolean | undefined) => (
    <>
      {figure(mm, 1)}
      {edited === true && (
        <abbr class="edited" title={texts.editedHint}>
          {texts.edited}
        </abbr>
      )}
    </>
  );
  return (
    <tr class={selected.value === number ? "selected" : ""} aria-busy={isOld}>
      <td>
        <input
          type="checkbox"
          checked={visible}
          aria-label={texts.show(name)}
          onChange={(event) => {
            const { checked } = event.currentTarget;
            attempt(() => study.setVisible(number, checked));
          }}
        />
      </td>
      <th scope="row">
        {renaming.value === number ? (
          <NameField
            name={name}
            onDone={(given) => {
              renaming.value = null;
              if (given !== null && given !== name) attempt(() => study.rename(number, given));
            }}
          />
        ) : (
          <button
            type="button"
            class="node-name"
            aria-pressed={selected.value === number}
            title={texts.jumpHint}
            onClick={() => jumpTo(workspace, number)}
            onDblClick={() => {
              if (!locked) renaming.value = number;
            }}
            onKeyDown={(event) => {
              if (event.key === "F2" && !locked) renaming.value = number;
            }}
          >
            <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
              <circle cx="5" cy="5" r="5" fill={colour} />
            </svg>
            {name}
            {locked && <span class="faint"> {texts.lockedMark}</span>}
          </button>
        )}
      </th>
      <td>{axis(measured?.shortAxisMm, measured?.edited.short)}</td>
      <td>{axis(measured?.longAxisMm, measured?.edited.long)}</td>
      <td>{figure(measured?.volumeMl, 2)}</td>
      <td>{figure(measured?.huMean, 0)}</td>
      <td>{measured === null ? texts.unknown : texts.sides[measured.side]}</td>
      <td>{figure(probability, 2)}</td>
      {isOfEnsemble && <td>{figure(disagreement, 2)}</td>}
      <td>{measured === null ? texts.unknown : texts.sizes[measured.sizeClass]}</td>
    </tr>
  );
}

/** A field that is left by Enter, or by Escape without a change. */
function NameField({
  name,
  onDone,
}: {
  readonly name: string;
  readonly onDone: (given: string | null) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useEffect(() => {
    // Selecting alone leaves the keys where they were.
    field.current?.focus();
    field.current?.select();
  }, []);
  const finish = (given: string | null) => {
    if (isDone.current) return;
    isDone.current = true;
    onDone(given);
  };
  return (
    <input
      ref={field}
      class="name-field"
      aria-label={texts.nameField}
      defaultValue={name}
      maxLength={64}
      onKeyDown={(event) => {
        if (event.key === "Enter") finish(event.currentTarget.value);
        if (event.key === "Escape") finish(null);
      }}
      onBlur={(event) => finish(event.currentTarget.value)}
    />
  );
}
