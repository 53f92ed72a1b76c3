// A model with weights from elsewhere, such as those of the same network in PyTorch.
import { InputError } from "../errors.js";
import type { Unpickled } from "../formats/pickle.js";
import { readSafetensors } from "../formats/safetensors.js";
import { CheckpointTensor, readTorchCheckpoint } from "../formats/torch-checkpoint.js";
import { isZip } from "../formats/zip.js";
import { partsOf } from "../networks/catalogue.js";
import { counted, shown } from "../text.js";
import { allFinite, type Model } from "./model-file.js";

/** A file with named tensors. */
export interface WeightsFile {
  /** What errors call it. */
  readonly path: string;
  /** safetensors, or a state dictionary that torch.save wrote. */
  readonly bytes: Uint8Array;
  /** The name of ours for each of the file's that differs; null leaves a tensor out. */
  readonly names?: Readonly<Record<string, string | null>>;
  /** The data that these weights were trained on, as results name it. */
  readonly dataLabel: string;
}

/**
 * The model with the weights of a file, by name. What belonged to its own weights, steps and calibration, is dropped.
 *
 * @throws InputError where the file cannot be read, or holds more, fewer or other tensors than the network has
 */
export function withOtherWeights(
  { plan }: Model,
  { path, bytes, names = {}, dataLabel }: WeightsFile,
): Model {
  const tensors = new Map<string, NamedTensor>();
  for (const [theirs, tensor] of tensorsOf(bytes, path)) {
    // How often a batch norm was updated is no weight, and PyTorch counts it as one.
    if (theirs.endsWith(".num_batches_tracked")) continue;
    const name = Object.hasOwn(names, theirs) ? names[theirs] : theirs;
    if (name === null) continue;
    if (tensors.has(name))
      throw new InputError(
        `${path} gives "${shown(name)}" twice by the names that were given; give each once.`,
      );
    tensors.set(name, tensor);
  }
  const { parameters, buffers } = partsOf(plan.network, plan.patchSize);
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of [...parameters, ...buffers]) {
    const tensor = tensors.get(name);
    if (tensor?.shape.join() !== shape.join())
      throw new InputError(
        `${path} ${tensor === undefined ? `lacks "${name}"` : `holds "${name}" of shape [${tensor.shape.join(", ")}]`}, and the network "${plan.network.name}" expects [${shape.join(", ")}]; choose weights of this network, or name them by the option names.`,
      );
    const numbers = tensor.read();
    if (!allFinite(numbers))
      throw new InputError(
        `${path} holds a number in "${name}" that is NaN or infinite; choose other weights.`,
      );
    weights.set(name, numbers);
    tensors.delete(name);
  }
  const [strange] = tensors.keys();
  if (strange !== undefined)
    throw new InputError(
      `${path} holds ${counted(tensors.size, "tensor")} that the network "${plan.network.name}" does not have, such as "${shown(strange)}"; choose weights of this network, or leave them out by the option names (null).`,
    );
  const { calibration: _, ...rest } = plan;
  return { plan: { ...rest, dataLabel }, weights, steps: 0 };
}

type NamedTensor = Pick<CheckpointTensor, "shape" | "read">;

function tensorsOf(bytes: Uint8Array, path: string): ReadonlyMap<string, NamedTensor> {
  if (isZip(bytes)) return stateOf(readTorchCheckpoint(bytes, path), path);
  const named = [...readSafetensors(bytes, path).tensors].map(([name, { shape, data }]) => {
    const read = () =>
      data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>, Number);
    return [name, { shape, read }] as const;
  });
  return new Map(named);
}

/** A state dictionary, by itself or as the entry `state_dict` of a checkpoint. */
function stateOf(content: Unpickled, path: string): ReadonlyMap<string, CheckpointTensor> {
  const state = content instanceof Map ? (content.get("state_dict") ?? content) : null;
  const entries: readonly [Unpickled, Unpickled][] = state instanceof Map ? [...state] : [];
  const isNamed = (entry: readonly [Unpickled, Unpickled]): entry is [string, CheckpointTensor] =>
    typeof entry[0] === "string" && entry[1] instanceof CheckpointTensor;
  if (entries.length === 0 || !entries.every(isNamed))
    throw new InputError(
      `${path} holds no state dictionary of tensors alone, and one is expected; save it with torch.save(network.state_dict(), FILE).`,
    );
  return new Map(entries);
}
