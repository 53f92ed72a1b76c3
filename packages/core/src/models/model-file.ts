// A trained model as one file: named weights, with everything needed to use them in the metadata.
import { z } from "zod";
import { InputError } from "../errors.js";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.js";
import { type Shape, ShapeError, sizeOf } from "../graph/shape.js";
import { type PredictionPlan, requireFittingNetwork, type TrainedModel } from "../inference/predictor.js";
import { type NetworkParts, networkSchema, partsOf, sizeRule, takesSize } from "../networks/catalogue.js";
import { shown } from "../text.js";

/** How scans are prepared and a network is built, and what results of it must say. */
export interface Plan extends PredictionPlan {
  /** What foreground is, such as "lymph node"; of several classes, their names. */
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

const axis = z.int().positive().max(1024);
const spacing = z.number().min(0.01).max(100);
const hu = z.number().min(-1e5).max(1e5);

const windowSchema = z
  .object({ lowHu: hu, highHu: hu })
  .refine(({ lowHu, highHu }) => lowHu < highHu, "the lower end is not below the upper");

const labelValue = z.int().min(0).max(255);

const labelsSchema = z.object({
  kind: z.enum(["exclusive", "overlapping"]),
  classes: z
    .array(z.object({ name: z.string(), values: z.array(labelValue).min(1), writtenAs: labelValue.min(1) }))
    .min(1)
    .max(254),
  ignored: labelValue.nullable(),
});

const calibrationSchema = z.object({
  slope: z.number().positive(),
  intercept: z.number(),
  scans: z.int().positive(),
  nodes: z.int().positive(),
  leastConfidence: z.number().min(0).max(1).optional(),
});

const resamplingSchema = z.object({ order: z.literal([1, 3]), separate: z.boolean().nullable() });
const gridAxis = z.int().min(0).max(2);

const nnunetSchema = z.object({
  turnedToRas: z.boolean(),
  axes: z
    .tuple([gridAxis, gridAxis, gridAxis])
    .refine((axes) => new Set(axes).size === 3, "holds an axis twice"),
  normalizations: z
    .array(
      z.discriminatedUnion("scheme", [
        z.object({
          scheme: z.literal("ct"),
          lowest: z.number(),
          highest: z.number(),
          mean: z.number(),
          deviation: z.number(),
        }),
        z.object({ scheme: z.literal("z-score"), withinMask: z.boolean() }),
      ]),
    )
    .min(1),
  mirroredAxes: z.array(gridAxis).refine((axes) => new Set(axes).size === axes.length, "holds an axis twice"),
  imageResampling: resamplingSchema,
  logitResampling: resamplingSchema,
});

const planSchema: z.ZodType<Plan> = z.object({
  network: networkSchema,
  patchSize: z
    .tuple([axis, axis, axis])
    .refine((patch) => sizeOf(patch) <= 2 ** 26, "is of more than 67 million voxels"),
  spacingMm: z.tuple([spacing, spacing, spacing]),
  window: windowSchema,
  channels: z
    .array(z.object({ name: z.string(), scaling: z.union([windowSchema, z.literal("z-score")]) }))
    .min(1)
    .max(64)
    .optional(),
  clickMaps: z.object({ radiusMm: z.number().min(0.1).max(100) }).optional(),
  labels: labelsSchema.optional(),
  calibration: calibrationSchema.optional(),
  nnunet: nnunetSchema.optional(),
  foreground: z.string(),
  dataLabel: z.string(),
});

/** The kind of a safetensors file of ours, in its metadata. */
export type ModelFileKind = "lnsnet-model" | "lnsnet-training-state";

/**
 * The latest version of files of models and training states. Raise it when earlier releases would misread a file. Files
 * without it are of version 1. A field added to a configuration needs no new version: what a plan leaves out takes its
 * default, and a field that is not known is refused.
 */
export const MODEL_FORMAT_VERSION = 3;

/** The version that a file must state: 2 has plans of several classes or channels, 3 promptable networks and those of nnU-Net. */
export const formatVersionOf = ({ channels, labels, clickMaps, nnunet }: PredictionPlan): number =>
  clickMaps !== undefined || nnunet !== undefined
    ? 3
    : channels !== undefined || labels !== undefined
      ? 2
      : 1;

/**
 * The bytes of a model's file; float16 halves it and moves probabilities by less than 1e-3.
 *
 * @throws RangeError where a weight is beyond float16
 */
export function writeModel({ plan, steps, weights }: Model, half: boolean): Uint8Array {
  const { parameters, buffers } = partsOf(plan.network, plan.patchSize);
  const stored = (dtype: "F16" | "F32") => (part: { name: string; shape: Shape }) => {
    const data = weights.get(part.name);
    if (!data) throw new Error(`${part.name} is missing from the weights of ${plan.network.name}`);
    return [part.name, { dtype, shape: part.shape, data }] as const;
  };
  // Running variances may lie beyond float16, and they are few.
  const tensors = new Map([...parameters.map(stored(half ? "F16" : "F32")), ...buffers.map(stored("F32"))]);
  if (tensors.size !== weights.size)
    throw new Error(`${weights.size} weights are given, and ${plan.network.name} has ${tensors.size}`);
  const kind: ModelFileKind = "lnsnet-model";
  const metadata = {
    kind,
    format_version: String(formatVersionOf(plan)),
    plan: JSON.stringify(plan),
    steps: String(steps),
    use: "research use only",
  };
  return writeSafetensors(tensors, metadata);
}

/**
 * Reads a model.
 *
 * @param path what errors call it
 * @throws InputError where the bytes are no model, the network does not have the channels and classes of its plan, the
 *   weights are not those of the network, or one of them is NaN or infinite
 */
export function readModel(bytes: Uint8Array, path: string): Model {
  const { tensors, metadata } = readSafetensors(bytes, path);
  if (metadata.kind !== ("lnsnet-model" satisfies ModelFileKind))
    throw new InputError(
      `${path} is ${metadata.kind === "lnsnet-training-state" ? "a training state" : "no model of lnsnet"}, and a model is expected; choose the model.safetensors that "lnsnet train" wrote.`,
    );
  requireKnownVersion(metadata.format_version, path);
  const plan = parsePlan(metadata.plan, path);
  const weights = new Map<string, Float32Array>();
  const { parameters, buffers } = partsOfPlan(plan, path);
  for (const { name, shape } of [...parameters, ...buffers]) {
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

/**
 * The bytes of a model's file with another calibration; weights stay as they are stored.
 *
 * @param path what errors call it
 * @throws InputError as {@link readModel}
 */
export function withCalibration(
  bytes: Uint8Array,
  calibration: NonNullable<Plan["calibration"]>,
  path: string,
): Uint8Array {
  const { plan } = readModel(bytes, path);
  const { tensors, metadata } = readSafetensors(bytes, path);
  return writeSafetensors(tensors, { ...metadata, plan: JSON.stringify({ ...plan, calibration }) });
}

/** Whether no number is NaN or infinite. A loop, for `every` of typed arrays is slow. */
export function allFinite(data: Float32Array): boolean {
  for (let n = 0; n < data.length; n++) if (!Number.isFinite(data[n])) return false;
  return true;
}

/** @throws InputError where no network can be built of the plan. */
function partsOfPlan({ network, patchSize }: Plan, path: string): NetworkParts {
  try {
    return partsOf(network, patchSize);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new InputError(
      `${path} has a plan that no network can be built from (${error.message}); train or export it again.`,
      { cause: error },
    );
  }
}

/** @throws InputError where a file is of a version that came after this program */
export function requireKnownVersion(text: string | undefined, path: string): void {
  const version = text === undefined ? 1 : Number(text);
  if (!Number.isInteger(version) || version < 1)
    throw new InputError(
      `${path} has the format version "${text}", which is not a whole number; export it again.`,
    );
  if (version > MODEL_FORMAT_VERSION)
    throw new InputError(
      `${path} is of format version ${version}, and this lnsnet reads up to version ${MODEL_FORMAT_VERSION}; update lnsnet.`,
    );
}

/** @throws InputError where the text is no plan of a network that this program has */
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
  if (!takesSize(network, patchSize))
    throw new InputError(
      `${path} has a plan with patches of ${patchSize.join(" × ")} voxels, and ${sizeRule(network)}; train or export it again.`,
    );
  requireFittingNetwork(result.data, path);
  return result.data;
}

/** In characters; ours have less than a thousand. */
const longestPlan = 100_000;
