// Learn: fine-tunes the model by the nodes of the scan, or teaches a new one, and shows whether it helps.
import { learningCurveSvg } from "@lnsnet/core/reports";
import { useSignal } from "@preact/signals";
import type { LearningPoint } from "../../engine/answers.js";
import type { Engine } from "../../engine/engine.js";
import type { LearnedModel } from "../../engine/workbench.js";
import { download } from "../download.js";
import { modelFor, models, useModel } from "../segmenting/segmenter.js";
import { doWork, isUnderWay, notice } from "../session.js";
import { learning } from "../texts.js";
import type { Workspace } from "../workspace.js";

interface LearningPanelProps {
  readonly workspace: Workspace;
  readonly engine: Engine;
}

/** Enough for the border of nodes; a new model needs the more. */
const steps = { tuned: 12, anew: 400 } as const;

export function LearningPanel({ workspace, engine }: LearningPanelProps) {
  const nodes = workspace.nodes.value;
  const heldOut = useSignal<number | null>(null);
  const curve = useSignal<readonly LearningPoint[]>([]);
  const learned = useSignal<LearnedModel | null>(null);
  const isLearning = isUnderWay("learning");
  const judge = nodes.some(({ number }) => number === heldOut.value)
    ? heldOut.value
    : (nodes.at(-1)?.number ?? null);

  const learn = async (isNew: boolean) => {
    curve.value = [];
    const before = learned.value;
    learned.value = null;
    if (before !== null) await engine.closeModel({ model: before.model });
    const request = (model: number | null) => {
      const { study, opened } = workspace;
      return {
        scan: opened.scan,
        model,
        steps: isNew ? steps.anew : steps.tuned,
        source: opened.name,
        nodes: nodes.flatMap(({ number }) => {
          const box = study.maskOf(number);
          if (box === null) return [];
          const { start, size, data } = box;
          return [{ number, isHeldOut: number === judge, start, mask: { ...study.scan, size, data } }];
        }),
      };
    };
    const onLearning = (point: LearningPoint) => {
      curve.value = [...curve.value, point];
    };
    learned.value = await doWork(
      learning.busy,
      async (signal, onProgress) => {
        const model = isNew ? null : (await modelFor("finder")).model;
        return engine.learn(request(model), { signal, onProgress, onLearning });
      },
      "learning",
    );
  };
  const keep = (model: LearnedModel) => {
    useModel(model);
    learned.value = null;
    notice.value = { kind: "done", text: learning.kept(model.name) };
  };
  const discard = async (model: LearnedModel) => {
    learned.value = null;
    await engine.closeModel({ model: model.model });
  };
  return (
    <details class="panel">
      <summary>{learning.title}</summary>
      <p class="faint">{learning.about}</p>
      {nodes.length < 2 ? (
        <p>{learning.tooFew}</p>
      ) : (
        <>
          <label>
            {learning.heldOut}{" "}
            <select
              value={judge ?? ""}
              onChange={({ currentTarget }) => {
                heldOut.value = Number(currentTarget.value);
              }}
            >
              {nodes.map(({ number, name }) => (
                <option key={number} value={number}>
                  {name}
                </option>
              ))}
            </select>
          </label>
          <p class="button-row">
            <button type="button" class="button" disabled={isLearning} onClick={() => learn(false)}>
              {learning.tune}
            </button>
            <button type="button" class="button" disabled={isLearning} onClick={() => learn(true)}>
              {learning.teach}
            </button>
          </p>
        </>
      )}
      {curve.value.length > 0 && <Curve points={curve.value} />}
      {learned.value !== null && (
        <Outcome model={learned.value} engine={engine} onKeep={keep} onDiscard={discard} />
      )}
      {models.value.finder !== undefined && (
        <p class="faint">{learning.inUse(models.value.finder.plan.dataLabel)}</p>
      )}
    </details>
  );
}

function Curve({ points }: { readonly points: readonly LearningPoint[] }) {
  const svg = learningCurveSvg({
    title: learning.curve,
    steps: points.flatMap(({ step, loss }) => (loss === undefined ? [] : [{ step, loss }])),
    validation: points.flatMap(({ step, heldOutDsc }) =>
      heldOutDsc === undefined ? [] : [{ step, dsc: heldOutDsc }],
    ),
  });
  return <div class="chart" dangerouslySetInnerHTML={{ __html: svg }} />;
}

interface OutcomeProps {
  readonly model: LearnedModel;
  readonly engine: Engine;
  readonly onKeep: (model: LearnedModel) => void;
  readonly onDiscard: (model: LearnedModel) => void;
}

function Outcome({ model, engine, onKeep, onDiscard }: OutcomeProps) {
  const { heldOut, bestStep, seconds } = model.figures;
  const exportModel = async () => {
    const file = await doWork(learning.busy, () => engine.modelFile({ model: model.model }));
    if (file !== null) download(file);
  };
  return (
    <section aria-label={learning.outcome}>
      <table>
        <thead>
          <tr>
            <th>{learning.node}</th>
            <th>{learning.before}</th>
            <th>{learning.after}</th>
          </tr>
        </thead>
        <tbody>
          {heldOut.map(({ number, before, after }) => (
            <tr key={number}>
              <td>{number}</td>
              <td>{before.toFixed(3)}</td>
              <td>{after.toFixed(3)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{bestStep === 0 ? learning.noBetter : learning.better(bestStep, seconds)}</p>
      <p class="button-row">
        <button type="button" class="button" onClick={() => onKeep(model)}>
          {learning.keep}
        </button>
        <button type="button" class="button" onClick={exportModel}>
          {learning.exportModel}
        </button>
        <button type="button" class="button" onClick={() => onDiscard(model)}>
          {learning.discard}
        </button>
      </p>
    </section>
  );
}
