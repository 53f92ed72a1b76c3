// A trained model as one file: named weights, and in the metadata all that is needed to use them.
import { z } from "zod";
import { InputError } from "../errors.js";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.js";
import type { PredictionPlan, TrainedModel } from "../inference/predictor.js";
import { parametersOf } from "../networks/catalogue.js";
import { lnsnetDefaults } from "../networks/lnsnet.js";

/** How scans are prepared and a network is built, and what results of it must say. */
export interface Plan extends PredictionPlan {
  /** What foreground is, such as "lymph node". */
  readonly foreground: string;
  /** The data it was trained on, as every result names it, such as "phantom". */
  readonly dataLabel: string;
}

/** A trained network with all that is needed to use it. */
export interface Model extends TrainedModel {
  readonly plan: Plan;
  /** Updates that made these weights. */
  readonly steps: number;
}

const count = z.int().positive();
const three = z.tuple([z.number(), z.number(), z.number()]);

const planSchema: z.ZodType<Plan> = z.object({
  network: z.object({
    name: z.literal("lnsnet"),
    configuration: z.object({
      inputs: count,
      classes: count,
      stages: z.array(count),
      stem: z.enum(["full", "half"]).default(lnsnetDefaults.stem),
      headChannels: z.int().min(0).default(lnsnetDefaults.headChannels),
      depths: z.array(z.int().min(0)),
      decoderDepth: z.int().min(0),
      partialRatio: z.number(),
      kernel: count,
      expansion: count,
      pointwiseGroups: z.enum(["dense", "depthwise"]),
      norm: z.literal("instance"),
      dropPath: z.number(),
      boundaryModule: z.boolean(),
      depthwiseSeparable: z.enum(["head", "bottleneck", "none"]),
      convolution: z.enum(["partial", "full"]),
    }),
  }),
  patchSize: z.tuple([count, count, count]),
  spacingMm: three,
  window: z.object({ lowHu: z.number(), highHu: z.number() }),
  foreground: z.string(),
  dataLabel: z.string(),
});

/** The kind of a safetensors file of ours, in its metadata. */
export type ModelFileKind = "lnsnet-model" | "lnsnet-training-state";

/**
 * The bytes of a model's file; float16 halves it and moves probabilities by less than 1e-3.
 *
 * @throws RangeError where a weight is beyond float16
 */
export function writeModel({ plan, steps, weights }: Model, half: boolean): Uint8Array {
  const shapes = new Map(parametersOf(plan.network).map(({ name, shape }) => [name, shape]));
  const tensors = new Map(
    [...weights].map(([name, data]) => {
      const shape = shapes.get(name);
      if (!shape) throw new Error(`${name} is no parameter of ${plan.network.name}`);
      return [name, { dtype: half ? ("F16" as const) : ("F32" as const), shape, data }];
    }),
  );
  const kind: ModelFileKind = "lnsnet-model";
  const metadata = { kind, plan: JSON.stringify(plan), steps: String(steps), use: "research use only" };
  return writeSafetensors(tensors, metadata);
}

/**
 * Reads a model.
 *
 * @param path what errors call it
 * @throws InputError where the bytes are none, or the weights are not those of the network that they name
 */
export function readModel(bytes: Uint8Array, path: string): Model {
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.kind !== ("lnsnet-model" satisfies ModelFileKind))
    throw new InputError(
      `${path} is ${metadata.kind === "lnsnet-training-state" ? "a training state" : "no model of lnsnet"}, and a model is expected; name the model.safetensors that "lnsnet train" wrote.`,
    );
  const plan = parsePlan(metadata.plan, path);
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of parametersOf(plan.network)) {
    const tensor = tensors.get(name);
    if (!tensor || !(tensor.data instanceof Float32Array) || tensor.shape.join() !== shape.join())
      throw new InputError(
        `${path} ${tensor ? `holds ${name} of shape [${tensor.shape.join(", ")}]` : `lacks the weight ${name}`}, and its network "${plan.network.name}" expects [${shape.join(", ")}]; it is the file of another network, train or export it again.`,
      );
    weights.set(name, tensor.data);
  }
  if (tensors.size !== weights.size)
    throw new InputError(
      `${path} holds ${tensors.size} weights, and its network "${plan.network.name}" has ${weights.size}; it is the file of another network, train or export it again.`,
    );
  return { plan, steps: Number(metadata.steps), weights };
}

/** @throws InputError where the text is no plan. */
export function parsePlan(text: string | undefined, path: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    throw new InputError(`${path} has no readable plan in its metadata; train or export it again.`);
  }
  const result = planSchema.safeParse(value);
  if (!result.success) {
    const { path: at, message } = result.error.issues[0];
    throw new InputError(
      `${path} has a plan that cannot be used (${at.join(".")}: ${message}); train or export it again.`,
    );
  }
  return result.data;
}
