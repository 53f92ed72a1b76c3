// Models that ship with the viewer, and those that a person brings: one, or several that are averaged.
import { InputError, type Model, type ModelIdentity, readModel } from "@lnsnet/core";
import { readNnunetModel } from "@lnsnet/core/models";
import { predictionBytes } from "@lnsnet/core/networks";
import { channelsOf } from "@lnsnet/core/transforms";
import type { ChosenFile, EngineJob } from "./answers.js";
import { bytesOf } from "./chosen-files.js";

/** A model with what results say of it. */
interface IdentifiedMember {
  readonly model: Model;
  readonly identity: ModelIdentity;
}

/** A model, or an ensemble. */
export interface IdentifiedModel {
  /** At least one. */
  readonly members: readonly IdentifiedMember[];
  /** What could not be told from the files, a sentence each. */
  readonly notes: readonly string[];
}

/** A model of lnsnet. @throws InputError where the bytes are none */
export async function modelOfBytes(bytes: Uint8Array, name: string): Promise<IdentifiedModel> {
  const model = readModel(bytes, name);
  return { members: [{ model, identity: await identityOf(bytes, name, model) }], notes: [] };
}

/**
 * A person's own model: safetensors files of lnsnet, or the plans.json, dataset.json and checkpoints of an nnU-Net's folds.
 * Several are an ensemble.
 *
 * @throws InputError where the files are neither, or damaged; the signal's reason
 */
export async function modelOfFiles(files: readonly ChosenFile[], job: EngineJob): Promise<IdentifiedModel> {
  const ours = files.filter(({ path }) => /\.safetensors$/i.test(path));
  const checkpoints = checkpointsAmong(files);
  const members: IdentifiedMember[] = [];
  const notes = new Set<string>();
  if (ours.length > 0) {
    for (const { path, file } of ours) {
      job.signal?.throwIfAborted();
      members.push(...(await modelOfBytes(await bytesOf(file, path), path)).members);
      requireMemory(members);
    }
  } else if (checkpoints.length > 0) {
    const [{ path }] = checkpoints;
    const plans = await jsonBeside(files, path, "plans.json");
    const dataset = await jsonBeside(files, path, "dataset.json");
    for (const { path, file } of checkpoints) {
      job.signal?.throwIfAborted();
      const bytes = await bytesOf(file, path);
      const checkpoint = { path, bytes };
      const read = readNnunetModel({ plans, dataset, checkpoint, mirrored: false });
      members.push({ model: read.model, identity: await identityOf(bytes, path, read.model) });
      for (const note of read.notes) notes.add(note);
      requireMemory(members);
    }
  } else {
    const onnx = files.find(({ path }) => /\.onnx$/i.test(path));
    const given = onnx?.path ?? files[0]?.path ?? "Nothing";
    throw new InputError(
      `${given} is no model that can be opened here; choose the model.safetensors that "lnsnet train" or "lnsnet import" wrote${onnx === undefined ? "" : ", from which the ONNX file was made"}.`,
    );
  }
  for (const member of members) requireOneCt(member);
  return { members, notes: [...notes] };
}

/** What results call a model that has opened: the names and data of all its members. */
export function calledTogether(members: readonly IdentifiedMember[]): Omit<ModelIdentity, "sha256"> {
  const [{ identity }] = members;
  const name = members.length === 1 ? identity.name : `${identity.name} and ${members.length - 1} more`;
  const data = new Set(members.map(({ identity }) => identity.trainedOn));
  return { name, trainedOn: [...data].join(" and ") };
}

/**
 * The checkpoints of an nnU-Net: those that it takes for final where a folder has several, and of numbered folds alone where
 * there is one of all data too, as nnU-Net does.
 */
function checkpointsAmong(files: readonly ChosenFile[]): readonly ChosenFile[] {
  const all = files.filter(({ path }) => /\.pth$/i.test(path));
  const final = all.filter(({ path }) => baseName(path) === "checkpoint_final.pth");
  const chosen = final.length > 0 ? final : all;
  const ofFolds = chosen.filter(({ path }) => /(^|\/)fold_\d+\//.test(path));
  return ofFolds.length > 0 ? ofFolds : chosen;
}

/** A JSON file that belongs to a checkpoint. @throws InputError where it is not there, or is no JSON */
async function jsonBeside(files: readonly ChosenFile[], checkpoint: string, name: string) {
  const found = files.find(({ path }) => baseName(path) === name);
  if (found === undefined)
    throw new InputError(
      `${checkpoint} is a checkpoint of nnU-Net, and its ${name} is not there; choose plans.json and dataset.json together with it.`,
    );
  return { path: found.path, content: parsed(await found.file.text(), found.path) };
}

/** A model as results name it. */
async function identityOf(bytes: Uint8Array, path: string, model: Model): Promise<ModelIdentity> {
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return { name: baseName(path), trainedOn: model.plan.dataLabel, sha256 };
}

/** @throws InputError where a model looks at more than a CT */
function requireOneCt({ model: { plan }, identity }: IdentifiedMember): void {
  const names = channelsOf(plan).map(({ name }) => name);
  if (names.length > 1)
    throw new InputError(
      `${identity.name} looks at ${names.length} images of a patient together (${names.join(", ")}), and this page opens one CT; use it with "lnsnet predict", or open a model of one channel.`,
    );
}

/** All memory that WebAssembly has; it never gets smaller again. */
const mostBytes = 4 * 2 ** 30;
/**
 * What onnxruntime-web took of it, as a multiple of a network's weights while it is open and while it is read, and of the
 * tensors of a run at their peak.
 */
const taken = { open: 1.2, read: 2.2, run: 2.8 };

/** @throws InputError where networks need more memory than a page has */
function requireMemory(members: readonly IdentifiedMember[]): void {
  const costs = members.map(({ model: { plan, weights } }) => {
    const ofWeights = [...weights.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
    return { ofWeights, ofTensors: predictionBytes(plan.network, plan.patchSize) - ofWeights };
  });
  // All stay open, and one runs after the other.
  const needed =
    costs.reduce((sum, { ofWeights }) => sum + taken.open * ofWeights, 0) +
    Math.max(...costs.flatMap(({ ofWeights, ofTensors }) => [taken.read * ofWeights, taken.run * ofTensors]));
  if (needed <= mostBytes) return;
  const { name } = calledTogether(members);
  const instead = members.length === 1 ? "" : "choose fewer of them, or ";
  throw new InputError(
    `${name} would need about ${(needed / 1e9).toFixed(1)} GB of memory, and a page has at most ${(mostBytes / 1e9).toFixed(1)} GB; ${instead}use "lnsnet predict".`,
  );
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path} is no JSON; copy it again.`, { cause });
  }
}
