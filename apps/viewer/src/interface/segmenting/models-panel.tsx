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
          onChoose={choose}
        />
        <FileButton id="own-model-folder" label={ownModel.openFolder} isFolder onChoose={choose} />
      </p>
    </details>
  );
}

function choose(files: FileList | null): void {
  const chosen = chosenFiles(files);
  if (chosen.length > 0) void openOwnModel(chosen);
}

function ModelEntry({ purpose, model }: { readonly purpose: ModelRole; readonly model: OpenedModel }) {
  const { name, trainedOn, members, isShipped, plan, notes } = model;
  const isOfNnunet = plan.nnunet !== undefined;
  const terms = isShipped ? "shipped" : isOfNnunet ? "nnunet" : "own";
  return (
    <div>
      <dt>{ownModel.roles[purpose]}</dt>
      <dd>
        <strong>{name}</strong>, {ownModel.trainedOn(trainedOn)}
      </dd>
      {members.length > 1 && (
        <dd class="faint">
          {ownModel.ensemble(
            members.map((member) => member.name),
            isOfNnunet,
          )}
        </dd>
      )}
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
