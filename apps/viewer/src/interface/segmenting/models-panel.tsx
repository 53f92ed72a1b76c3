// Which models are used, what they were trained on and under which terms; and a person's own in their place.
import type { OpenedModel } from "../../engine/answers.js";
import { chosenFiles } from "../dropped-files.js";
import { FileButton } from "../file-button.js";
import { tellError } from "../session.js";
import { ownModel } from "../texts.js";
import { type ModelRole, modelFor, models, openOwnModel, useShipped } from "./segmenter.js";

export function ModelsPanel() {
  const { clicker, finder } = models.value;
  return (
    <details
      class="panel"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) modelFor("finder").catch(tellError);
      }}
    >
      <summary>{ownModel.title}</summary>
      <dl class="models">
        {clicker !== undefined && <ModelEntry purpose="clicker" model={clicker} />}
        {finder !== undefined && <ModelEntry purpose="finder" model={finder} />}
      </dl>
      <p class="faint">{ownModel.about}</p>
      <p class="button-row">
        <FileButton
          id="own-model"
          label={ownModel.open}
          accept=".safetensors,.pth,.json,.onnx"
          onChoose={(files) => {
            const chosen = chosenFiles(files);
            if (chosen.length > 0) void openOwnModel(chosen);
          }}
        />
      </p>
    </details>
  );
}

function ModelEntry({ purpose, model }: { readonly purpose: ModelRole; readonly model: OpenedModel }) {
  const { identity, isShipped, plan, notes } = model;
  const isOfNnunet = plan.nnunet !== undefined;
  const terms = isShipped ? "shipped" : isOfNnunet ? "nnunet" : "own";
  return (
    <div>
      <dt>{ownModel.roles[purpose]}</dt>
      <dd>
        <strong>{identity.name}</strong>, {ownModel.trainedOn(identity.trainedOn)}
      </dd>
      <dd class="faint">{ownModel.terms[terms]}</dd>
      {isOfNnunet && <dd class="faint">{ownModel.wholeScansOnly}</dd>}
      {notes.map((note) => (
        <dd key={note} class="faint">
          {note}
        </dd>
      ))}
      {!isShipped && (
        <dd>
          <button type="button" class="button small" onClick={() => void useShipped(purpose)}>
            {ownModel.shippedAgain}
          </button>
        </dd>
      )}
    </div>
  );
}
