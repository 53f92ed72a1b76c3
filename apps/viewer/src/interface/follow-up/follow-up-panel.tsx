// Follow-up: opens a second date beside the first, and lists how the nodes changed.
import { InputError } from "@lnsnet/core";
import { useSignal } from "@preact/signals";
import type { ChosenFile, FoundScan } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import { chosenFiles } from "../dropped-files.js";
import { FileButton } from "../file-button.js";
import { choice, doWork, notice } from "../session.js";
import { followUp as texts } from "../texts.js";
import { centreOn } from "../view.js";
import type { Workspace } from "../workspace.js";
import { dateOf, openSecondDate, type SecondDate, secondDate } from "./second-date.js";

interface FollowUpPanelProps {
  readonly workspace: Workspace;
  readonly engine: Engine;
}

export function FollowUpPanel({ workspace, engine }: FollowUpPanelProps) {
  // The comparison holds for the nodes as they were then.
  const comparedAt = useSignal(0);
  const second = secondDate.value?.first === workspace.view ? secondDate.value : null;
  const show = (next: SecondDate | null) => {
    if (next === null) return;
    comparedAt.value = workspace.changes.value;
    secondDate.value = next;
  };
  const open = async (found: FoundScan) =>
    show(
      await doWork(texts.busy, (signal, onProgress) =>
        openSecondDate(engine, workspace, found, { signal, onProgress }),
      ),
    );
  const list = async (files: readonly ChosenFile[]) => {
    const listing = await doWork(texts.busy, async (signal, onProgress) => {
      const { scans, others } = await engine.list({ files }, { signal, onProgress });
      if (scans.length === 0) throw new InputError(others[0]?.reason ?? texts.nothing);
      return scans;
    });
    if (listing === null) return;
    if (listing.length === 1) await open(listing[0]);
    else
      choice.value = {
        scans: listing,
        onChoose: (found) => void open(found),
        pictureOf: ({ id }) => engine.picture({ id }),
      };
  };
  const choose = (files: FileList | null) => {
    const chosen = chosenFiles(files);
    if (chosen.length > 0) void list(chosen);
  };
  return (
    <details class="panel" open={second !== null}>
      <summary>{texts.title}</summary>
      <p class="faint">{texts.about}</p>
      <p class="button-row">
        <FileButton id="second-date" label={texts.openFiles} onChoose={choose} />
        <FileButton id="second-date-folder" label={texts.openFolder} isFolder onChoose={choose} />
        {second !== null && (
          <button
            type="button"
            class="button"
            onClick={() => {
              secondDate.value = null;
              notice.value = { kind: "done", text: texts.closed(second.name) };
            }}
          >
            {texts.close}
          </button>
        )}
      </p>
      {second !== null && (
        <>
          <p>
            {texts.aligned(second.name, second.correlation)}{" "}
            {second.areKept ? texts.keptNodes : texts.foundNodes}
          </p>
          {workspace.changes.value !== comparedAt.value && (
            <p class="warning">
              {texts.changed}{" "}
              <button
                type="button"
                class="button small"
                onClick={async () => show(await doWork(texts.busy, () => second.compareAgain()))}
              >
                {texts.compareAgain}
              </button>
            </p>
          )}
          <ChangeTable workspace={workspace} second={second} />
        </>
      )}
    </details>
  );
}

function ChangeTable({ workspace, second }: { readonly workspace: Workspace; readonly second: SecondDate }) {
  const { rows, sums } = second;
  const { opened } = workspace;
  const dates = texts.dates(dateOf(opened) ?? opened.name, second.date ?? second.name);
  return (
    <div class="nodes-scroll">
      <table aria-label={texts.title}>
        <caption class="faint">{dates}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.node}</th>
            <th scope="col">{texts.shortAxis}</th>
            <th scope="col">{texts.volume}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, colour, pointMm, found: { first, second } }) => (
            <tr key={`${first?.id ?? "new"} ${second?.id ?? "gone"}`}>
              <th scope="row">
                <button
                  type="button"
                  class="node-name"
                  title={texts.jump}
                  onClick={() => {
                    workspace.selected.value = first?.id ?? null;
                    centreOn(workspace.view, pointMm);
                  }}
                >
                  <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
                    <circle cx="5" cy="5" r="5" fill={colour} />
                  </svg>
                  {second === null ? texts.gone(name) : name}
                </button>
              </th>
              <td>{texts.change(first?.shortAxisMm ?? null, second?.shortAxisMm ?? null, 1)}</td>
              <td>{texts.change(first?.volumeMl ?? null, second?.volumeMl ?? null, 2)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{texts.sum}</th>
            <td>{texts.change(sums.sumOfShortAxesMm.first, sums.sumOfShortAxesMm.second, 1)}</td>
            <td>{texts.change(sums.sumOfVolumesMl.first, sums.sumOfVolumesMl.second, 2)}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}
