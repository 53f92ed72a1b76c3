// A trained model as one file: named weights, and in the metadata all that is needed to use them.
import {
  InputError,
  type IntensityWindow,
  type NetworkSpecification,
  parametersOf,
  readSafetensors,
  type Vector3,
  writeSafetensors,
} from "@lnsnet/core";
import { z } from "zod";
import { readBytes, writeAtomically } from "./files.js";

/** How scans are prepared and a network is built; the same in training and in use. */
export interface Plan {
  readonly network: NetworkSpecification;
  /** Depth, height, width in voxels. */
  readonly patchSize: readonly [number, number, number];
  /** Working spacing (x, y, z). */
  readonly spacingMm: Vector3;
  readonly window: IntensityWindow;
  /** What foreground is, such as "lymph node". */
  readonly foreground: string;
  /** The data it was trained on, as every result names it, such as "phantom". */
  readonly dataLabel: string;
}

export interface Model {
  readonly plan: Plan;
  /** Updates that made these weights. */
  readonly steps: number;
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly path: string;
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
export type FileKind = "lnsnet-model" | "lnsnet-training-state";

/**
 * Writes a model; float16 halves the file and moves probabilities by less than 1e-3.
 */
export async function saveModel(
  path: string,
  { plan, steps, weights }: Omit<Model, "path">,
  half: boolean,
): Promise<void> {
  const shapes = new Map(parametersOf(plan.network).map(({ name, shape }) => [name, shape]));
  const tensors = new Map(
    [...weights].map(([name, data]) => {
      const shape = shapes.get(name);
      if (!shape) throw new Error(`${name} is no parameter of ${plan.network.name}`);
      return [name, { dtype: half ? ("F16" as const) : ("F32" as const), shape, data }];
    }),
  );
  const kind: FileKind = "lnsnet-model";
  const metadata = { kind, plan: JSON.stringify(plan), steps: String(steps), use: "research use only" };
  await writeAtomically(path, writeSafetensors(tensors, metadata));
}

/**
 * Reads a model.
 * @throws InputError where the file is none, or its weights are not those of the network that it names.
 */
export async function loadModel(path: string): Promise<Model> {
  const { tensors, metadata } = readSafetensors(await readBytes(path), path);
  if (metadata.kind !== ("lnsnet-model" satisfies FileKind))
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
  return { plan, steps: Number(metadata.steps), weights, path };
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
