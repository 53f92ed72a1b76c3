// Follow-up: opens a second date beside the first, and lists how the nodes changed.
import { InputError } from "@lnsnet/core";
import { type FollowUpReport, followUpCsv } from "@lnsnet/core/reports";
import type { ChosenFile, FoundScan } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import { download } from "../download.js";
import { chosenFiles } from "../dropped-files.js";
import { FileButton } from "../file-button.js";
import { choice, doWork, notice } from "../session.js";
import { followUp as texts } from "../texts.js";
import { centreOn } from "../view.js";
import type { Workspace } from "../workspace.js";
import { compared, openSecondDate, type SecondDate, secondDate } from "./second-date.js";
import { swapDates } from "./swap-dates.js";

interface FollowUpPanelProps {
  readonly workspace: Workspace;
  readonly engine: Engine;
}

export function FollowUpPanel({ workspace, engine }: FollowUpPanelProps) {
  const pair = secondDate.value?.openView === workspace.view ? secondDate.value : null;
  const show = (next: SecondDate | null) => {
    if (next !== null) secondDate.value = next;
  };
  const open = async (found: FoundScan) =>
    show(
      await doWork(
        texts.busy,
        (signal, onProgress) => openSecondDate(engine, workspace, found, { signal, onProgress }),
        "opening",
      ),
    );
  const list = async (files: readonly ChosenFile[]) => {
    const listing = await doWork(
      texts.busy,
      async (signal, onProgress) => {
        const { scans, others } = await engine.list({ files }, { signal, onProgress });
        if (scans.length === 0) throw new InputError(others[0]?.reason ?? texts.nothing);
        return scans;
      },
      "opening",
    );
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
    <details class="panel" open={pair !== null}>
      <summary>{texts.title}</summary>
      <p class="faint">{texts.about}</p>
      {pair?.isFirst !== true && (
        <p class="button-row">
          <FileButton id="second-date" label={texts.openFiles} onChoose={choose} />
          <FileButton id="second-date-folder" label={texts.openFolder} isFolder onChoose={choose} />
        </p>
      )}
      {pair !== null && <Comparison {...{ workspace, engine, pair, show }} />}
    </details>
  );
}

interface ComparisonProps extends FollowUpPanelProps {
  readonly pair: SecondDate;
  readonly show: (next: SecondDate | null) => void;
}

function Comparison({ workspace, engine, pair, show }: ComparisonProps) {
  // It holds for the nodes as they were then.
  const isOld = workspace.changes.value !== pair.changes;
  const { opened, isFirst, nodes, correlation } = pair;
  const state = isFirst ? texts.correcting : nodes.areKept ? texts.keptNodes : texts.foundNodes;
  return (
    <>
      <p>
        {texts.aligned(opened.name, correlation)} {state}
      </p>
      {isOld && (
        <p class="warning">
          {texts.changed}{" "}
          <button
            type="button"
            class="button small"
            onClick={async () => show(await doWork(texts.busy, () => compared(engine, workspace, pair)))}
          >
            {texts.compareAgain}
          </button>
        </p>
      )}
      <ChangeTable workspace={workspace} pair={pair} />
      <p class="button-row">
        <button
          type="button"
          class="button"
          onClick={() => void doWork(texts.busy, () => swapDates(engine, workspace, pair), "opening")}
        >
          {isFirst ? texts.backToFirst : texts.correctSecond}
        </button>
        <button
          type="button"
          class="button"
          disabled={isOld}
          onClick={() => download({ name: texts.fileName(pair.dates), bytes: followUpCsv(reportOf(pair)) })}
        >
          {texts.save}
        </button>
        <button
          type="button"
          class="button"
          onClick={() => {
            secondDate.value = null;
            notice.value = { kind: "done", text: texts.closed(opened.name) };
          }}
        >
          {isFirst ? texts.closeFirst : texts.close}
        </button>
      </p>
    </>
  );
}

const reportOf = ({ dates, rows, sums }: SecondDate): FollowUpReport => ({
  dates,
  nodes: rows.map(({ name, found }) => ({ ...found, name })),
  ...sums,
});

function ChangeTable({ workspace, pair }: Pick<ComparisonProps, "workspace" | "pair">) {
  const { rows, sums, dates } = pair;
  return (
    <div class="nodes-scroll">
      <table aria-label={texts.title}>
        <caption class="faint">{texts.dates(dates.first, dates.second)}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.node}</th>
            <th scope="col">{texts.shortAxis}</th>
            <th scope="col">{texts.volume}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ name, colour, openNumber, pointMm, found: { first, second } }) => (
            <tr key={`${first?.id ?? "new"} ${second?.id ?? "gone"}`}>
              <th scope="row">
                <button
                  type="button"
                  class="node-name"
                  title={texts.jump}
                  onClick={() => {
                    workspace.selected.value = openNumber;
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
