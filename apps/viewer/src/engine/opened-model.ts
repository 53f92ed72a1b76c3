// Models that ship with the viewer, and those that a person brings.
import { InputError, type Model, type ModelIdentity, readModel } from "@lnsnet/core";
import { readNnunetModel } from "@lnsnet/core/models";
import type { ChosenFile, EngineJob } from "./answers.js";
import { bytesOf } from "./chosen-files.js";

/** A model with what results say of it. */
export interface IdentifiedModel {
  readonly model: Model;
  readonly identity: ModelIdentity;
  /** What could not be told from its files, a sentence each. */
  readonly notes: readonly string[];
}

/** A model of lnsnet. @throws InputError where the bytes are none */
export async function modelOfBytes(bytes: Uint8Array, name: string): Promise<IdentifiedModel> {
  const model = readModel(bytes, name);
  return { model, identity: await identityOf(bytes, name, model), notes: [] };
}

/**
 * A person's own model: a safetensors file of lnsnet, or the plans.json, dataset.json and checkpoint of a fold of nnU-Net.
 *
 * @throws InputError where the files are neither, or damaged
 */
export async function modelOfFiles(files: readonly ChosenFile[], job: EngineJob): Promise<IdentifiedModel> {
  const named = (pattern: RegExp) => files.filter(({ path }) => pattern.test(path));
  const [ours, ...others] = named(/\.safetensors$/i);
  if (others.length > 0)
    throw new InputError(
      `${1 + others.length} models were chosen (${ours.path}, ${others[0].path}, …), and this page uses one at a time; choose one of them.`,
    );
  if (ours !== undefined) return modelOfBytes(await bytesOf(ours.file, ours.path), ours.path);
  const [checkpoint, ...folds] = named(/\.pth$/i);
  if (folds.length > 0)
    throw new InputError(
      `${1 + folds.length} checkpoints were chosen (${checkpoint.path}, ${folds[0].path}, …), and this page uses one at a time; choose the checkpoint_final.pth of one fold, with plans.json and dataset.json.`,
    );
  if (checkpoint !== undefined) {
    const json = async (name: string) => {
      const file = files.find(({ path }) => path === name || path.endsWith(`/${name}`));
      if (file === undefined)
        throw new InputError(
          `${checkpoint.path} is a checkpoint of nnU-Net, and its ${name} is not there; choose plans.json and dataset.json together with it.`,
        );
      return { path: file.path, content: parsed(await file.file.text(), file.path) };
    };
    const bytes = await bytesOf(checkpoint.file, checkpoint.path);
    job.signal?.throwIfAborted();
    const { model, notes } = readNnunetModel({
      plans: await json("plans.json"),
      dataset: await json("dataset.json"),
      checkpoint: { path: checkpoint.path, bytes },
      mirrored: false,
    });
    return { model, identity: await identityOf(bytes, checkpoint.path, model), notes };
  }
  const [onnx] = named(/\.onnx$/i);
  const given = onnx?.path ?? files[0]?.path ?? "Nothing";
  throw new InputError(
    `${given} is no model that can be opened here; choose the model.safetensors that "lnsnet train" or "lnsnet import" wrote${onnx === undefined ? "" : ", from which the ONNX file was made"}.`,
  );
}

/** A model as results name it. */
async function identityOf(bytes: Uint8Array, path: string, model: Model): Promise<ModelIdentity> {
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { name: path.slice(path.lastIndexOf("/") + 1), trainedOn: model.plan.dataLabel, sha256 };
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path} is no JSON; copy it again.`, { cause });
  }
}
