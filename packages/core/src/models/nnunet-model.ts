// A fold of a model folder of nnU-Net v2 as a model of ours.
import { InputError } from "../errors.js";
import type { Unpickled } from "../formats/pickle.js";
import { CheckpointTensor, readTorchCheckpoint } from "../formats/torch-checkpoint.js";
import { takesSize } from "../networks/catalogue.js";
import { shown } from "../text.js";
import type { Model } from "./model-file.js";
import { type JsonFile, planOfNnunet } from "./nnunet-plans.js";
import { weightsOfNnunet } from "./nnunet-weights.js";

/** What of a model folder makes a model. */
export interface NnunetFold {
  readonly plans: JsonFile;
  readonly dataset: JsonFile;
  readonly checkpoint: { readonly path: string; readonly bytes: Uint8Array };
  /** Whether mirrored patches are averaged as nnU-Net does by default: up to eight runs a patch. */
  readonly mirrored: boolean;
}

export interface ImportedModel {
  readonly model: Model;
  /** Sentences on what could not be told from the files. */
  readonly notes: readonly string[];
}

/**
 * Reads a checkpoint of nnU-Net; nothing of it is run.
 *
 * @throws InputError where a file is damaged, or holds a model that is not used here exactly as nnU-Net would
 */
export function readNnunetModel({ plans, dataset, checkpoint, mirrored }: NnunetFold): ImportedModel {
  const { path, bytes } = checkpoint;
  const content = readTorchCheckpoint(bytes, path);
  const entry = (name: string): Unpickled => (content instanceof Map ? (content.get(name) ?? null) : null);
  const initial = entry("init_args");
  const configuration = initial instanceof Map ? initial.get("configuration") : undefined;
  const trainer = entry("trainer_name");
  if (typeof configuration !== "string" || typeof trainer !== "string")
    throw new InputError(
      `${path} names no configuration and trainer, as a checkpoint of nnU-Net v2 does; choose the checkpoint_final.pth of a fold.`,
    );
  const axes = mirrored ? mirroredAxesOf(entry("inference_allowed_mirroring_axes"), path) : [];
  const plan = planOfNnunet(plans, dataset, { configuration, mirroredAxes: axes });
  if (!takesSize(plan.network, plan.patchSize))
    throw new InputError(
      `${plans.path} plans patches of ${plan.patchSize.join("×")} voxels, which its strides do not divide; give the plans.json of this model.`,
    );
  const tensors = tensorsOf(entry("network_weights"), path);
  const weights = weightsOfNnunet(tensors, plan.network, plan.patchSize, path);
  const epochs = entry("current_epoch");
  const steps = typeof epochs === "number" && epochs >= 0 ? Math.floor(epochs) * STEPS_PER_EPOCH : 0;
  const notes =
    trainer === "nnUNetTrainer"
      ? []
      : [
          `${path} was trained by "${shown(trainer)}"; its tensors fit the network of plans.json, which is taken for its own.`,
        ];
  return { model: { plan, weights, steps }, notes };
}

/** Of nnU-Net's trainer; checkpoints count epochs alone. */
const STEPS_PER_EPOCH = 250;

function mirroredAxesOf(axes: Unpickled, path: string): readonly number[] {
  if (axes === null) return [];
  if (Array.isArray(axes) && axes.every((axis) => axis === 0 || axis === 1 || axis === 2))
    return axes as number[];
  throw new InputError(
    `${path} mirrors the axes ${shown(axes)}, and a list of 0, 1 and 2 is expected; choose the checkpoint of a 3D network.`,
  );
}

/** Tensors by name, without the prefixes of torch.compile and of training on several devices. */
function tensorsOf(weights: Unpickled, path: string): ReadonlyMap<string, CheckpointTensor> {
  if (!(weights instanceof Map) || weights.size === 0)
    throw new InputError(
      `${path} holds no "network_weights", as a checkpoint of nnU-Net v2 does; choose the checkpoint_final.pth of a fold.`,
    );
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, tensor] of weights as ReadonlyMap<Unpickled, Unpickled>) {
    if (typeof name !== "string" || !(tensor instanceof CheckpointTensor))
      throw new InputError(
        `${path} holds "${shown(name)}" among its weights, which is no tensor; choose the checkpoint_final.pth of a fold.`,
      );
    const plain = name.replace(/^(_orig_mod\.|module\.)+/, "");
    if (tensors.has(plain))
      throw new InputError(`${path} holds the tensor "${shown(plain)}" twice; choose another checkpoint.`);
    tensors.set(plain, tensor);
  }
  return tensors;
}
