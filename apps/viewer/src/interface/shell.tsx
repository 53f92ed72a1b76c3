// The page: header, tools, planes, side panel and status line.
import { type Signal, untracked, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useLayoutEffect } from "preact/hooks";
import { planeNames } from "../display/plane.js";
import { planeRehearsal } from "../display/rehearsal.js";
import { windowPresets } from "../display/window-presets.js";
import type { ChosenFile } from "../engine/answers.js";
import { keptStudies } from "../keeping.js";
import { worksOffline } from "../offline.js";
import type { KeptStudy } from "../storage/study-store.js";
import { AxisMarks } from "./axis-marks.js";
import { CheatSheet, isHelpOpen } from "./cheat-sheet.js";
import { chosenFiles, droppedFiles } from "./dropped-files.js";
import { FileButton } from "./file-button.js";
import { secondDate } from "./follow-up/second-date.js";
import { SecondMarks } from "./follow-up/second-marks.js";
import { IconButton } from "./icons.js";
import { inTurns } from "./in-turns.js";
import { KeptStudies } from "./kept-studies.js";
import { isResting, makeRoomToDraw, makeRoomToLook } from "./making-room.js";
import { EditMarks } from "./nodes/edit-marks.js";
import { EditToolbar } from "./nodes/edit-toolbar.js";
import { NodesPanel } from "./nodes/nodes-panel.js";
import { SavingLine } from "./nodes/saving-line.js";
import { Panels } from "./panels.js";
import { type Hover, PlanePane } from "./plane-pane.js";
import { ScanChoice } from "./scan-choice.js";
import { ScenePane } from "./scene-pane.js";
import { SegmentPanel } from "./segmenting/segment-panel.js";
import { theEngine } from "./segmenting/segmenter.js";
import { choice, notice, openScan, tellError, type Work, works } from "./session.js";
import { followUp, presets, researchUse, shell, status, toolbar, toolNames } from "./texts.js";
import { tool, toolKeys } from "./tool.js";
import { fitAll, huAt, type View } from "./view.js";
import type { Workspace } from "./workspace.js";

/** What a person can do that goes beyond the page's looks. */
interface Actions {
  readonly openFiles: (files: readonly ChosenFile[]) => void;
  readonly openExample: () => void;
  readonly openKept: (study: KeptStudy) => void;
  readonly forgetKept: (study: KeptStudy) => void;
}

interface ShellProps {
  readonly actions: Actions;
}

export function Shell({ actions }: ShellProps) {
  const hover = useSignal<Hover | null>(null);
  const maximised = useSignal<string | null>(null);
  const opened = openScan.value;
  const isOver = useFileDrop(actions.openFiles);
  useGlobalKeys(maximised);
  // Also before a stroke: what computes then takes a while to come to its rest.
  useSignalEffect(() => {
    if (hover.value !== null && tool.value === "brush") untracked(makeRoomToDraw);
  });
  useSignalEffect(() => {
    const view = openScan.value?.view;
    if (view === undefined) return;
    for (const shown of [view.point, view.window, ...Object.values(view.cameras)]) shown.value;
    untracked(makeRoomToLook);
  });
  return (
    <div class="page">
      <Header actions={actions} opened={opened} />
      {opened === null ? (
        <Welcome actions={actions} />
      ) : (
        // What panes and panels hold belongs to this scan alone.
        <div key={opened.opened.scan} class="work">
          <Toolbar view={opened.view} />
          <Panes {...{ workspace: opened, maximised, hover }} />
          <aside class="side" aria-label={shell.sidePanel}>
            <div>
              <SegmentPanel workspace={opened} />
              <EditToolbar workspace={opened} />
            </div>
            <div>
              <NodesPanel workspace={opened} />
              <SavingLine workspace={opened} />
              <Panels workspace={opened} engine={theEngine()} />
            </div>
          </aside>
        </div>
      )}
      {isHelpOpen.value && <CheatSheet />}
      {choice.value !== null && <ScanChoice choice={choice.value} />}
      <StatusLine view={opened?.view ?? null} hover={hover} />
      {isOver.value && <p class="drop-target">{shell.dropNow}</p>}
    </div>
  );
}

interface PanesProps {
  readonly workspace: Workspace;
  readonly maximised: Signal<string | null>;
  readonly hover: Signal<Hover | null>;
}

/** The planes and the 3D view; of two dates, the planes of each in a row, those of the first date above. */
function Panes({ workspace, maximised, hover }: PanesProps) {
  const { view } = workspace;
  const pair = secondDate.value?.openView === view ? secondDate.value : null;
  const shape = pair === null ? "panes" : "panes two-dates";
  const openDate = pair?.isFirst === true ? followUp.secondDate : followUp.firstDate;
  const open = planeNames.map((plane) => (
    <PlanePane
      key={plane}
      {...{ view, plane, maximised, hover }}
      {...(pair === null ? {} : { date: openDate })}
      marks={(shown) => (
        <>
          <AxisMarks workspace={workspace} shown={shown} />
          <EditMarks {...{ view, plane, shown, hover }} />
        </>
      )}
    />
  ));
  const beside =
    pair === null ? (
      <ScenePane key="3d" workspace={workspace} maximised={maximised} />
    ) : (
      planeNames.map((plane) => (
        <PlanePane
          key={`beside ${plane}`}
          {...{ view: pair.view, plane, maximised, hover }}
          date={pair.isFirst ? followUp.firstDate : followUp.secondDate}
          marks={(shown) => <SecondMarks second={pair} shown={shown} />}
        />
      ))
    );
  return (
    <main class={maximised.value === null ? shape : `${shape} only only-${maximised.value}`}>
      {pair?.isFirst === true ? [beside, open] : [open, beside]}
    </main>
  );
}

function Header({ actions, opened }: ShellProps & { readonly opened: Workspace | null }) {
  return (
    <header class="header">
      <h1>lnsnet</h1>
      {opened !== null && (
        <p class="scan-name">
          <span>{opened.opened.name}</span>
          {opened.isPhantom && <span class="badge">{shell.phantom}</span>}
        </p>
      )}
      <p class="research">{researchUse}</p>
      {opened !== null && <OpenButtons actions={actions} />}
      <IconButton
        icon="help"
        label={toolbar.withKey(shell.help, "?")}
        onClick={() => {
          isHelpOpen.value = true;
        }}
      />
    </header>
  );
}

function OpenButtons({ actions }: ShellProps) {
  const choose = (files: FileList | null) => {
    const chosen = chosenFiles(files);
    if (chosen.length > 0) actions.openFiles(chosen);
  };
  return (
    <div class="open-buttons">
      <FileButton id="files" label={shell.open} icon="open" onChoose={choose} />
      <FileButton id="folder" label={shell.openFolder} isFolder onChoose={choose} />
      <button type="button" class="button" onClick={actions.openExample}>
        {shell.example}
      </button>
    </div>
  );
}

function Welcome({ actions }: ShellProps) {
  useEffect(() => inTurns(60, planeRehearsal), []);
  return (
    <main class="welcome">
      <div class="welcome-box">
        <h2>{shell.welcome}</h2>
        <p>{shell.dropHere}</p>
        <OpenButtons actions={actions} />
        <p class="faint">{shell.staysHere}</p>
        <p class="faint">{shell.exampleNote}</p>
        {worksOffline.value && <p class="faint">{shell.offline}</p>}
        <KeptStudies studies={keptStudies.value} onOpen={actions.openKept} onForget={actions.forgetKept} />
      </div>
    </main>
  );
}

function Toolbar({ view }: { readonly view: View }) {
  const { centreHu, widthHu } = view.window.value;
  return (
    <section class="toolbar" aria-label={toolbar.label}>
      <div class="tool-group">
        {toolKeys.map(({ name, key }) => (
          <IconButton
            key={name}
            icon={name}
            class="tool-button"
            label={toolbar.withKey(toolNames[name], key)}
            pressed={tool.value === name}
            onClick={() => {
              tool.value = name;
            }}
          >
            <span>{toolNames[name]}</span>
          </IconButton>
        ))}
        <IconButton
          icon="fit"
          class="tool-button"
          label={toolbar.withKey(toolbar.fitHint, "f")}
          onClick={() => fitAll(view)}
        >
          <span>{toolbar.fit}</span>
        </IconButton>
      </div>
      <fieldset class="tool-group presets" aria-label={toolbar.window}>
        {windowPresets.map(({ name, centreHu, widthHu }, index) => (
          <button
            key={name}
            type="button"
            class="preset"
            aria-pressed={view.preset.value === name}
            title={toolbar.withKey(toolbar.presetHint(presets[name], centreHu, widthHu), String(index + 1))}
            onClick={() => {
              view.window.value = { centreHu, widthHu };
            }}
          >
            {presets[name]}
          </button>
        ))}
        <p class="window-values">{toolbar.windowValues(centreHu, widthHu)}</p>
      </fieldset>
    </section>
  );
}

function StatusLine({ view, hover }: { readonly view: View | null; readonly hover: Signal<Hover | null> }) {
  const underWay = works.value;
  const told = notice.value;
  return (
    <footer class="status">
      {(told !== null || underWay.length === 0) && (
        <p class={`notice ${told?.kind ?? ""}`} role="status">
          {told?.text}
          {told?.link !== undefined && (
            <>
              {" "}
              <a href={told.link.address}>{told.link.text}</a>
            </>
          )}
        </p>
      )}
      {underWay.map((work, at) => (
        <WorkLine key={at} {...work} />
      ))}
      {view !== null && <Readout {...(hover.value ?? { view, pointMm: view.point.value })} />}
    </footer>
  );
}

function WorkLine({ kind, text, done, stop }: Work) {
  const rests = isResting.value && (kind === "searching" || kind === "learning");
  return (
    <div class="work-line">
      <p class="notice busy" role="status">
        {rests ? shell.resting(text) : text}
      </p>
      <progress aria-label={text} {...(done === null ? {} : { value: done })} />
      <button type="button" class="button small" aria-label={shell.stopOf(text)} onClick={stop}>
        {shell.stop}
      </button>
    </div>
  );
}

function Readout({ view, pointMm }: Hover) {
  const hu = huAt(view.scan, pointMm);
  return (
    <p class="readout">
      {status.position(...pointMm)}
      <span class="hu">{hu === null ? "" : status.hu(hu)}</span>
    </p>
  );
}

/** Files can be dropped anywhere on the page. @returns whether files are held over it */
function useFileDrop(onFiles: (files: readonly ChosenFile[]) => void): Signal<boolean> {
  const isOver = useSignal(false);
  // Before the first picture, so that nothing a person does with it is missed.
  useLayoutEffect(() => {
    const stop = new AbortController();
    const listen = (type: "dragover" | "dragleave" | "drop", react: (event: DragEvent) => void) =>
      addEventListener(type, react, { signal: stop.signal });
    listen("dragover", (event) => {
      event.preventDefault();
      isOver.value = true;
    });
    listen("dragleave", (event) => {
      if (event.relatedTarget === null) isOver.value = false;
    });
    listen("drop", (event) => {
      event.preventDefault();
      isOver.value = false;
      if (event.dataTransfer === null) return;
      droppedFiles(event.dataTransfer).then((files) => {
        if (files.length > 0) onFiles(files);
      }, tellError);
    });
    return () => stop.abort();
  }, [onFiles, isOver]);
  return isOver;
}

function useGlobalKeys(maximised: Signal<string | null>): void {
  useLayoutEffect(() => {
    const stop = new AbortController();
    addEventListener("keydown", (event) => onGlobalKey(event, maximised), { signal: stop.signal });
    return () => stop.abort();
  }, [maximised]);
}

function onGlobalKey(event: KeyboardEvent, maximised: Signal<string | null>): void {
  if (event.key === "?" && !isTyping(event.target)) isHelpOpen.value = true;
  const view = openScan.value?.view;
  if (view === undefined || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const preset = windowPresets[Number(event.key) - 1];
  const chosen = toolKeys.find(({ key }) => key === event.key.toLowerCase());
  if (preset !== undefined) view.window.value = { centreHu: preset.centreHu, widthHu: preset.widthHu };
  else if (chosen !== undefined) tool.value = chosen.name;
  else if (event.key === "f") fitAll(view);
  else if (event.key === "Escape") maximised.value = null;
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.matches('input:not([type="range"]), textarea, select');
