// Click, find all, threshold, and which model computes where.
import { useEffect } from "preact/hooks";
import { isUnderWay } from "../session.js";
import { segmenting } from "../texts.js";
import { tool } from "../tool.js";
import { whenQuiet } from "../when-quiet.js";
import type { Workspace } from "../workspace.js";
import {
  adjustable,
  askedLast,
  endThreshold,
  findAll,
  isCorrecting,
  modelFor,
  models,
  moveThreshold,
  threshold,
} from "./segmenter.js";
import { ThreadsLine } from "./threads-line.js";

/** So long a person does nothing before the model that finds nodes is opened. */
const quietMs = 3000;

/**
 * The first click need not wait for its model. The one that finds nodes follows at a quiet moment: opening it takes a processor for
 * itself, just when a person who has begun a search scrolls on.
 */
function openAhead(): () => void {
  const clicker = modelFor("clicker");
  const ignore = () => undefined;
  clicker.catch(ignore);
  return whenQuiet(quietMs, () => void clicker.then(() => modelFor("finder")).catch(ignore));
}

export function SegmentPanel({ workspace }: { readonly workspace: Workspace }) {
  useEffect(openAhead, []);
  const { clicker } = models.value;
  const model = models.value[askedLast.value];
  const adjusted = adjustable.value;
  const canAdjust = adjusted !== null && adjusted.number === workspace.selected.value;
  return (
    <section class="segment-panel" aria-label={segmenting.title}>
      <div class="edit-row">
        <button
          type="button"
          class="button primary"
          aria-pressed={tool.value === "node"}
          onClick={() => {
            tool.value = "node";
          }}
        >
          {segmenting.clickNode}
        </button>
        <button
          type="button"
          class="button"
          disabled={isUnderWay("searching")}
          onClick={() => void findAll(workspace)}
        >
          {segmenting.findAll}
        </button>
      </div>
      {tool.value === "node" && clicker?.isPromptable === true && (
        <label class="edit-row">
          <input
            type="checkbox"
            checked={isCorrecting.value}
            onInput={(event) => {
              isCorrecting.value = event.currentTarget.checked;
            }}
          />
          {segmenting.correct}
        </label>
      )}
      <label class="edit-row threshold">
        <span>{segmenting.threshold(threshold.value)}</span>
        <input
          type="range"
          min={0.05}
          max={0.95}
          step={0.05}
          value={threshold.value}
          disabled={!canAdjust}
          onInput={(event) => void moveThreshold(workspace.study, event.currentTarget.valueAsNumber)}
          onChange={endThreshold}
        />
      </label>
      <p class="faint model-note">
        {model === undefined
          ? segmenting.loadingModel
          : segmenting.model(model.name, model.trainedOn, model.deviceNote, model.threads)}
      </p>
      <ThreadsLine />
    </section>
  );
}
