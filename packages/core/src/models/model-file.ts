// A trained model as one file: named weights, and in the metadata all that is needed to use them.
import { z } from "zod";
import { InputError } from "../errors.js";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.js";
import { ShapeError, sizeOf } from "../graph/shape.js";
import type { PredictionPlan, TrainedModel } from "../inference/predictor.js";
import { type NetworkSpecification, parametersOf, sizeDivisor } from "../networks/catalogue.js";
import { lnsnetDefaults } from "../networks/lnsnet.js";
import { shown } from "../text.js";

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

const upTo = (greatest: number) => z.int().positive().max(greatest);
const orNone = (greatest: number) => z.int().min(0).max(greatest);
const axis = upTo(1024);
const spacing = z.number().min(0.01).max(100);
const hu = z.number().min(-1e5).max(1e5);

/** More than any network that fits a machine; so that a file of a few bytes cannot ask for a billion of anything. */
const planSchema: z.ZodType<Plan> = z.object({
  network: z.object({
    name: z.literal("lnsnet"),
    configuration: z.object({
      inputs: upTo(64),
      classes: upTo(256),
      stages: z.array(upTo(4096)).min(1).max(8),
      stem: z.enum(["full", "half"]).default(lnsnetDefaults.stem),
      headChannels: orNone(4096).default(lnsnetDefaults.headChannels),
      depths: z.array(orNone(100)),
      decoderDepth: orNone(100),
      partialRatio: z.number().min(0).max(1),
      kernel: upTo(15).refine((edge) => edge % 2 === 1, "is even"),
      expansion: upTo(16),
      pointwiseGroups: z.enum(["dense", "depthwise"]),
      norm: z.literal("instance"),
      dropPath: z.number().min(0).lt(1),
      boundaryModule: z.boolean(),
      depthwiseSeparable: z.enum(["head", "bottleneck", "none"]),
      convolution: z.enum(["partial", "full"]),
    }),
  }),
  patchSize: z
    .tuple([axis, axis, axis])
    .refine((patch) => sizeOf(patch) <= 2 ** 26, "is of more than 67 million voxels"),
  spacingMm: z.tuple([spacing, spacing, spacing]),
  window: z
    .object({ lowHu: hu, highHu: hu })
    .refine(({ lowHu, highHu }) => lowHu < highHu, "the lower end is not below the upper"),
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
 * @throws InputError where the bytes are none, the weights are not those of the network that they name, or one of them
 *   is NaN or infinite
 */
export function readModel(bytes: Uint8Array, path: string): Model {
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.kind !== ("lnsnet-model" satisfies ModelFileKind))
    throw new InputError(
      `${path} is ${metadata.kind === "lnsnet-training-state" ? "a training state" : "no model of lnsnet"}, and a model is expected; name the model.safetensors that "lnsnet train" wrote.`,
    );
  const plan = parsePlan(metadata.plan, path);
  const weights = new Map<string, Float32Array>();
  for (const { name, shape } of parametersOfPlan(plan.network, path)) {
    const tensor = tensors.get(name);
    if (!tensor || !(tensor.data instanceof Float32Array) || tensor.shape.join() !== shape.join())
      throw new InputError(
        `${path} ${tensor ? `holds ${name} of shape [${tensor.shape.join(", ")}]` : `lacks the weight ${name}`}, and its network "${plan.network.name}" expects [${shape.join(", ")}]; it is the file of another network, train or export it again.`,
      );
    if (!allFinite(tensor.data))
      throw new InputError(
        `${path} holds a number in ${name} that is NaN or infinite, and finite weights are expected; copy the file again, or train anew.`,
      );
    weights.set(name, tensor.data);
  }
  if (tensors.size !== weights.size)
    throw new InputError(
      `${path} holds ${tensors.size} weights, and its network "${plan.network.name}" has ${weights.size}; it is the file of another network, train or export it again.`,
    );
  const steps = Number(metadata.steps);
  if (!Number.isSafeInteger(steps) || steps < 0)
    throw new InputError(
      `${path} states "${shown(metadata.steps)}" for the steps that it was trained, and a whole number is expected; train or export it again.`,
    );
  return { plan, steps, weights };
}

/** Whether no number is NaN or infinite. A loop, for `every` of typed arrays is slow. */
export function allFinite(data: Float32Array): boolean {
  for (let n = 0; n < data.length; n++) if (!Number.isFinite(data[n])) return false;
  return true;
}

/** @throws InputError where no network can be built of the plan. */
function parametersOfPlan(network: NetworkSpecification, path: string): ReturnType<typeof parametersOf> {
  try {
    return parametersOf(network);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new InputError(
      `${path} has a plan of which no network can be built (${error.message}); train or export it again.`,
      { cause: error },
    );
  }
}

/** @throws InputError where the text is no plan. */
export function parsePlan(text: string | undefined, path: string): Plan {
  let value: unknown;
  try {
    if (text !== undefined && text.length <= longestPlan) value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (value === undefined) {
    throw new InputError(`${path} has no readable plan in its metadata; train or export it again.`);
  }
  const result = planSchema.safeParse(value);
  if (!result.success) {
    const { path: at, message } = result.error.issues[0];
    throw new InputError(
      `${path} has a plan that cannot be used (${at.join(".")}: ${message}); train or export it again.`,
    );
  }
  const { network, patchSize } = result.data;
  const divisor = sizeDivisor(network);
  if (patchSize.some((length) => length % divisor !== 0)) {
    throw new InputError(
      `${path} has a plan with patches of ${patchSize.join(" × ")} voxels, and its network needs multiples of ${divisor}; train or export it again.`,
    );
  }
  return result.data;
}

/** In characters; ours have less than a thousand. */
const longestPlan = 100_000;
