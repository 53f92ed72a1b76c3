// Weights of nnU-Net's networks by the names of ours.
import { InputError } from "../errors.js";
import type { CheckpointTensor } from "../formats/torch-checkpoint.js";
import type { Shape } from "../graph/shape.js";
import { type NetworkSpecification, partsOf } from "../networks/catalogue.js";
import { counted, shown } from "../text.js";
import { allFinite } from "./model-file.js";

/**
 * The weights of a network from the tensors of nnU-Net's. Each tensor is used once; those that a checkpoint holds twice
 * (under `all_modules`, and the encoder under `decoder.encoder`) or for training alone (layers of coarser logits) are left
 * out. Of one class, whose network here has one channel, the background's logit is subtracted from the foreground's: the
 * sigmoid of the difference is the softmax of both.
 *
 * @param tensors by the names of the checkpoint, without prefixes
 * @throws InputError where a tensor is missing, has another shape, is not finite, or belongs to no part of the network
 */
export function weightsOfNnunet(
  tensors: ReadonlyMap<string, CheckpointTensor>,
  network: NetworkSpecification,
  patchSize: Shape,
  path: string,
): ReadonlyMap<string, Float32Array> {
  const steps =
    network.name === "nnunet" || network.name === "nnunet-resenc" ? network.configuration.strides.length : 0;
  const weights = new Map<string, Float32Array>();
  const used = new Set<string>();
  for (const { name, shape } of partsOf(network, patchSize).parameters) {
    const source = network.name === "nnunet" ? nameInPlain(name, steps) : name;
    const isDifference = network.configuration.classes === 1 && source.startsWith(headOf(steps));
    const tensor = tensors.get(source);
    const expected = isDifference ? [2, ...shape.slice(1)] : shape;
    if (tensor?.shape.join() !== expected.join())
      throw new InputError(
        `${path} ${tensor === undefined ? "lacks the tensor" : `holds the shape [${tensor.shape.join(", ")}] for`} "${source}", and [${expected.join(", ")}] is expected by plans.json and dataset.json; give the folder that nnU-Net wrote.`,
      );
    const numbers = tensor.read();
    if (!allFinite(numbers))
      throw new InputError(
        `${path} holds a number in "${source}" that is NaN or infinite, and finite weights are expected; choose another checkpoint.`,
      );
    weights.set(name, isDifference ? differenceOf(numbers) : numbers);
    used.add(source);
  }
  const strange = [...tensors.keys()].filter((name) => !used.has(name) && !isLeftOut(name, steps));
  if (strange.length > 0)
    throw new InputError(
      `${path} holds ${counted(strange.length, "tensor")} that the network of plans.json does not have, such as "${shown(strange[0])}"; its trainer built another network, which is not imported.`,
    );
  return weights;
}

/** The foreground's logit without the background's. */
function differenceOf(both: Float32Array): Float32Array {
  const half = both.length / 2;
  return Float32Array.from({ length: half }, (_, n) => both[half + n] - both[n]);
}

const headOf = (steps: number): string => `decoder.seg_layers.${steps - 1}.`;

/** Tensors that stand elsewhere too, or serve training alone. */
const isLeftOut = (name: string, steps: number): boolean =>
  name.includes(".all_modules.") ||
  name.startsWith("decoder.encoder.") ||
  (name.startsWith("decoder.seg_layers.") && !name.startsWith(headOf(steps)));

/** What nnU-Net's plain U-Net calls a parameter that ours names as MONAI's DynUNet does. */
function nameInPlain(name: string, steps: number): string {
  const [part, ...rest] = name.split(".");
  if (part === "output_block") return `${headOf(steps)}${rest.at(-1)}`;
  if (part === "upsamples") {
    const [step, block, ...within] = rest;
    return block === "transp_conv"
      ? `decoder.transpconvs.${step}.${within.at(-1)}`
      : `decoder.stages.${step}.${nameInStack(within)}`;
  }
  if (part === "downsamples") return `encoder.stages.${Number(rest[0]) + 1}.0.${nameInStack(rest.slice(1))}`;
  return `encoder.stages.${part === "input_block" ? 0 : steps}.0.${nameInStack(rest)}`;
}

/** `conv2.conv.weight` and `norm2.weight` of a block are `convs.1.conv.weight` and `convs.1.norm.weight`. */
function nameInStack([layer, ...rest]: readonly string[]): string {
  return `convs.${Number(layer.slice(4)) - 1}.${layer.slice(0, 4)}.${rest.at(-1)}`;
}
